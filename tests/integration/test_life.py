"""From a wrong file to a full disk: what the daemon does when people, files and disks misbehave."""

import os
import sqlite3
import subprocess
import unittest
from pathlib import Path

from support import Answer, Daemon, Receiver, Refused, wait_until

OFTEN = {"every": "250ms", "timeout": "200ms", "confirm": {"failures": 1}, "recover": {"successes": 1}, "severity": "P0"}


class LifeTest(unittest.TestCase):
    """Each test has a target that fails when told to, and a receiver."""

    def setUp(self):
        self.target, self.receiver = Receiver(), Receiver()
        self.addCleanup(self.target.close)
        self.addCleanup(self.receiver.close)

    def break_target(self, broken=True):
        self.target.always("/", Answer(503, "no") if broken else None)

    def check(self, **more):
        return {"probe": "http", "url": self.target.url + "/", **OFTEN, **more}

    def keys(self, **more):
        hook = {"webhook": {"url": self.receiver.webhook_url}, "pace": "10ms", "retry": {"first": "100ms"}}
        return {"receivers": {"hook": hook},
                "escalations": {name: [{"notify": ["hook"]}] for name in ("P0", "P2")}, **more}

    def daemon(self, checks=None, **keys):
        daemon = Daemon(checks or {"web": self.check()}, **{**self.keys(), **keys})
        self.addCleanup(daemon.close)
        return daemon

    def messages(self):
        return [request.json() for request in self.receiver.requests("/hook")]

    def kinds(self):
        return [message["kind"] for message in self.messages()]

    def shown(self, daemon, name="web"):
        return next((check for check in daemon.json("/api/v1/checks")["checks"] if check["check"] == name), None)

    def runs(self, daemon, count, name="web"):
        return wait_until(lambda: (self.shown(daemon, name) or {"runs": 0})["runs"] >= count, f"{count} runs of {name}")


class ConfigurationTest(LifeTest):
    FIVE = ("checks:\n"                                                                     # line 1
            "  web: { probe: http, url: http://127.0.0.1:1/, tiemout: 5s }\n"               # unknown key
            "  api: { probe: http, url: http://127.0.0.1:1/, every: 30 }\n"                 # no unit
            "  web: { probe: memory }\n"                                                    # name twice
            "  old: { probe: htpp, url: http://127.0.0.1:1/ }\n"                            # unknown kind
            "receivers: { ops: { console: {} } }\n"
            "escalations:\n"
            "  P2: [ { notify: [ opps ] } ]\n"                                              # dangling reference
            "instance: test-host\n")

    def test_five_mistakes_are_five_errors_with_line_and_column(self):
        daemon = self.daemon()
        daemon.write(self.FIVE)
        done = daemon.command("check-config")
        self.assertEqual(done.returncode, 78, done.stdout + done.stderr)
        errors = [line for line in (done.stdout + done.stderr).splitlines() if "error:" in line]
        self.assertEqual(len(errors), 5, errors)
        for line, column, words in ((2, 49, "tiemout.*timeout"), (3, 56, "30s"), (4, 3, "web"), (5, 17, "htpp.*http"),
                                    (8, 21, "opps.*ops")):
            found = [error for error in errors if error.startswith(f"{daemon.file}:{line}:")]
            self.assertEqual(len(found), 1, (line, errors))
            self.assertRegex(found[0], words)
            self.assertRegex(found[0], f"^{daemon.file}:{line}:{column}: ")
        with self.assertRaisesRegex(Refused, "tiemout"):
            daemon.start()
        self.assertEqual(daemon.process.returncode, 78)

    def test_a_reload_with_a_bad_file_changes_nothing_and_tells(self):
        daemon = self.daemon().start()
        self.runs(daemon, 1)
        good = daemon.file.read_text(encoding="utf-8")
        daemon.write(self.FIVE)
        daemon.reload()
        wait_until(lambda: daemon.metrics()["vitald_config_last_reload_success"] == 0, "the refusal")
        wait_until(lambda: "tiemout" in daemon.log(), daemon.log)
        self.runs(daemon, self.shown(daemon)["runs"] + 3)
        daemon.write(good)
        daemon.reload()
        wait_until(lambda: daemon.metrics()["vitald_config_last_reload_success"] == 1, "the good file to be taken")

    def test_a_reload_keeps_phase_counters_and_incident(self):
        steady = {"probe": "memory", "every": "1h"}
        daemon = self.daemon({"web": self.check(), "rare": steady}).start()
        self.runs(daemon, 1, "rare")
        self.break_target()
        self.receiver.wait_for(1, "/hook")
        incident = self.messages()[0]["incident"]
        before = self.shown(daemon, "rare")
        daemon.configure({"web": self.check(), "rare": steady, "new": {"probe": "memory", "every": "1s"}}, **self.keys())
        daemon.reload()
        self.runs(daemon, 1, "new")
        after = self.shown(daemon, "rare")
        self.assertEqual((after["runs"], after["last_run"]), (before["runs"], before["last_run"]), "it has run anew")
        self.runs(daemon, self.shown(daemon)["runs"] + 2)
        self.assertEqual([each["id"] for each in daemon.json("/api/v1/incidents")["incidents"]], [incident])
        self.assertEqual(self.kinds(), ["problem"])
        self.break_target(False)
        self.receiver.wait_for(2, "/hook")
        self.assertEqual([message["incident"] for message in self.messages()], [incident, incident])


class EndTest(LifeTest):
    def test_ends_in_time_while_a_receiver_hangs_and_delivers_later(self):
        self.receiver.always("/hook", Answer(hang=True))
        self.break_target()
        daemon = self.daemon().start()
        self.receiver.wait_for(1, "/hook")
        self.assertEqual(daemon.stop(deadline=12), 0, daemon.log())   # the contract says 10 s
        self.receiver.always("/hook")
        daemon.start()
        messages = self.receiver.wait_for(2, "/hook")
        self.assertEqual(len({request.headers["idempotency-key"] for request in messages}), 1)
        self.assertEqual(self.kinds()[:2], ["problem", "problem"])

    def test_a_second_instance_is_refused(self):
        daemon = self.daemon().start()
        second = Daemon({"web": self.check()}, folder=daemon.folder, **self.keys())
        self.addCleanup(second.close)
        second.log_file = daemon.folder / "second.log"
        second.start(wait=False)
        self.assertNotEqual(second.wait(), 0)
        self.assertRegex(second.log(), f"{daemon.state}.*(another|already|use)")
        self.runs(daemon, self.shown(daemon)["runs"] + 2)

    def test_a_restart_sends_nothing(self):
        self.break_target()
        daemon = self.daemon().start()
        self.receiver.wait_for(1, "/hook")
        # The message is out of the database once its receiver's word is committed; before that a repeat is allowed.
        wait_until(lambda: not self.outbox(daemon), "the delivery to be committed")
        incident = self.messages()[0]["incident"]
        for how in (daemon.stop, daemon.kill):
            how()
            daemon.start()
            self.runs(daemon, 3)
            self.assertEqual([each["id"] for each in daemon.json("/api/v1/incidents")["incidents"]], [incident])
        self.assertEqual(self.kinds(), ["problem"])
        self.break_target(False)
        self.receiver.wait_for(2, "/hook")
        self.assertEqual(self.kinds(), ["problem", "recovery"])
        self.assertEqual({message["incident"] for message in self.messages()}, {incident})

    @staticmethod
    def outbox(daemon):
        connection = sqlite3.connect(f"file:{daemon.state}/vitald.db?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute("SELECT count(*) FROM outbox").fetchone()[0]
        finally:
            connection.close()


class FullDiskTest(LifeTest):
    """The state's own file system of 1 MiB, filled and freed."""

    def setUp(self):
        super().setUp()
        self.small = self.daemon()
        self.small.state.rmdir()
        self.small.state.mkdir(mode=0o700)
        if os.geteuid() != 0:
            self.skipTest("it takes root to mount a small file system")
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", self.small.state],
                                 capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"no file system can be mounted here: {mounted.stderr.strip()}")
        self.addCleanup(lambda: subprocess.run(["umount", "-l", self.small.state], check=False))

    def fill(self):
        with (self.small.state / "ballast").open("wb", buffering=0) as ballast:
            for size in (65536, 4096, 512):
                try:
                    while ballast.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass

    def test_pages_go_out_marked_and_everything_is_saved_later(self):
        daemon = self.small.start()
        self.runs(daemon, 1)
        self.fill()
        self.break_target()
        wait_until(lambda: any(message["check"] == "web" for message in self.messages()), "the page", 30)
        page = next(message for message in self.messages() if message["check"] == "web")
        self.assertEqual((page["kind"], page["unsaved"]), ("problem", True), page)
        wait_until(lambda: daemon.metrics()["vitald_store_degraded"] == 1, "the metric to say so")
        wait_until(lambda: any(message["check"] != "web" for message in self.messages()), "its own trouble to be told", 30)
        (daemon.state / "ballast").unlink()
        wait_until(lambda: daemon.metrics()["vitald_store_degraded"] == 0, "the store to be back", 30)
        wait_until(lambda: page["incident"] in self.stored(), "the incident to be saved", 30)
        wait_until(lambda: any(message["check"] != "web" and message["kind"] == "recovery" for message in self.messages()),
                   "the end of its own trouble", 30)
        self.break_target(False)
        wait_until(lambda: any(message["check"] == "web" and message["kind"] == "recovery" for message in self.messages()),
                   "the recovery", 30)
        recovery = [message for message in self.messages() if message["check"] == "web"][-1]
        self.assertEqual((recovery["incident"], recovery["unsaved"]), (page["incident"], False))

    def test_what_was_paged_is_unpaged_after_a_kill_on_a_full_disk(self):
        daemon = self.small.start()
        self.runs(daemon, 1)
        self.fill()
        self.break_target()
        wait_until(lambda: any(message["check"] == "web" for message in self.messages()), "the page", 30)
        page = next(message for message in self.messages() if message["check"] == "web")
        daemon.kill()
        self.assertIn(page["incident"], (daemon.runtime / "owed").read_text(encoding="utf-8", errors="replace"))
        (daemon.state / "ballast").unlink()
        self.break_target(False)
        daemon.start()
        wait_until(lambda: any(message["incident"] == page["incident"] and message["kind"] == "recovery"
                               for message in self.messages()),
                   lambda: f"the page to be taken back: {self.kinds()}; it said:\n{daemon.log()}", 30)

    def stored(self):
        connection = sqlite3.connect(f"file:{self.small.state}/vitald.db?mode=ro", uri=True, timeout=10)
        try:
            return {row[0] for row in connection.execute("SELECT id FROM incidents")}
        finally:
            connection.close()


class SecretsTest(LifeTest):
    CANARY = "canary7f3c91d2"

    def test_no_secret_is_seen_anywhere(self):
        secrets = {name: f"{self.CANARY}-{name}" for name in ("slack", "hook", "token", "password", "bearer")}
        secrets["pager"] = (self.CANARY + "0" * 32)[:32]
        address = self.receiver.url
        environment = {"CANARY_SLACK": f"{address}/slack/{secrets['slack']}", "CANARY_HOOK": f"{address}/hook/{secrets['hook']}",
                       "CANARY_TOKEN": secrets["token"], "CANARY_PASSWORD": secrets["password"],
                       "CANARY_BEARER": secrets["bearer"], "CANARY_PAGER": secrets["pager"]}
        receivers = {"chat": {"slack": {"webhook": {"env": "CANARY_SLACK"}}, "retry": {"first": "100ms"}},
                     "hook": {"webhook": {"url": {"env": "CANARY_HOOK"}, "token": {"env": "CANARY_TOKEN"}}, "retry": {"first": "100ms"}},
                     "pager": {"pagerduty": {"routing_key": {"env": "CANARY_PAGER"}, "url": self.receiver.pagerduty_url}}}
        notify = [{"notify": ["chat", "hook", "pager"]}]
        basic = self.check(auth={"basic": {"user": "vitald", "password": {"env": "CANARY_PASSWORD"}}})
        bearer = self.check(auth={"bearer": {"env": "CANARY_BEARER"}})
        # Every road on which a message about a receiver or a target could quote what it was sent.
        self.break_target()
        self.receiver.plan("/slack", Answer(500, "no"), Answer(drop=True))
        self.receiver.plan("/hook", Answer(403, "you sent " + secrets["token"]))
        self.receiver.plan("/v2/enqueue", Answer(429, "slow down"))
        daemon = self.daemon({"basic": basic, "bearer": bearer}, environment=environment, receivers=receivers,
                             escalations={"P0": notify, "P2": notify}, log={"level": "debug"}).start()
        for prefix, count in (("/slack", 3), ("/hook", 1), ("/v2/enqueue", 2)):
            self.receiver.wait_for(count, prefix, deadline=30)
        seen = {"the environment reached the receivers": " ".join(request.path for request in self.receiver.requests())}
        self.assertIn(self.CANARY, seen.popitem()[1], "the canary was never used, so nothing was tested")
        headers = " ".join(str(request.headers) for request in self.receiver.requests() + self.target.requests())
        self.assertIn(secrets["token"], headers)
        self.assertIn(secrets["bearer"], headers)
        for name in ("chat", "hook", "pager"):
            done = daemon.command("test-notify", name)
            seen[f"test-notify {name}"] = done.stdout + done.stderr
        for words in (("status",), ("status", "--json"), ("incidents",), ("probe", "basic"), ("probe", "bearer", "--json"),
                      ("verify",), ("check-config",)):
            done = daemon.command(*words)
            seen[" ".join(words)] = done.stdout + done.stderr
        for path in ("/metrics", "/", "/api/v1/checks", "/api/v1/incidents"):
            seen[path] = daemon.get(path)[1]
        daemon.configure({"basic": basic}, receivers=receivers, escalations={"P0": notify}, log={"level": "debug"})
        daemon.reload()
        daemon.command("reload")
        self.assertEqual(daemon.stop(), 0, daemon.log())
        for request in self.receiver.requests():
            told = request.json()
            if request.path.startswith("/v2/enqueue"):
                self.assertEqual(told.pop("routing_key"), secrets["pager"])
            seen[f"a message to {request.path.split('/')[1]} at {request.at}"] = str(told)
        seen["the log"] = daemon.log()
        for folder in (daemon.state, daemon.runtime):
            for file in Path(folder).rglob("*"):
                if file.is_file():
                    seen[str(file)] = file.read_bytes().decode("latin-1")
        self.assertIn(str(daemon.state / "vitald.db"), seen)
        for where, text in seen.items():
            with self.subTest(where=where):
                self.assertNotIn(self.CANARY, text)


if __name__ == "__main__":
    unittest.main()
