# time-out: 300
"""The supervisor probe against a real supervisord: every state of a program, some and all of a group, restarts, passwords,
and supervisord itself ended, killed and hanging."""

import json
import os
import signal
import subprocess
import unittest

from support import Daemon, run_alone, sample, wait_until
from support.one_run import evidence
from support.supervisor import Supervisor

PASSWORD = "with: colon and blanks"
SLEEP = "sleep 100000"


class SupervisorTest(unittest.TestCase):
    def ask(self, expected, reason="", words="", **check):
        report, _ = run_alone({"probe": "supervisor", **check}, secret=PASSWORD)
        self.assertEqual((report["verdict"], report.get("reason", "")), (expected, reason), report)
        if words:
            self.assertRegex(report["why"], words)
        return report


class ProgramsTest(SupervisorTest):
    @classmethod
    def setUpClass(cls):
        cls.supervisor = Supervisor(
            web=SLEEP,
            worker={"command": SLEEP, "numprocs": 3, "process_name": "%(program_name)s_%(process_num)02d"},
            broken={"command": "sh -c 'echo PDOException: the database is gone >&2; exit 3'", "startretries": 1},
            verbose={"command": "sh -c 'yes Bağlantı | head -c 20000 >&2; echo >&2; exit 3'", "startretries": 0},
            merged={"command": "sh -c 'echo said on standard error >&2; exit 3'", "startretries": 0,
                    "redirect_stderr": "true"},
            absent={"command": "/no/such/program", "startretries": 0},
            once={"command": "sh -c 'sleep 0.2'", "startsecs": 0, "autorestart": "false"},
            failed={"command": "sh -c 'sleep 0.2; exit 7'", "startsecs": 0, "autorestart": "unexpected", "exitcodes": "7"},
            slow={"command": SLEEP, "startsecs": 3600},
            manual={"command": SLEEP, "autostart": "false"},
            looping={"command": "sh -c 'sleep 0.3; echo out of luck >&2; exit 1'", "startsecs": 0, "autorestart": "true"})
        cls.addClassCleanup(cls.supervisor.close)
        cls.supervisor.start()
        for name, state in (("web", "RUNNING"), ("worker:worker_02", "RUNNING"), ("broken", "FATAL"), ("merged", "FATAL"),
                            ("absent", "FATAL"), ("verbose", "FATAL"), ("once", "EXITED"), ("failed", "EXITED"), ("slow", "STARTING")):
            cls.supervisor.wait_for(name, state)

    def setUp(self):
        self.socket = str(self.supervisor.socket)

    def test_a_group_that_runs(self):
        report = self.ask("ok", words="3 of 3 programs running, the last started", programs="worker:*", socket=self.socket)
        self.assertEqual(sample(report, "running"), 3)
        self.assertEqual(sample(report, "not_running"), 0)
        self.assertEqual(sample(report, "restarts"), 0)
        self.assertIsNotNone(sample(report, "uptime"))

    def test_over_http(self):
        self.ask("ok", words="1 of 1 program running", programs="web", url=self.supervisor.url)

    def test_one_of_a_group_down_and_then_all(self):
        self.addCleanup(self.supervisor.ctl, "start", "worker:*")
        self.supervisor.ctl("stop", "worker:worker_01")
        report = self.ask("warning", words="worker:worker_01 is STOPPED; 2 of 3 running", programs="worker", socket=self.socket)
        self.assertEqual(sample(report, "not_running"), 1)
        self.supervisor.ctl("stop", "worker:*")
        report = self.ask("critical", "stopped", "none of the 3 of worker is running", programs="worker:*", socket=self.socket)
        self.assertIn("supervisorctl restart worker:*", report["remedy"])

    def test_fatal_with_what_it_wrote(self):
        report = self.ask("critical", "fatal", "broken is FATAL: Exited too quickly", programs="broken", socket=self.socket)
        self.assertIn("PDOException: the database is gone", evidence(report, "output of broken"))
        report = self.ask("critical", "fatal", programs="merged", socket=self.socket)
        self.assertIn("said on standard error", evidence(report, "output of merged"))
        report = self.ask("critical", "fatal", programs="verbose", socket=self.socket)
        self.assertIn("Bağlantı\n", evidence(report, "output of verbose"))
        self.ask("critical", "fatal", "absent is FATAL: can't find command", programs="absent", socket=self.socket)

    def test_exited(self):
        self.ask("critical", "exited", "failed is EXITED with status 7", programs="failed", socket=self.socket)
        self.ask("critical", "exited", "once is EXITED with status 0", programs="once", socket=self.socket)

    def test_never_started(self):
        self.ask("critical", "stopped", "manual is STOPPED, never started", programs="manual", socket=self.socket)

    def test_starting_for_too_long(self):
        self.ask("ok", words="0 of 1 program running", programs="slow", socket=self.socket)
        with Daemon({"it": {"probe": "supervisor", "programs": "slow", "socket": self.socket, "every": "200ms",
                            "grace": "500ms", "confirm": {"failures": 1}}}) as daemon:
            wait_until(lambda: daemon.json("/api/v1/checks")["checks"][0].get("verdict") == "critical",
                       lambda: f"it to have lasted: {daemon.json('/api/v1/checks')}", 30)
            self.assertIn("slow is STARTING for", json.dumps(daemon.json("/api/v1/checks")))

    def test_all_programs_but_those_that_nobody_expects_to_run(self):
        report = self.ask("critical", "fatal", socket=self.socket)
        self.assertIsNone(sample(report, "running", group="manual"))
        self.assertIsNone(sample(report, "running", group="once"))
        self.ask("ok", words="4 of 4 programs running", socket=self.socket,
                 exclude=["broken", "verbose", "merged", "absent", "failed", "slow", "looping"])

    def test_a_program_that_is_not_there(self):
        self.ask("critical", "program_missing", "supervisord has no program mail:.*; it has .*web", programs="mail:*",
                 socket=self.socket)

    def test_a_program_that_looks_well_and_restarts_all_the_time(self):
        check = {"probe": "supervisor", "programs": "looping", "socket": self.socket, "every": "300ms",
                 "confirm": {"failures": 1}, "limits": {"not_running": {"warning": 100},
                                                        "restarts": {"warning": "2 per 1m", "critical": "4 per 1m"}}}
        with Daemon({"looping": check}) as daemon:
            def settled():
                row = daemon.json("/api/v1/checks")["checks"][0]
                return row if row.get("verdict") == "critical" and "restarts" in row.get("why", "") else None
            row = wait_until(settled, lambda: f"the restarts to be noticed: {daemon.json('/api/v1/checks')}", 60)
        self.assertIn("out of luck", json.dumps(row))

    @unittest.skipUnless(os.geteuid() == 0, "it takes root to become somebody else")
    def test_somebody_who_may_not_connect(self):
        daemon = Daemon({"it": {"probe": "supervisor", "socket": self.socket}})
        self.addCleanup(daemon.close)
        for folder in (self.supervisor.folder, daemon.folder):
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
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", f"denied:{self.socket}"), report)
        self.assertIn("chown=root:vitald", report["remedy"])


class SupervisordTest(SupervisorTest):
    def test_user_and_password(self):
        with Supervisor(login=("vitald", PASSWORD), web=SLEEP) as supervisor:
            supervisor.wait_for("web", "RUNNING")
            socket = str(supervisor.socket)
            self.ask("ok", words="1 of 1 program running", socket=socket, user="vitald", password=PASSWORD)
            self.ask("ok", words="1 of 1 program running", url=supervisor.url, user="vitald", password=PASSWORD)
            self.ask("unknown", "no_password", "wants a user and a password", socket=socket)
            self.ask("unknown", "wrong_password", "does not take", socket=socket, user="vitald", password="another")

    def test_hanging_ending_killed_and_gone(self):
        stubborn = {"command": "python3 -c 'import signal, time; signal.signal(15, lambda *_: None); time.sleep(1000)'",
                    "stopwaitsecs": 600, "startsecs": 2}
        with Supervisor(web=stubborn) as supervisor:
            socket = str(supervisor.socket)
            supervisor.wait_for("web", "RUNNING")
            supervisor.process.send_signal(signal.SIGSTOP)
            self.ask("critical", "timeout", "no answer within 1 s", socket=socket, timeout="1s")
            supervisor.process.send_signal(signal.SIGCONT)
            self.ask("ok", socket=socket)
            supervisor.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "SHUTDOWN_STATE" in supervisor.ctl("status") or not supervisor.socket.exists(),
                       "supervisord to begin to end")
            self.ask("critical", "shutting_down", "supervisord is shutting down", socket=socket)
            supervisor.kill()
            self.ask("critical", "supervisord_not_running", "nobody listens", socket=socket)
            supervisor.socket.unlink()
            report = self.ask("critical", "supervisord_not_running", "there is no socket", socket=socket)
            self.assertIn("systemctl start supervisor", report["remedy"])
            self.ask("critical", "connect_refused", url=supervisor.url)


if __name__ == "__main__":
    unittest.main()
