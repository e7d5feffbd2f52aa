# time-out: 600
"""The expiry probe: dates, ages of files, and certificates that openssl and ssh-keygen made."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from support import Authority, Daemon, Receiver, ReportTest, run_alone, sample, wait_until
from support.one_run import evidence

DAY = 86400


def day(distance):
    """A date so many days from today, in UTC."""
    return (datetime.now(timezone.utc).date() + timedelta(days=distance)).isoformat()


class ExpiryTest(ReportTest):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-expiry-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def probe(self, *items, **options):
        return run_alone({"probe": "expiry", "items": list(items), **options})[0]

    def test_rotations(self):
        """TS-07: database 90 days, JWT 30, API keys 60, told 7 days before."""
        def secrets(jwt):
            return [{"name": "database password", "rotated": day(-20), "max_age": "90d"},
                    {"name": "JWT signing key", "rotated": day(-jwt), "max_age": "30d"},
                    {"name": "API keys", "rotated": day(-30), "max_age": "60d"}]
        report = self.probe(*secrets(10))
        self.assert_report(report, "ok", "", f"JWT signing key must be rotated by {day(20)}, in (20|21) d; 2 more later")
        self.assertGreater(sample(report, "left", item="JWT signing key"), 20 * DAY)
        self.assertLessEqual(sample(report, "left", item="JWT signing key"), 21 * DAY)
        report = self.probe(*secrets(24))
        self.assert_report(report, "warning", "", "JWT signing key must be rotated by .*, in (6|7) d")
        report = self.probe(*secrets(42))
        self.assert_report(report, "critical", "", rf"JWT signing key is 1(1|2) d( .*)? overdue: it had to be rotated by {day(-12)}")
        self.assertIn("API keys must be rotated by", evidence(report, "items"))

    def test_a_date(self):
        self.assertEqual(self.probe({"name": "domain", "on": day(60)})["verdict"], "ok")
        self.assertEqual(self.probe({"name": "domain", "on": day(3)})["verdict"], "warning")
        self.assert_report(self.probe({"name": "domain", "on": day(-3)}), "critical", "", "domain expired on .* ago")
        self.assertEqual(self.probe({"name": "domain", "on": day(-3)}, limits={"left": {"warning": "7d"}})["verdict"], "warning")

    def test_the_age_of_a_file(self):
        """VX-05: PROD_SSH_KEY younger than 90 days, told 7 days before."""
        key = self.folder / "id_ed25519"
        key.write_text("a key", encoding="ascii")
        item = {"name": "PROD_SSH_KEY", "file": str(key), "max_age": "90d"}
        for age, verdict in ((10, "ok"), (84, "warning"), (91, "critical")):
            os.utime(key, (time.time() - age * DAY,) * 2)
            self.assertEqual(self.probe(item)["verdict"], verdict, age)
        key.unlink()
        self.assert_report(self.probe(item), "critical", "missing", f"PROD_SSH_KEY: {key} is not there")

    def test_certificates_of_openssl(self):
        with Authority() as authority:
            soon = authority.issue("soon.example.com", valid_until=timedelta(days=5, hours=1))
            late = authority.issue("late.example.com", valid_until=timedelta(days=200, hours=1))
            over = authority.issue("over.example.com", valid_from=timedelta(days=-30), valid_until=timedelta(days=-2, hours=-1))
            both = self.folder / "both.pem"
            both.write_text(late.key.read_text() + late.file.read_text() + soon.file.read_text(), encoding="ascii")
            der = self.folder / "late.der"
            subprocess.run(["openssl", "x509", "-in", late.file, "-outform", "DER", "-out", der], check=True)
            for path, verdict, words in ((late.file, "ok", "in 200 d"), (der, "ok", "in 200 d"), (both, "warning", "in 5 d"),
                                         (over.file, "critical", "expired on .*, 2 d ago")):
                self.assert_report(self.probe({"name": "bank", "certificate": str(path)}), verdict, "", f"bank .*{words}")
            report = self.probe({"name": "bank", "certificate": str(both)})
            self.assertIn("soon.example.com", evidence(report, "items"))
            report = self.probe({"name": "bank", "certificate": str(late.key)}, {"name": "domain", "on": day(60)})
            self.assert_report(report, "critical", "no_certificate", "bank: .* holds no certificate")
            self.assertIsNotNone(sample(report, "left", item="domain"))

    def test_certificates_of_openssh(self):
        if not shutil.which("ssh-keygen"):
            self.skipTest("there is no ssh-keygen")
        for name in ("authority", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        for kind in ("rsa", "ecdsa"):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", self.folder / kind], check=True)
        until = date.today() + timedelta(days=11)
        for name in ("user", "rsa", "ecdsa"):
            subprocess.run(["ssh-keygen", "-q", "-s", self.folder / "authority", "-I", "deploy", "-n", "deploy",
                            "-V", f"-1d:{until:%Y%m%d}", self.folder / f"{name}.pub"], check=True)
            report = self.probe({"name": "deploy", "certificate": str(self.folder / f"{name}-cert.pub")})
            self.assert_report(report, "ok", "", "deploy expires on .*, in (9|10|11) d")
        subprocess.run(["ssh-keygen", "-q", "-s", self.folder / "authority", "-I", "x", self.folder / "user.pub"], check=True)
        report = self.probe({"name": "deploy", "certificate": str(self.folder / "user-cert.pub")})
        self.assert_report(report, "ok", "", "nothing of it ever expires")

    def test_a_mistaken_year(self):
        report = self.probe({"name": "key", "rotated": day(365), "max_age": "30d"})
        self.assert_report(report, "unknown", "future:key", "yet to come")

    def test_the_daemon_reminds_at_once(self):
        checks = {"secrets": {"probe": "expiry", "severity": {"critical": "P1", "warning": "P3"},
                              "items": [{"name": "JWT signing key", "rotated": day(-25), "max_age": "30d"}]}}
        with Receiver() as receiver:
            with Daemon(checks, receivers={"ops": {"webhook": {"url": receiver.webhook_url}}},
                        escalations={f"P{level}": [{"notify": "ops"}] for level in range(4)}):
                def told():
                    return [json.dumps(request.json()) for request in receiver.requests("/hook")]
                wait_until(lambda: any("JWT signing key must be rotated by" in text for text in told()),
                           lambda: f"a reminder; it was told {told()}", 20)
                self.assertIn("P3", told()[0])


if __name__ == "__main__":
    unittest.main()
