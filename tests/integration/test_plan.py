"""What would a reload change? `plan` asked, then the reload done: it has to come as it was said."""

import json
import unittest

import yaml

from support import Answer, Daemon, Receiver, wait_until

OFTEN = {"every": "250ms", "timeout": "200ms", "confirm": {"failures": 1}, "recover": {"successes": 1}, "severity": "P0"}


class PlanTest(unittest.TestCase):
    def setUp(self):
        self.target, self.receiver = Receiver(), Receiver()
        self.addCleanup(self.target.close)
        self.addCleanup(self.receiver.close)
        for bad in ("/web", "/shop"):  # three at once would be a storm
            self.target.always(bad, Answer(503, "no"))
        self.checks = {name: self.check(name) for name in ("web", "shop", "stays")}
        self.receivers = {"hook": self.hook("/hook")}
        self.daemon = Daemon(self.checks, **self.keys())
        self.addCleanup(self.daemon.close)

    # What the configuration says

    def check(self, name, **more):
        return {"probe": "http", "url": f"{self.target.url}/{name}", "group_by": [], **OFTEN, **more}

    def hook(self, path):
        return {"webhook": {"url": self.receiver.url + path}, "pace": "10ms", "retry": {"first": "100ms"}}

    def keys(self, **more):
        first = next(iter(self.receivers))
        return {"receivers": self.receivers,
                "escalations": {name: [{"notify": [first]}] for name in ("P0", "P2")}, **more}

    def candidate(self, checks, **more):
        """A file to come, beside the one in place."""
        file = self.daemon.folder / "next.yaml"
        document = {**yaml.safe_load(self.daemon.file.read_text()), **self.keys(**more), "checks": checks}
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        return file

    # What is said, and what happens

    def plan(self, file, *words, status=0):
        done = self.daemon.command("plan", str(file), *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def planned(self, file):
        return json.loads(self.plan(file, "--json").stdout)

    def reload(self, file):
        self.daemon.write(file.read_text())
        done = self.daemon.command("reload")
        self.assertEqual(done.returncode, 0, done.stderr)

    def messages(self, path="/hook", kind=None):
        told = [request.json() for request in self.receiver.requests(path)]
        return [message for message in told if kind in (None, message["kind"])]

    def open(self):
        return {incident["check"]: incident for incident in self.daemon.json("/api/v1/incidents")["incidents"]}

    def outage(self):
        """web and shop are bad, and the receiver has taken a message of each."""
        self.daemon.start()
        wait_until(lambda: {message["check"] for message in self.messages(kind="problem")} == {"web", "shop"},
                   "two problems")
        self.settled()
        return self.open()

    def settled(self):
        """Nothing is on its way to a receiver."""
        wait_until(lambda: all(series == 0 for name, series in self.daemon.metrics().items()
                               if name.startswith("vitald_outbox_pending")), "an empty outbox")

    def as_planned(self, plan, before):
        """The reload was done: the incidents and the messages are those that were announced."""
        fates = {fate["id"]: fate for fate in plan["incidents"]}
        for fate in plan["incidents"]:
            shown = json.loads(self.daemon.command("incidents", fate["id"], "--json").stdout)
            self.assertEqual("closed" in shown, fate["fate"] == "ends", fate)
            if fate["fate"] == "renamed":
                self.assertEqual(self.open()[fate["why"]]["id"], fate["id"])
        for incident in before.values():
            if incident["id"] not in fates:
                self.assertEqual(self.open()[incident["check"]]["id"], incident["id"], "left alone")
        return fates

    def test_what_was_planned_comes(self):
        before = self.outage()
        next_checks = {"store": self.check("shop", was="shop"), "stays": self.check("stays", every="300ms"),
                       "new": {"probe": "memory"}}
        file = self.candidate(next_checks)
        plan = self.planned(file)
        self.assertTrue(plan["against"]["daemon"])
        self.assertEqual((plan["checks"]["added"], plan["checks"]["removed"]), (["new"], ["web"]))
        self.assertEqual(plan["checks"]["renamed"], [{"from": "shop", "to": "store"}])
        self.assertEqual(plan["checks"]["changed"], [
            {"name": "stays", "options": [{"option": "every", "before": "250ms", "after": "300ms"}]}])
        said = self.plan(file).stdout
        web, shop = before["web"]["id"][:4], before["shop"]["id"][:4]
        for words in (f"Against the running daemon, which has {self.daemon.file}:", "+ check new: it starts anew",
                      "- check web:", "~ check shop is called store", "    every: 250ms -> 300ms",
                      f"incident {web} of web ends: check removed from the configuration; its end is told to hook",
                      f"incident {shop} of shop stays open as that of store"):
            self.assertIn(words, said)
        self.assertEqual(self.open(), before, "a plan changes nothing")

        self.reload(file)
        over = wait_until(lambda: self.messages(kind="recovery"), "the end of the removed check's incident")
        self.settled()
        fates = self.as_planned(plan, before)
        [ended] = [fate for fate in fates.values() if fate["fate"] == "ends"]
        self.assertEqual([(message["incident"], message["check"], message["summary"]) for message in over],
                         [(ended["id"], "web", ended["why"])])
        self.assertEqual(ended["told"], ["hook"])
        self.assertEqual(len(self.messages(kind="problem")), 2, "nobody is told anything anew")
        self.assertIn("nothing would change", self.plan(file).stdout)
        self.assertEqual(self.planned(file)["incidents"], [])

    def test_a_removed_receiver_gets_no_end_and_another_is_told(self):
        self.outage()
        before = self.open()
        self.receivers = {"lead": self.hook("/lead")}
        file = self.candidate({name: check for name, check in self.checks.items() if name != "web"})
        plan = self.planned(file)
        self.assertEqual((plan["receivers"]["added"], plan["receivers"]["removed"]), (["lead"], ["hook"]))
        self.assertEqual({fate["check"]: (fate["fate"], fate["told"], fate["not_told"]) for fate in plan["incidents"]},
                         {"web": ("ends", [], ["hook"]), "shop": ("goes on", ["lead"], ["hook"])})
        self.reload(file)
        wait_until(lambda: self.messages("/lead"), "the problem at the new receiver")
        self.settled()
        self.as_planned(plan, before)
        self.assertEqual([(message["check"], message["kind"]) for message in self.messages("/lead")],
                         [("shop", "problem")])
        self.assertEqual(self.messages(kind="recovery"), [], "the removed receiver is told nothing more")

    def test_a_file_with_mistakes_and_no_daemon(self):
        secret = "canary-51f0"
        self.checks["api"] = self.check("api", auth={"basic": {"user": "me", "password": secret}},
                                        headers={"X-Api-Key": secret, "Accept": "*/*"})
        self.daemon.configure(self.checks, **self.keys())
        self.assertEqual(self.daemon.command("check-config").returncode, 0)
        file = self.candidate({**self.checks, "more": self.check("more")}, listen={"http": "127.0.0.1:0"})
        alone = self.plan(file)
        self.assertIn(f"Against {self.daemon.file}, since no daemon runs", alone.stdout)
        self.assertIn("+ check more", alone.stdout)
        self.assertIn(f"~ listen.http: 127.0.0.1:{self.daemon.port} -> 127.0.0.1:0\n    this takes a restart", alone.stdout)
        self.assertFalse(json.loads(self.plan(file, "--json").stdout)["against"]["daemon"])

        self.daemon.start()
        gone = self.candidate({"web": self.checks["web"], "api": self.check("api", headers={"Accept": "text/*"})})
        done = self.plan(gone)
        for words in ("    auth: {basic: {password: (a secret), user: me}} -> (nothing)",
                      "    headers: {Accept: */*, X-Api-Key: (a secret)} -> {Accept: text/*}"):
            self.assertIn(words, done.stdout)
        self.assertNotIn(secret, done.stdout + done.stderr + self.plan(gone, "--json").stdout)

        gone.write_text(gone.read_text().replace("probe: http", "probe: htpp"))
        done = self.plan(gone, status=78)
        self.assertEqual(done.stdout, "")
        self.assertIn(f"{gone}:", done.stderr)
        self.assertIn("did you mean 'http'?", done.stderr)
        self.assertIn(f"{gone}: 2 mistakes", done.stderr)
        report = json.loads(self.plan(gone, "--json", status=78).stdout)
        self.assertFalse(report["valid"])
        self.assertEqual({problem["file"] for problem in report["problems"]}, {str(gone)})
        self.assertTrue(all(problem["line"] > 0 for problem in report["problems"]))


if __name__ == "__main__":
    unittest.main()
