"""The postgres probe against servers that only look like one."""
# time-out: 300

import os
import unittest

from support import Authority
from support.one_run import Run
from support.rogue_postgres import LET_IN, WANT_CLEAR, WANT_MD5, WANT_SCRAM, RoguePostgres, message, row

NAME = "db.example.com"
PASSWORD = "correct horse"
LOGIN = {"probe": "postgres", "user": "vitald", "password": PASSWORD, "database": "shop"}


class RogueTest(unittest.TestCase):
    MIB = 1 << 20

    def serve(self, *words, **keys):
        rogue = RoguePostgres(*words, **keys)
        self.addCleanup(rogue.close)
        return rogue

    def check(self, rogue, **more):
        # The address sanitizer keeps 256 MiB of freed memory, which is not what is measured here.
        sanitizer = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"}
        return Run({**LOGIN, "address": rogue.address, "timeout": "2s", **more}, sanitizer).result()

    def assert_reason(self, report, verdict, reason, words):
        self.assertEqual((report["verdict"], report.get("reason")), (verdict, reason), report)
        self.assertRegex(report["summary"], words)

    def authority(self):
        authority = Authority()
        self.addCleanup(authority.close)
        return authority

    def test_never_answers(self):
        report, _ = self.check(self.serve(silent=True))
        self.assert_reason(report, "critical", "timeout", "no completed login within 2 s")

    def test_promises_tls_and_stalls(self):
        rogue = self.serve(tls="stall")
        report, _ = self.check(rogue, tls=True)
        self.assert_reason(report, "critical", "timeout", "connected, but no TLS handshake within 2 s")

    def test_is_something_else(self):
        report, _ = self.check(self.serve(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        self.assert_reason(report, "critical", "not_postgres", "is not PostgreSQL")

    def test_memory_stays_bounded(self):
        _, usual = self.check(self.serve(LET_IN, b""), query="SELECT 1 AS x")
        endless = {"rows": row(b"x" * 100) * 1000, "notices": message(b"N", b"SERROR\0C00000\0Mhello\0\0") * 1000,
                   "a huge row": b"D" + (120 * self.MIB).to_bytes(4, "big") + b"\0\1" + b"x" * self.MIB}
        for name, forever in endless.items():
            report, memory = self.check(self.serve(LET_IN, forever), query="SELECT 1 AS x", max_rows=10)
            with self.subTest(name):
                self.assertLess(memory - usual, 48 * self.MIB, report)
                if name == "rows":
                    self.assertEqual((report["verdict"], report["summary"]), ("ok", "10 rows and more"), report)
                else:
                    self.assert_reason(report, "unknown", "answer_too_large", "larger than 1024 KiB")

    def test_a_login_without_an_end(self):
        rogue = self.serve(message(b"R", b"\0\0\0\0") + message(b"S", b"a\0" + b"b" * 1000 + b"\0") * 1000)
        report, _ = self.check(rogue)
        self.assert_reason(report, "critical", "protocol_error", "talks on and on")

    def test_a_key_derivation_without_an_end(self):
        report, _ = self.check(self.serve(WANT_SCRAM, scram_rounds=2_000_000_000))
        self.assert_reason(report, "critical", "timeout", "no completed login within 2 s")

    def test_no_password_where_tls_is_refused(self):
        rogue = self.serve(WANT_CLEAR)
        report, _ = self.check(rogue, tls=True)
        self.assert_reason(report, "critical", "tls_not_offered", "does not offer TLS")
        self.assertNotIn(PASSWORD.encode(), rogue.received)

    def test_no_password_for_a_server_that_was_not_verified(self):
        rogue = self.serve(WANT_CLEAR, tls=self.authority().issue(NAME))
        report, _ = self.check(rogue, tls={"server_name": NAME})
        self.assert_reason(report, "critical", "tls_untrusted", "not trusted")
        self.assertNotIn(b"vitald", rogue.received, "not even the name of the role")

    def test_no_readable_password_where_certificates_are_not_verified(self):
        for wanted in (WANT_CLEAR, WANT_MD5):
            rogue = self.serve(wanted, tls=self.authority().issue("other.example.com"))
            report, _ = self.check(rogue, tls={"insecure": True})
            self.assert_reason(report, "unknown", "password_not_sent", "it got none")
            self.assertIn(b"vitald", rogue.received, "it did ask")
            self.assertNotIn(PASSWORD.encode(), rogue.received)
            self.assertNotIn(b"md5", rogue.received)

    def test_without_tls_the_password_goes_as_the_server_wants_it(self):
        # As docs/probes/postgres.md warns; require_auth is not in libpq 15.
        rogue = self.serve(WANT_CLEAR)
        self.check(rogue)
        self.assertIn(PASSWORD.encode(), rogue.received)


if __name__ == "__main__":
    unittest.main()
