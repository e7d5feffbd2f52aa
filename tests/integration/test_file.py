"""The file probe: a crontab as the real daemon sees it, changed while it looks."""

import hashlib
import tempfile
import unittest
from pathlib import Path

from support import Daemon, run_alone, sample, wait_until

GOOD = "# php is for the panel\n* * * * * cd /srv/app && php82 artisan schedule:run >> /dev/null 2>&1\n"


class FileTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vitald-file-")
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "crontab"

    def ask(self, **more):
        return run_alone({"probe": "file", "file": str(self.file), **more})[0]

    def crontab(self):
        return self.ask(comment="#", contains="artisan schedule:run", must_not_contain=r"(^|[\s;&|/])php\s")

    def assert_report(self, report, verdict, reason, words):
        self.assertEqual((report["verdict"], report.get("reason", "")), (verdict, reason), report)
        self.assertIn(words, report["summary"])

    def test_crontab(self):
        self.assert_report(self.crontab(), "critical", "missing", "does not exist")
        self.file.write_text(GOOD, encoding="utf-8")
        self.assert_report(self.crontab(), "ok", "", "as it should be")
        self.file.write_text(GOOD + "0 3 * * * cd /srv/app && php artisan backup:run\n", encoding="utf-8")
        self.assert_report(self.crontab(), "critical", "forbidden_line",
                           f"line 3 of {self.file} must not be there: 0 3 * * * cd /srv/app && php artisan backup:run")
        self.file.write_text("#" + GOOD.splitlines()[1] + "\n", encoding="utf-8")
        self.assert_report(self.crontab(), "critical", "line_missing", "schedule:run")

    def test_mode_and_checksum(self):
        self.file.write_bytes(b"secret\n" * 100_000)
        self.file.chmod(0o644)
        digest = hashlib.sha256(self.file.read_bytes()).hexdigest()
        self.assert_report(self.ask(mode_at_most="0600"), "critical", "wrong_mode", "has mode 0644, at most 0600 is allowed")
        self.file.chmod(0o400)
        report = self.ask(mode_at_most="0600", sha256=digest)
        self.assert_report(report, "ok", "", "as it should be")
        self.assertEqual(sample(report, "size"), 700_000)
        self.assert_report(self.ask(sha256="0" * 64), "critical", "wrong_checksum", digest[:12])

    def test_a_change_is_told(self):
        self.file.write_text(GOOD, encoding="utf-8")
        check = {"probe": "file", "file": str(self.file), "contains": ".", "every": "200ms", "timeout": "5s",
                 "limits": {"changes": {"warning": 1}}}
        with Daemon({"it": check}) as daemon:
            status = 'vitald_check_status{check="it",probe="file"}'
            wait_until(lambda: daemon.metrics().get(status) == 0, "the first run")
            self.file.write_text(GOOD + GOOD, encoding="utf-8")
            wait_until(lambda: daemon.metrics().get(status) == 1, lambda: f"a warning; {daemon.log()[-2000:]}")


if __name__ == "__main__":
    unittest.main()
