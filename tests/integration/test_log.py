# time-out: 240
"""The log probe: the real daemon follows a log while the real logrotate rotates it, is killed and comes back; and what it
says of rotations that do not happen and of logs that it may not read."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import Daemon, Receiver, run_alone, sample, wait_until
from support.logrotate import Logrotate

STYLES = {
    "rename": ("rotate 9", "create", "nocompress"),
    "rename and compress": ("rotate 9", "create", "compress"),
    "rename and compress later": ("rotate 9", "create", "compress", "delaycompress"),
    "by date": ("rotate 9", "create", "dateext", "dateformat -%Y%m%d-%s", "compress"),
    "copytruncate": ("rotate 9", "copytruncate", "nocompress"),
    "copytruncate and compress": ("rotate 9", "copytruncate", "compress"),
    "nocreate": ("rotate 9", "nocreate", "compress", "delaycompress"),
}


class Writer:
    """Numbers its lines; every third one is an error."""

    def __init__(self, path):
        self.path = path
        self.count = 0
        self.errors = 0

    def write(self, lines):
        with self.path.open("a", encoding="utf-8") as log:
            for _ in range(lines):
                self.count += 1
                bad = self.count % 3 == 0
                self.errors += bad
                log.write(f"[2026-11-28 02:13:{self.count % 60:02}] production.{'ERROR' if bad else 'INFO'}: job {self.count} "
                          f"{'failed' if bad else 'is done'}\n#0 /srv/app/artisan(37)\n")


class LogTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vitald-log-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.folder.chmod(0o755)
        self.log = self.folder / "laravel.log"

    def check(self, **more):
        return {"probe": "log", "file": str(self.log), "match": r"\.ERROR:", "every": "200ms", "timeout": "5s", **more}


class RotationTest(LogTest):
    def daemon(self, **more):
        daemon = Daemon({"app": self.check(**more)})
        self.addCleanup(daemon.close)
        return daemon.start()

    def wait_for_lines(self, daemon, writer):
        """Until all lines are read; two for each that was numbered."""
        name = 'vitald_log_lines_total{check="app",probe="log"}'
        wait_until(lambda: daemon.metrics().get(name) == 2 * writer.count,
                   lambda: f"{2 * writer.count} lines; there are {daemon.metrics().get(name)}; {daemon.log()[-2000:]}")

    def matches(self, daemon):
        return daemon.metrics()['vitald_log_matches_total{check="app",probe="log"}']

    def rotate_in_style(self, words):
        writer = Writer(self.log)
        rotate = Logrotate(self.folder, self.log, *words).rotate
        self.log.touch()
        with Daemon({"app": self.check()}) as daemon:
            wait_until(lambda: 'vitald_log_lines_total{check="app",probe="log"}' in daemon.metrics(), "the first run")
            for turn in range(4):
                writer.write(7)
                rotate()
                writer.write(5)
                if turn == 1:
                    rotate()  # twice between two runs, or nearly so
                    writer.write(3)
                self.wait_for_lines(daemon, writer)
            self.assertEqual(self.matches(daemon), writer.errors)

    def test_every_style_of_logrotate(self):
        for style, words in STYLES.items():
            with self.subTest(style):
                for left in self.folder.iterdir():
                    left.unlink()
                self.rotate_in_style(words)

    def test_rotated_while_vitald_is_down(self):
        writer = Writer(self.log)
        rotate = Logrotate(self.folder, self.log, *STYLES["rename and compress"]).rotate
        writer.write(3)
        daemon = self.daemon(limits={"matches": {"warning": "100 per 1h"}})
        wait_until(lambda: 'vitald_log_lines_total{check="app",probe="log"}' in daemon.metrics(), "the first run")
        begin = writer.count
        writer.write(10)
        name = 'vitald_log_lines_total{check="app",probe="log"}'
        wait_until(lambda: daemon.metrics().get(name) == 2 * (writer.count - begin), "the first lines")
        self.assertEqual(daemon.stop(), 0)
        writer.write(10)
        rotate()
        writer.write(10)
        rotate()
        writer.write(10)
        daemon.start()
        wait_until(lambda: daemon.metrics().get(name) == 2 * (writer.count - begin),
                   lambda: f"the rest; there are {daemon.metrics().get(name)} of {2 * (writer.count - begin)}")

    def test_killed_in_between_no_error_is_told_twice_or_lost(self):
        with Receiver() as receiver:
            self.log.touch()
            rotate = Logrotate(self.folder, self.log, *STYLES["copytruncate and compress"]).rotate
            daemon = Daemon({"app": self.check(limits={"matches": {"critical": 1}}, hold="1s", recover={"successes": 1})},
                            receivers={"hook": {"webhook": {"url": receiver.webhook_url}}},
                            escalations={"P2": [{"notify": ["hook"]}]})
            self.addCleanup(daemon.close)
            daemon.start()
            wait_until(lambda: 'vitald_log_lines_total{check="app",probe="log"}' in daemon.metrics(), "the first run")
            for number in range(1, 3):  # the third of a day would be held open for a while
                with self.log.open("a", encoding="utf-8") as log:
                    log.write(f"[x] production.ERROR: order {number * 1000} failed\n")
                rotate()
                wait_until(lambda: len(self.told(receiver, "recovery")) == number, lambda: f"recovery {number}: {daemon.log()[-2000:]}")
                self.assertIn(f"order {number * 1000} failed", str(self.told(receiver, "problem")[-1]))
                daemon.kill()
                daemon.start()
            self.assertEqual([len(self.told(receiver, kind)) for kind in ("problem", "recovery")], [2, 2])

    def told(self, receiver, kind):
        """One for each message: a kill may have it sent once more, with the same id."""
        messages = {message["id"]: message for message in (request.json() for request in receiver.requests("/hook"))}
        return [message for message in messages.values() if message["kind"] == kind]


class VerdictTest(LogTest):
    def test_evidence_has_each_kind_of_line_once(self):
        self.log.write_text("".join(f"production.ERROR: user {i} has no card\n" for i in range(20))
                            + "production.ERROR: disk full\n", encoding="utf-8")
        report, status = run_alone(self.check(**{"from": "start"}))
        self.assertEqual((report["verdict"], status, sample(report, "matches")), ("warning", 1, 21), report)
        shown = [(each["label"], each["text"]) for each in report["evidence"]]
        self.assertEqual(shown[:2], [("20 times", "production.ERROR: user 19 has no card"),
                                     ("1 time", "production.ERROR: disk full")])

    def test_size_and_rotation(self):
        self.log.write_text("x" * 5000 + "\n", encoding="utf-8")
        check = {"probe": "log", "file": str(self.log), "rotated": {"within": "25h"}, "limits": {"size": {"critical": "4KiB"}}}
        report, _ = run_alone(check)
        self.assertEqual(report["verdict"], "critical", report)
        self.assertIn(f"{self.log} is 4.9 KiB", json_text(report))
        Logrotate(self.folder, self.log, *STYLES["rename and compress"]).rotate()
        self.log.write_text("x\n", encoding="utf-8")
        report, status = run_alone(check)
        self.assertEqual((report["verdict"], status), ("ok", 0), report)
        check["rotated"]["within"] = "1ms"
        report, _ = run_alone(check)
        self.assertEqual((report["verdict"], report["reason"]), ("critical", "not_rotated"), report)
        self.assertIn("logrotate", report["remedy"])

    def test_a_log_that_is_not_there(self):
        report, status = run_alone(self.check())
        self.assertEqual((report["verdict"], report["reason"], status), ("unknown", f"missing:{self.log}", 3), report)

    @unittest.skipUnless(os.geteuid() == 0, "it takes root to become somebody who may not read a log")
    def test_a_log_that_it_may_not_read(self):
        self.log.write_text("production.ERROR: x\n", encoding="utf-8")
        self.log.chmod(0o600)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        if subprocess.run([*nobody, "true"], check=False, stdin=subprocess.DEVNULL).returncode != 0:
            self.skipTest("setpriv cannot change the user here")
        daemon = Daemon({"it": self.check()}, wrapper=nobody)
        self.addCleanup(daemon.close)
        for path in (daemon.folder, daemon.state, daemon.runtime, daemon.file):
            os.chown(path, 65534, 65534)
        done = subprocess.run([*nobody, str(daemon.binary), "probe", "it", "--local", "--json", "--config", str(daemon.file)],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=60)
        self.assertIn(f"denied:{self.log}", done.stdout, done.stderr)
        self.assertIn("setfacl -m u:vitald:r", done.stdout)


def json_text(report):
    return " ".join(str(value) for value in report.values())


if __name__ == "__main__":
    unittest.main()
