# time-out: 420
"""The pm2 probe against a real pm2 (from npm, pinned): healthy, stopped, crash-looping and cluster apps; pm2 itself ended,
killed and hanging; and that pm2 is never sent anything but the one request."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from support import Daemon, run_alone, sample, wait_until
from support.one_run import evidence
from support.pm2_daemon import Pm2

SECRET = "swordfish-in-the-environment"
HEALTHY = "setInterval(() => {}, 1000)"
# Ends at once, again and again, until pm2 gives up.
BROKEN = "console.error('Error: database is gone\\n    at connect (db.js:7:11)'); process.exit(3)"
REQUEST = b'\x12\0\0\0\x37j:{"type":"call","method":"getMonitorData","args":[{}]}\0\0\0\x05s:v:0'


class Pm2Test(unittest.TestCase):
    def ask(self, expected, reason="", words="", **check):
        report, _ = run_alone({"probe": "pm2", **check}, secret=SECRET)
        self.assertEqual((report["verdict"], report.get("reason", "")), (expected, reason), report)
        if words:
            self.assertRegex(report["why"], words)
        return report


class AppsTest(Pm2Test):
    @classmethod
    def setUpClass(cls):
        cls.pm2 = Pm2(SECRET)
        cls.addClassCleanup(cls.pm2.close)
        cls.pm2.start()
        cls.pm2.run_apps(frontend=(HEALTHY, {"max_memory_restart": "300M"}),
                         api=(HEALTHY, {"exec_mode": "cluster", "instances": 3}),
                         broken=(BROKEN, {"max_restarts": 3, "min_uptime": 60000}),
                         patient=(BROKEN, {"max_restarts": 2, "min_uptime": 60000, "restart_delay": 50}),
                         looping=("setTimeout(() => { console.error('out of luck'); process.exit(1) }, 300)",
                                  {"min_uptime": 100, "max_restarts": 1000000}),
                         idle=(HEALTHY, {}),
                         migrate=("process.exit(0)", {"autorestart": False}))
        cls.pm2.command("stop", "idle")
        wait_until(lambda: cls.pm2.states("broken") == ["errored"] and cls.pm2.states("frontend") == ["online"]
                   and cls.pm2.states("api") == ["online"] * 3 and cls.pm2.states("migrate") == ["stopped"],
                   lambda: f"the apps to be what they should: {cls.pm2.command('list')}", 60)

    def setUp(self):
        self.home = str(self.pm2.home)

    def test_a_healthy_app(self):
        report = self.ask("ok", words=r"online for .*, \d.* MiB, 0 restarts in all", app="frontend", home=self.home)
        self.assertEqual(sample(report, "online"), 1)
        self.assertEqual(sample(report, "restarts"), 0)
        self.assertGreater(sample(report, "memory"), 1 << 20)
        self.assertGreater(sample(report, "uptime"), 0)
        self.assertIsNotNone(sample(report, "cpu"))
        maximum = next(each["maximum"] for each in report["samples"] if each["name"] == "memory")
        self.assertEqual(maximum, 300 << 20)

    def test_an_app_that_gave_up(self):
        report = self.ask("critical", "errored", "broken is errored after 2 restarts, exit code 3", app="broken", home=self.home)
        self.assertIn("Error: database is gone\n", evidence(report, "error log of broken"))
        self.assertIn("pm2 restart broken", report["remedy"])

    def test_an_app_that_gave_up_and_still_claims_to_wait(self):
        wait_until(lambda: all(row["pm2_env"]["created_at"] is None for row in self.pm2.list() if row["name"] == "patient"),
                   "the app with a restart_delay to be given up")
        self.ask("critical", "errored", "patient is errored after", app="patient", home=self.home)

    def test_a_stopped_app(self):
        self.ask("critical", "stopped", "idle is stopped", app="idle", home=self.home)

    def test_a_script_that_ended_well(self):
        self.ask("ok", words="migrate has run and ended well", app="migrate", home=self.home)

    def test_an_app_that_is_not_there(self):
        self.ask("critical", "app_missing", "shop is not in pm2: it has .*frontend", app="shop", home=self.home)

    def test_all_apps_at_once(self):
        report = self.ask("critical", "errored", "", home=self.home)
        self.assertEqual(sample(report, "online", app="api"), 3)
        self.assertEqual(sample(report, "not_running", app="idle"), 1)
        report = self.ask("ok", words="2 apps, 4 of 4 instances online", app=["api", "front*"], socket=str(self.pm2.socket))
        self.assertEqual(sample(report, "online", app="frontend"), 1)

    def test_one_instance_of_a_cluster_down_and_then_all(self):
        self.ask("ok", words="3 of 3 instances online", app="api", home=self.home)
        ids = [row["pm_id"] for row in self.pm2.list() if row["name"] == "api"]
        self.addCleanup(self.pm2.command, "restart", "api")
        self.pm2.command("stop", ids[0])
        report = self.ask("warning", words=rf"api \(id {ids[0]}\) is stopped.*; 2 of 3 running", app="api", home=self.home)
        self.assertEqual(sample(report, "not_running"), 1)
        self.pm2.command("stop", "api")
        self.ask("critical", "stopped", "none of the 3 of api is running", app="api", home=self.home)

    def test_fewer_instances_than_there_must_be(self):
        self.ask("warning", words="an instance is missing; 1 of 2 running", app="frontend", instances=2, home=self.home)

    def test_an_app_that_looks_well_and_restarts_all_the_time(self):
        check = {"probe": "pm2", "app": "looping", "home": self.home, "every": "300ms", "confirm": {"failures": 1},
                 "limits": {"restarts": {"warning": "2 per 1m", "critical": "5 per 1m"}}}
        with Daemon({"looping": check}) as daemon:
            def settled():
                row = daemon.json("/api/v1/checks")["checks"][0]
                return row if row.get("verdict") == "critical" else None
            row = wait_until(settled, lambda: f"the restarts to be noticed: {daemon.json('/api/v1/checks')}", 60)
        self.assertIn("restarts", json.dumps(row))
        self.assertIn("out of luck", json.dumps(row))
        self.assertNotIn(SECRET, json.dumps(row))

    def test_the_environment_of_the_apps_is_kept_nowhere(self):
        self.assertIn(SECRET, json.dumps(self.pm2.list()))  # it was there to be seen
        check = {"probe": "pm2", "home": self.home, "every": "200ms"}
        with Daemon({"all": check}) as daemon:
            wait_until(lambda: daemon.json("/api/v1/checks")["checks"][0].get("runs", 0) > 3, "some runs")
            daemon.stop()
            kept = [file for file in daemon.folder.rglob("*") if file.is_file()]
            self.assertTrue(any(file.is_relative_to(daemon.state) for file in kept))
            for file in kept:
                self.assertNotIn(SECRET.encode(), file.read_bytes(), file)

    def test_many_checks_restart_nothing(self):
        before = {key: count for key, count in self.pm2.restarts().items()
                  if key in [row["pm_id"] for row in self.pm2.list() if row["name"] in ("frontend", "api")]}
        for _ in range(3):
            self.ask("ok", app="frontend", home=self.home)
        after = self.pm2.restarts()
        self.assertEqual(before, {key: after[key] for key in before})

    @unittest.skipUnless(os.geteuid() == 0, "it takes root to become somebody else")
    def test_somebody_who_may_not_connect(self):
        daemon = Daemon({"it": {"probe": "pm2", "home": self.home}})
        self.addCleanup(daemon.close)
        for folder in (self.pm2.folder, daemon.folder, self.pm2.home):
            folder.chmod(0o755)
        daemon.file.chmod(0o644)
        for folder in (daemon.state, daemon.runtime):
            os.chown(folder, 65534, 65534)
        done = subprocess.run([daemon.binary, "probe", "it", "--local", "--json", "--config", daemon.file], text=True,
                              capture_output=True, user=65534, group=65534, extra_groups=[], timeout=60, check=False,
                              stdin=subprocess.DEVNULL, cwd="/")
        if not done.stdout.strip():
            self.skipTest(f"another user cannot run the daemon here: {done.stderr.strip()}")
        report = json.loads(done.stdout)
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", f"denied:{self.pm2.socket}"), report)
        self.assertTrue(report["remedy"])


class DaemonTest(Pm2Test):
    def setUp(self):
        self.pm2 = Pm2(SECRET)
        self.addCleanup(self.pm2.close)
        self.home = str(self.pm2.home)
        self.pm2.start()

    def test_without_apps(self):
        self.ask("critical", "no_apps", "pm2 runs, but there is no app in it", home=self.home)

    def test_hanging(self):
        self.pm2.pause()
        self.ask("critical", "timeout", "connected, but no answer within 1 s", home=self.home, timeout="1s")
        self.pm2.resume()
        self.ask("critical", "no_apps", home=self.home)

    def test_killed_and_then_ended_in_order(self):
        self.pm2.kill()
        self.ask("critical", "pm2_killed", f"its pid file names process {self.pm2.process.pid}, which is gone", home=self.home)
        self.pm2.socket.unlink()  # of the one that was killed
        self.pm2.start()
        self.pm2.socket.unlink()
        self.ask("critical", "pm2_unreachable", f"pm2 runs as process {self.pm2.process.pid}, but there is no socket",
                 home=self.home)
        self.pm2.stop()
        report = self.ask("critical", "pm2_not_running", "pm2 is not running", home=self.home)
        self.assertIn("pm2 resurrect", report["remedy"])
        self.assertFalse(self.pm2.socket.exists(), "nobody may have started a pm2")


class WireTest(Pm2Test):
    """A peer of our own in pm2's place: a frame that pm2 cannot read restarts every app."""

    def serve(self, answer):
        folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="vitald-pm2-")))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / "rpc.sock"))
        listener.listen()
        listener.settimeout(30)
        heard = []

        def talk():
            client, _ = listener.accept()
            with client:
                client.settimeout(30)
                said = client.recv(65536)
                client.sendall(answer)
                while answer:  # until the other side has gone: whatever else it says is heard
                    more = client.recv(65536)
                    if not more:
                        break
                    said += more
                heard.append(said)

        thread = threading.Thread(target=talk)
        thread.start()
        self.addCleanup(listener.close)
        self.addCleanup(thread.join)
        return str(folder), thread, heard

    def test_the_one_request_is_all_that_is_ever_sent(self):
        reply = b'j:{"args":[[]]}'
        whole = b"\x12" + len(reply).to_bytes(4, "big") + reply + b"\0\0\0\x05s:v:0"
        for answer, reason in ((whole, "no_apps"), (b"HTTP/1.1 400 No\r\n\r\n", "bad_reply"), (b"", "closed_early"),
                               (b"\x12\xff\xff\xff\xff", "bad_reply"), (b"\x11\0\0\0\x03j:{", "bad_reply")):
            home, thread, heard = self.serve(answer)
            self.ask("critical", reason, home=home)
            thread.join()
            self.assertEqual(heard, [REQUEST])


if __name__ == "__main__":
    unittest.main()
