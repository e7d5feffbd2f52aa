"""One run of one check, and how to read what it found."""

import json
import unittest

from .daemon import Daemon


def run_alone(check, secret=None, **how):
    """What one run of the check on its own finds (`vitald probe --local --json`), and the exit status. `secret` must stand
    nowhere in it; `how` goes to Daemon."""
    daemon = Daemon({"it": check}, **how)
    try:
        done = daemon.command("probe", "it", "--local", "--json")
        if not done.stdout.strip():
            raise AssertionError(f"nothing was printed, exit status {done.returncode}: {done.stderr}")
        if secret and secret in done.stdout:
            raise AssertionError(f"the secret is in the output: {done.stdout}")
        return json.loads(done.stdout), done.returncode
    finally:
        daemon.close()


def sample(report, name, **labels):
    """The value of the sample of that name and those labels, or None."""
    return next((each["value"] for each in report.get("samples", [])
                 if each["name"] == name and each.get("labels", {}) == labels), None)


class ReportTest(unittest.TestCase):
    """Tests that look at reports."""

    def assert_report(self, report, verdict, reason, words):
        """`words` is a regular expression that the summary fits."""
        self.assertEqual((report["verdict"], report.get("reason", "")), (verdict, reason), report)
        self.assertRegex(report["summary"], words)
