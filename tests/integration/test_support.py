"""The building blocks themselves: a test that stands on them must be able to trust them."""

import os
import socket
import ssl
import unittest
import urllib.error
import urllib.request
from datetime import timedelta

from support import Answer, Authority, Nginx, NotifySocket, Receiver, wait_until


def fetch(url, data=None, timeout=5):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=timeout) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


class ReceiverTest(unittest.TestCase):
    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)

    def test_records_and_answers_as_the_vendors_do(self):
        self.assertEqual(fetch(self.receiver.slack_url, b'{"text": "hi"}'), (200, "ok"))
        status, body = fetch(self.receiver.pagerduty_url, b'{"dedup_key": "k"}')
        self.assertEqual(status, 202)
        self.assertIn('"dedup_key": "k"', body)
        self.assertEqual([request.path for request in self.receiver.requests()], ["/slack", "/v2/enqueue"])
        self.assertEqual(self.receiver.requests("/slack")[0].json(), {"text": "hi"})

    def test_answers_as_planned_and_then_as_usual(self):
        self.receiver.plan("/slack", Answer(429, "wait", {"Retry-After": "2"}), Answer(drop=True))
        self.assertEqual(fetch(self.receiver.slack_url, b"{}"), (429, "wait"))
        with self.assertRaises(OSError):
            fetch(self.receiver.slack_url, b"{}")
        self.assertEqual(fetch(self.receiver.slack_url, b"{}")[0], 200)
        self.receiver.always("/hook", Answer(503, ""))
        self.assertEqual([fetch(self.receiver.webhook_url, b"")[0] for _ in range(2)], [503, 503])

    def test_hangs_until_it_is_closed(self):
        self.receiver.always("/", Answer(hang=True))
        with self.assertRaises(TimeoutError):
            fetch(self.receiver.webhook_url, b"", timeout=0.2)

    def test_waiting_in_vain_fails(self):
        with self.assertRaisesRegex(AssertionError, "1 requests to /; there are 0"):
            self.receiver.wait_for(1, deadline=0.1)


class NginxTest(unittest.TestCase):
    def setUp(self):
        self.authority = Authority()
        self.addCleanup(self.authority.close)

    def verify(self, nginx, name):
        context = ssl.create_default_context(cafile=str(self.authority.file))
        with socket.create_connection(("127.0.0.1", nginx.tls_port), 5) as plain:
            with context.wrap_socket(plain, server_hostname=name) as secure:
                return secure.getpeercert()

    def test_serves_with_good_and_bad_certificates(self):
        good = self.authority.issue("shop.example.com", "127.0.0.1")
        expired = self.authority.issue("shop.example.com", valid_from=timedelta(days=-30), valid_until=timedelta(days=-2))
        with Nginx(certificate=good) as nginx:
            self.assertEqual(fetch(nginx.url), (200, "hello\n"))
            self.assertIn(("DNS", "shop.example.com"), self.verify(nginx, "shop.example.com")["subjectAltName"])
            with self.assertRaisesRegex(ssl.SSLCertVerificationError, "Hostname mismatch"):
                self.verify(nginx, "other.example.com")
            nginx.configure("location / { return 503; }", expired)
            nginx.reload()
            self.assertEqual(fetch(nginx.url)[0], 503)
            with self.assertRaisesRegex(ssl.SSLCertVerificationError, "expired"):
                self.verify(nginx, "shop.example.com")
            nginx.stop()
            with self.assertRaises(OSError):
                fetch(nginx.url)
            nginx.start()

    def test_chains_through_an_intermediate_authority(self):
        intermediate = Authority("vitald test intermediate", parent=self.authority)
        self.addCleanup(intermediate.close)
        with Nginx(certificate=intermediate.issue("localhost")) as nginx:
            self.verify(nginx, "localhost")
        with Nginx(certificate=intermediate.issue("localhost", with_chain=False)) as nginx:
            with self.assertRaises(ssl.SSLCertVerificationError):
                self.verify(nginx, "localhost")


class NotifySocketTest(unittest.TestCase):
    def test_hears_every_message(self):
        with NotifySocket() as manager, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as service:
            service.connect(manager.environment()["NOTIFY_SOCKET"])
            service.send(b"READY=1\nSTATUS=all is well")
            manager.wait_for("READY=1")
            self.assertEqual(manager.said("STOPPING=1"), [])
            self.assertEqual(manager.environment(watchdog=2)["WATCHDOG_USEC"], "2000000")


class WaitingTest(unittest.TestCase):
    def test_gives_the_first_true_value(self):
        values = iter([None, 0, "at last"])
        self.assertEqual(wait_until(lambda: next(values), "a value"), "at last")

    def test_leaves_no_child_behind(self):
        with Nginx() as nginx:
            pid = nginx.process.pid
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)


if __name__ == "__main__":
    unittest.main()
