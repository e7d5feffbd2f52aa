# time-out: 600
"""The s3 probe against a server that verifies signatures, which is verified itself against the published answers."""

import json
import shutil
import subprocess
import tempfile
import unittest
from datetime import timedelta
from pathlib import Path

from support import Authority, Daemon, ReportTest, free_port, run_alone, sample, vitald_binary, wait_until
from support.one_run import evidence
from support.s3_server import S3Server, signature
from support.silent import Silent

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class PublishedAnswersTest(unittest.TestCase):
    """Amazon's own examples (S3 API reference, Signature Calculations for the Authorization Header)."""

    def answer(self, path, query, **headers):
        headers |= {"host": "examplebucket.s3.amazonaws.com", "x-amz-date": "20130524T000000Z",
                    "x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
        return signature(SECRET, "GET", path, query, headers, sorted(headers), "20130524/us-east-1/s3/aws4_request")

    def test_the_server_knows_them(self):
        self.assertEqual(self.answer("/test.txt", [], range="bytes=0-9"),
                         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
        self.assertEqual(self.answer("/", [("lifecycle", "")]),
                         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        self.assertEqual(self.answer("/", [("max-keys", "2"), ("prefix", "J")]),
                         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")


class S3Test(ReportTest):
    def setUp(self):
        self.serve()

    def serve(self, **how):
        self.server = S3Server({KEY: SECRET}, **how)
        self.addCleanup(self.server.close)
        self.server.bucket("abrm-backups")

    def nightly(self, nights, prefix="core_db/", size=10 << 20):
        for night in range(nights):
            self.server.put("abrm-backups", f"{prefix}{1000 - night}.sql.gz", size, timedelta(hours=3, days=night))

    def probe(self, binary=None, **check):
        check = {"probe": "s3", "endpoint": self.server.endpoint(), "bucket": "abrm-backups", "access_key": KEY,
                 "secret_key": SECRET, **check}
        return run_alone({name: value for name, value in check.items() if value is not None}, secret=SECRET,
                         binary=binary)[0]

    def assert_report(self, report, verdict, reason, words):
        super().assert_report(report, verdict, reason, words)
        if verdict == "unknown":
            self.assertTrue(report["remedy"], report)

    def test_a_good_bucket(self):
        self.nightly(31)
        report = self.probe(prefix="core_db/", matching="*.sql.gz", keep=30, minimum_size="1MiB", delete_after="35d")
        self.assert_report(report, "ok", "", "1000.sql.gz, 3 h( .*)? old, 10 MiB; 31 backups in all")
        self.assertEqual(sample(report, "kept"), 31)
        self.assertEqual(sample(report, "size"), 10 << 20)
        self.assertEqual(sample(report, "shrink"), 0)
        self.assertEqual(sample(report, "missing"), 0)
        self.assertEqual(sample(report, "outlived"), 0)
        self.assertIn("core_db/999.sql.gz: 10 MiB, 1 d 3 h old", evidence(report, "backups"))

    def test_the_newest_is_on_any_page(self):
        self.server.page_size = 7
        self.nightly(30)
        self.server.put("abrm-backups", "core_db/0 +ä&=%2F.sql.gz", 10 << 20, timedelta(hours=1))
        self.server.put("abrm-backups", "zzz", 10 << 20, timedelta())
        report = self.probe(prefix="core_db/")
        self.assert_report(report, "ok", "", r"0 \+ä&=%2F.sql.gz, 1 h( .*)? old")
        self.assertEqual(sample(report, "kept"), 31)
        self.assertEqual(len(self.server.requests), 5)

    def test_too_many_pages(self):
        self.server.page_size = 1
        self.nightly(22)
        self.assert_report(self.probe(), "unknown", "too_many_objects", "more than 20 objects")
        self.assertEqual(len(self.server.requests), 20)

    def test_a_big_page(self):
        self.nightly(1000)
        self.assertEqual(sample(self.probe(), "kept"), 1000)

    def test_stale(self):
        self.server.put("abrm-backups", "core_db/1.sql.gz", age=timedelta(hours=30))
        self.assert_report(self.probe(), "warning", "", "1.sql.gz")
        self.server.put("abrm-backups", "core_db/1.sql.gz", age=timedelta(hours=51))
        self.assert_report(self.probe(), "critical", "", "1.sql.gz")

    def test_shrunken(self):
        self.nightly(5)
        self.server.put("abrm-backups", "core_db/1000.sql.gz", 4 << 20, timedelta(hours=1))
        report = self.probe()
        self.assertEqual(report["verdict"], "warning", report)
        self.assertAlmostEqual(sample(report, "shrink"), 0.6)

    def test_few_and_old(self):
        self.nightly(12)
        self.assertEqual(self.probe(keep=30)["verdict"], "warning")
        self.server.put("abrm-backups", "core_db/0.sql.gz", 10 << 20, timedelta(days=40))
        self.assertEqual(self.probe(delete_after="30d")["verdict"], "warning")
        self.assertEqual(self.probe()["verdict"], "ok")

    def test_nothing_there(self):
        self.assert_report(self.probe(), "critical", "no_object", "no object is in bucket abrm-backups")
        self.nightly(1)
        self.assert_report(self.probe(prefix="punchlist/"), "critical", "no_object", "in punchlist/ in bucket")
        self.assert_report(self.probe(matching="*.dump"), "critical", "no_object", r"matches \*.dump .*, but 1 other object")

    def test_empty_and_small(self):
        self.server.put("abrm-backups", "a.gz", 0)
        self.assert_report(self.probe(), "critical", "empty", "is empty")
        self.server.put("abrm-backups", "a.gz", 100)
        self.assert_report(self.probe(minimum_size="1MiB"), "critical", "too_small", "100 B, expected at least 1 MiB")

    def test_no_bucket(self):
        self.assert_report(self.probe(bucket="abrm-backup"), "critical", "no_bucket", "no bucket of that name")

    def test_keys(self):
        self.nightly(1)
        self.assert_report(self.probe(secret_key="another"), "unknown", "wrong_key", "secret key")
        self.assert_report(self.probe(access_key="AKIAANOTHER"), "unknown", "wrong_key", "access key")
        self.assert_report(self.probe(access_key=None, secret_key=None), "unknown", "access_denied", "without a key")
        self.server.public.add("abrm-backups")
        self.assert_report(self.probe(access_key=None, secret_key=None), "ok", "", "1000.sql.gz")

    def test_temporary_keys(self):
        self.nightly(1)
        self.server.token = "session/token+=="
        self.assert_report(self.probe(), "unknown", "access_denied", "does not let")
        self.assert_report(self.probe(session_token="session/token+=="), "ok", "", "1000.sql.gz")

    def test_clocks_apart(self):
        self.nightly(1)
        self.server.ahead = timedelta(minutes=17)
        self.assert_report(self.probe(), "unknown", "clock_skew", "another time than this host")

    def test_another_region(self):
        self.nightly(1)
        self.assert_report(self.probe(region="eu-west-1"), "unknown", "wrong_region", "region")
        self.server.fail_with = "PermanentRedirect"
        self.assert_report(self.probe(), "unknown", "wrong_region", "in region eu-west-1, not in us-east-1")

    def test_the_servers_own_trouble(self):
        self.server.fail_with = "SlowDown"
        self.assert_report(self.probe(), "critical", "slow_down", "fewer requests")
        self.server.fail_with = "InternalError"
        self.assert_report(self.probe(), "critical", "server_error", "error of its own")
        self.server.html = "<html>MinIO Console</html>"
        self.assert_report(self.probe(), "critical", "bad_answer", "is no answer of S3")

    def test_versioning(self):
        self.server.bucket("uploads", versioning="Enabled")
        only = {"bucket": "uploads", "versioning": "required", "listing": False}
        self.assert_report(self.probe(**only), "ok", "", "keeps versions")
        self.server.versioning["uploads"] = "Suspended"
        self.assert_report(self.probe(**only), "critical", "versioning_off", "suspended")
        self.server.versioning["uploads"] = ""
        self.assert_report(self.probe(**only), "critical", "versioning_off", "is off")
        self.server.put("uploads", "a")
        report = self.probe(**{**only, "listing": True})
        self.assert_report(report, "critical", "versioning_off", "is off")
        self.assertEqual(sample(report, "kept"), 1)

    def knows_host(self, name):
        """A daemon in whose /etc/hosts the name is that of this host: in a mount namespace of its own."""
        folder = Path(tempfile.mkdtemp(prefix="vitald-hosts-"))
        self.addCleanup(shutil.rmtree, folder)
        (folder / "hosts").write_text(f"127.0.0.1 {name}\n", encoding="ascii")
        script = folder / "vitald"
        script.write_text(f"#!/bin/sh\nexec unshare -m sh -c 'mount --bind {folder}/hosts /etc/hosts && exec \"$@\"' "
                          f"sh {vitald_binary()} \"$@\"\n", encoding="ascii")
        script.chmod(0o755)
        tried = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            self.skipTest(f"no mount namespace is to be had: {tried.stderr.strip()}")
        return script

    def test_virtual_style(self):
        self.nightly(3)
        report = self.probe(endpoint=self.server.endpoint("s3.test"), style="virtual", prefix="core_db/",
                            binary=self.knows_host("abrm-backups.s3.test"))
        self.assert_report(report, "ok", "", "1000.sql.gz")
        self.assertTrue(self.server.requests[0].startswith("/?"), self.server.requests)

    def test_over_tls(self):
        with Authority() as authority:
            self.serve(certificate=authority.issue("127.0.0.1"))
            self.nightly(1)
            self.assert_report(self.probe(tls={"ca_file": str(authority.file)}), "ok", "", "1000.sql.gz")
            self.assertRegex(self.probe()["reason"], "^tls_")

    def test_nobody_there(self):
        report = self.probe(endpoint=f"http://127.0.0.1:{free_port()}")
        self.assert_report(report, "critical", "connect_refused", "connection refused")
        silent = Silent()
        self.addCleanup(silent.close)
        report = self.probe(endpoint=f"http://127.0.0.1:{silent.port}", timeout="1s")
        self.assert_report(report, "critical", "timeout", "no answer within 1 s")

    def test_the_daemon_remembers_the_sizes_of_one_that_is_overwritten(self):
        check = {"probe": "s3", "endpoint": self.server.endpoint(), "bucket": "abrm-backups", "access_key": KEY,
                 "secret_key": SECRET, "every": "1s"}

        def figure(name):
            return next((value for series, value in daemon.metrics().items() if series.startswith(name + "{")), None)

        with Daemon({"dump": check}) as daemon:
            for night, size in enumerate((100_000, 100_001, 100_002, 30_000)):
                self.server.put("abrm-backups", "latest.gz", size, timedelta(hours=20 - night))
                wait_until(lambda: figure("vitald_s3_size_bytes") == size, f"the daemon to see {size} bytes")
            self.assertAlmostEqual(figure("vitald_s3_shrink_ratio"), 0.7, places=2)
            report = json.loads(daemon.command("probe", "dump", "--json").stdout)
        self.assertEqual(report["verdict"], "warning", report)
        self.assertIn("is 70 % smaller than usual", json.dumps(report))


if __name__ == "__main__":
    unittest.main()
