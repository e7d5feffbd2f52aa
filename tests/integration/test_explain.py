"""Why was I paged, and why not? The real daemon asked: explain, incidents, report, test-rules."""

import json
import unittest

from support import Answer, Daemon, Receiver, wait_until

OFTEN = {"every": "250ms", "timeout": "200ms", "confirm": {"failures": 2, "spread": ["100ms"]},
         "recover": {"successes": 1}, "severity": "P0"}


class ExplainTest(unittest.TestCase):
    def setUp(self):
        self.target, self.receiver = Receiver(), Receiver()
        self.addCleanup(self.target.close)
        self.addCleanup(self.receiver.close)
        hook = {"webhook": {"url": self.receiver.webhook_url}, "pace": "10ms", "retry": {"first": "100ms"}}
        lead = {"webhook": {"url": self.receiver.url + "/lead"}, "pace": "10ms"}
        steps = [{"notify": ["hook"]}, {"after": "15m", "unless": "acknowledged", "notify": ["lead"]}]
        self.daemon = Daemon({"web": {"probe": "http", "url": self.target.url + "/", **OFTEN}},
                             receivers={"hook": hook, "lead": lead},
                             escalations={"P0": steps, "P2": [{"notify": ["hook"]}]})
        self.addCleanup(self.daemon.close)

    def kinds(self):
        return [request.json()["kind"] for request in self.receiver.requests("/hook")]

    def say(self, *words):
        done = self.daemon.command(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def outage(self):
        self.target.always("/", Answer(503, "no"))
        wait_until(lambda: "problem" in self.kinds(), "the problem")
        return self.daemon.json("/api/v1/incidents")["incidents"][0]["id"]

    def recover(self):
        self.target.always("/", None)
        wait_until(lambda: "recovery" in self.kinds(), "the recovery")
        wait_until(lambda: not self.daemon.json("/api/v1/incidents")["incidents"], "no open incident")

    def test_an_outage_is_explained_while_it_lasts_and_reported_when_it_is_over(self):
        self.daemon.start()
        incident = self.outage()
        wait_until(lambda: "it took it" in self.say("explain", "web"), "the receiver's word")
        said = self.say("explain", "web")
        for words in ("It counts as critical since", "hook was told at", "lead: its step of P0 is due",
                      "confirmed critical by 2 probes", "hook is told: problem"):
            self.assertIn(words, said)
        self.assertIn("hook was told at", self.say("explain", incident[:6]))
        answer = json.loads(self.say("explain", "web", "--json"))
        self.assertEqual((answer["check"], answer["incident"]), ("web", incident))

        self.recover()
        wait_until(lambda: incident[:4] in self.say("incidents", "--all"), "the incident in the history")
        self.assertIn("no open incidents", self.say("incidents"))
        self.assertIn(incident[:4], self.say("incidents", "--since", "1h"))
        report = self.say("report", incident[:6])
        for words in ("# Post-mortem: web on test-host", "| Severity | P0 critical |", "## Timeline (UTC)",
                      "### First bad observation", "| hook |", "## Root cause", "## Follow-ups"):
            self.assertIn(words, report)
        self.assertIn("is over since", self.say("explain", incident[:6]))
        self.assertIn("Timeline (UTC)", self.say("incidents", incident))
        shown = self.daemon.json(f"/api/v1/incidents/{incident}")
        self.assertEqual(shown["timeline"][-1]["text"], "hook took it")
        self.assertIn("First bad observation", self.daemon.get(f"/incidents/{incident}")[1])
        self.assertIn(f"/incidents/{incident}", self.daemon.get("/")[1])

    def test_reasons_outlive_a_restart(self):
        self.daemon.start()
        self.outage()
        self.daemon.stop()
        self.daemon.start()
        self.assertIn("confirmed critical by 2 probes", self.say("explain", "web"))

    def test_who_is_unknown_gets_a_sentence(self):
        self.daemon.start()
        for words in (("explain", "wbe"), ("report", "zzzzzz"), ("incidents", "zz")):
            done = self.daemon.command(*words)
            self.assertEqual(done.returncode, 69, done.stdout)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("did you mean the check 'web'?", self.daemon.command("explain", "wbe").stderr)
        self.assertEqual(self.daemon.get("/api/v1/incidents/zzzzzz")[0], 404)

    def test_a_story_against_the_configuration(self):
        story = self.daemon.folder / "outage.txt"
        story.write_text('0s web refused "connection refused"\n1s web refused "connection refused"\n16m elapsed\n')
        ran = self.say("test-rules", str(story))
        self.assertIn("> 1s problem P0 critical web to hook: connection refused", ran)
        self.assertIn("escalation P0 critical web to lead", ran)
        story.write_text(ran)
        self.assertIn("all is as expected", self.say("test-rules", str(story)))
        story.write_text(ran.replace("web to hook", "web to nobody"))
        done = self.daemon.command("test-rules", str(story))
        self.assertEqual(done.returncode, 1)
        self.assertIn("- > 1s problem P0 critical web to nobody", done.stdout)
        self.assertIn("+ > 1s problem P0 critical web to hook", done.stdout)
        story.write_text("0s web ok used=0.5\n")
        done = self.daemon.command("test-rules", str(story))
        self.assertEqual(done.returncode, 1)
        self.assertIn("web measures no 'used'", done.stdout)


if __name__ == "__main__":
    unittest.main()
