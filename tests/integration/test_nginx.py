"""The http and tls probes against a real nginx, and the whole road from a stopped nginx to the pages and back."""

import subprocess
import unittest
from datetime import timedelta

from support import Answer, Authority, Daemon, Nginx, Receiver, run_alone, wait_until
from support.certificates import Certificate
from support.peer import Peer

NAME = "shop.example.com"


class Endless(Peer):
    """Answers every request with a body that never ends."""

    def talk(self, connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            connection.sendall(b"never the word\n" * 1000)


class MatrixTest(unittest.TestCase):
    def setUp(self):
        self.authority = Authority()
        self.addCleanup(self.authority.close)

    def serve(self, certificate, locations='location / { return 200 "hello\\n"; }'):
        nginx = Nginx(locations, certificate).start()
        self.addCleanup(nginx.close)
        return nginx

    def tls(self, nginx, **more):
        return run_alone({"probe": "tls", "address": f"127.0.0.1:{nginx.tls_port}", "server_name": NAME,
                      "ca_file": str(self.authority.file), **more})

    def https(self, nginx, **more):
        return run_alone({"probe": "http", "url": f"https://127.0.0.1:{nginx.tls_port}/",
                      "tls": {"server_name": NAME, "ca_file": str(self.authority.file)}, **more})

    def assert_fault(self, nginx, reason, words, http_words):
        report, status = self.tls(nginx)
        self.assertEqual((report["verdict"], report["reason"], status), ("critical", reason, 2), report)
        self.assertRegex(report["summary"], words)
        report, status = self.https(nginx)
        self.assertEqual((report["verdict"], status), ("critical", 2), report)
        self.assertRegex(report["reason"] + ": " + report["summary"], http_words)

    def test_healthy(self):
        nginx = self.serve(self.authority.issue(NAME))
        report, status = self.tls(nginx)
        self.assertEqual((report["verdict"], status), ("ok", 0), report)
        days = next(sample["value"] for sample in report["samples"] if sample["name"] == "expires_in") / 86400
        self.assertTrue(89 < days <= 90, days)
        report, status = self.https(nginx, expect={"body_contains": ["hello"]})
        self.assertEqual((report["verdict"], status), ("ok", 0), report)
        self.assertIn("tls", [phase["name"] for phase in report["phases"]])

    def test_soon_to_expire(self):
        report, status = self.tls(self.serve(self.authority.issue(NAME, valid_until=timedelta(days=14))))
        self.assertEqual((report["verdict"], status), ("warning", 1), report)

    def test_wrong_name(self):
        nginx = self.serve(self.authority.issue("other.example.com"))
        self.assert_fault(nginx, "wrong_name", "other.example.com", "name")

    def test_expired(self):
        nginx = self.serve(self.authority.issue(NAME, valid_from=timedelta(days=-30), valid_until=timedelta(days=-3)))
        self.assert_fault(nginx, "certificate_expired", "expired 3 d", "expired")

    def test_not_yet_valid(self):
        nginx = self.serve(self.authority.issue(NAME, valid_from=timedelta(days=2)))
        self.assert_fault(nginx, "certificate_not_yet_valid", "valid", "valid")

    def test_untrusted(self):
        with Authority("another authority") as other:
            made = other.issue(NAME)
            with made.file.open("a", encoding="ascii") as chain:
                chain.write(other.file.read_text(encoding="ascii"))
            self.assert_fault(self.serve(made), "untrusted", "another authority", "tls_untrusted.*another authority")

    def test_self_signed(self):
        made = Certificate(self.authority.folder / "self.pem", self.authority.folder / "self.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", made.key, "-out", made.file, "-days", "30", "-subj", f"/CN={NAME}",
                        "-addext", f"subjectAltName=DNS:{NAME}"], check=True, capture_output=True)
        nginx = self.serve(made)
        self.assert_fault(nginx, "self_signed", "self-signed", "self.signed")
        report, status = self.tls(nginx, self_signed="allow")
        self.assertEqual((report["verdict"], status), ("ok", 0), report)

    def test_incomplete_chain(self):
        with Authority("an intermediate", parent=self.authority) as intermediate:
            self.assert_fault(self.serve(intermediate.issue(NAME, with_chain=False)), "chain_incomplete",
                              "does not send .*an intermediate", "tls_chain_incomplete.*an intermediate")
            report, status = self.tls(self.serve(intermediate.issue(NAME)))
            self.assertEqual((report["verdict"], status), ("ok", 0), report)
            chain = {sample["labels"]["chain"] for sample in report["samples"] if sample["name"] == "expires_in"}
            self.assertLessEqual({"leaf", "1"}, chain)

    def test_stopped(self):
        nginx = self.serve(self.authority.issue(NAME))
        nginx.stop()
        for report, status in (self.tls(nginx), self.https(nginx), run_alone({"probe": "http", "url": nginx.url})):
            self.assertEqual((report["verdict"], report["reason"], status), ("critical", "connect_refused", 2), report)

    def test_slow(self):
        upstream = Receiver()
        self.addCleanup(upstream.close)
        upstream.always("/", Answer(hang=True))
        nginx = self.serve(None, f"location / {{ proxy_pass {upstream.url}; }}\n"
                                 "    location /drip { limit_rate 64; root /usr/share; try_files /common-licenses/GPL-3 =404; }")
        for path in ("/", "/drip"):
            report, status = run_alone({"probe": "http", "url": nginx.url + path, "timeout": "500ms", "every": "1s",
                                    "expect": {"body_contains": ["END OF TERMS"]}})
            self.assertEqual((report["verdict"], report["outcome"], status), ("critical", "refused", 2), report)
            self.assertIn("timeout", report["reason"])

    def test_endless_body(self):
        endless = Endless()
        self.addCleanup(endless.close)
        nginx = self.serve(None, f"location / {{ proxy_pass http://127.0.0.1:{endless.port}; proxy_buffering off; }}")
        check = {"probe": "http", "url": nginx.url, "max_body": "64KiB", "timeout": "10s"}
        report, status = run_alone({**check, "expect": {"body_contains": ["the end"]}})
        self.assertEqual((report["verdict"], report["reason"], status), ("critical", "wrong_body", 2), report)
        self.assertIn("64 KiB", report["summary"])
        report, status = run_alone({**check, "expect": {"body_contains": ["never the word"]}})
        self.assertEqual((report["verdict"], status), ("ok", 0), report)
        size = next(sample["value"] for sample in report["samples"] if sample["name"] == "body_bytes")
        self.assertLessEqual(size, 64 * 1024)


class RoadTest(unittest.TestCase):
    """nginx is stopped and started again; Slack, PagerDuty, a webhook and the console hear of both."""

    KEY = "0123456789abcdef0123456789abcdef"

    def setUp(self):
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.nginx = Nginx().start()
        self.addCleanup(self.nginx.close)

    def daemon(self, **keys):
        check = {"probe": "http", "url": self.nginx.url, "every": "250ms", "timeout": "200ms", "severity": "P0",
                 "confirm": {"failures": 2, "spread": ["200ms"]}, "recover": {"successes": 2}}
        daemon = Daemon({"shop": check}, **keys)
        self.addCleanup(daemon.close)
        return daemon.start()

    def test_four_receivers_hear_of_problem_and_recovery(self):
        names = ["chat", "pager", "hook", "here"]
        daemon = self.daemon(
            receivers={"chat": {"slack": {"webhook": self.receiver.slack_url}},
                       "pager": {"pagerduty": {"routing_key": self.KEY, "url": self.receiver.pagerduty_url}},
                       "hook": {"webhook": {"url": self.receiver.webhook_url}}, "here": {"console": {}}},
            escalations={"P0": [{"notify": names}], "P2": [{"notify": names}]})
        wait_until(lambda: daemon.json("/api/v1/checks")["checks"][0]["runs"] >= 2, "two good runs")
        self.assertEqual(self.receiver.requests(), [], "a healthy host tells nobody anything")
        self.nginx.stop()
        for prefix in ("/slack", "/v2/enqueue", "/hook"):
            self.receiver.wait_for(1, prefix)
        wait_until(lambda: "P0 critical: shop on test-host" in daemon.log(), daemon.log)
        self.nginx.start()
        for prefix in ("/slack", "/v2/enqueue", "/hook"):
            self.receiver.wait_for(2, prefix)
        wait_until(lambda: "Recovered: shop on test-host" in daemon.log(), daemon.log)
        self.assertEqual(daemon.stop(), 0, daemon.log())

        slack = [request.json()["text"] for request in self.receiver.requests("/slack")]
        self.assertRegex(slack[0], r"^P0 critical: shop on test-host - .*refused")
        self.assertRegex(slack[1], r"^Recovered: shop on test-host - 200")
        pages = [request.json() for request in self.receiver.requests("/v2/enqueue")]
        self.assertEqual([page["event_action"] for page in pages], ["trigger", "resolve"])
        self.assertEqual(len({page["dedup_key"] for page in pages}), 1)
        self.assertEqual(pages[0]["payload"]["severity"], "critical")
        messages = [request.json() for request in self.receiver.requests("/hook")]
        self.assertEqual([message["kind"] for message in messages], ["problem", "recovery"])
        self.assertEqual(len({message["incident"] for message in messages}), 1)
        self.assertEqual(len(self.receiver.requests()), 6, "nobody hears anything twice")

    def test_the_console_alone_when_nobody_is_configured(self):
        daemon = self.daemon()
        self.nginx.stop()
        wait_until(lambda: "P0 critical: shop on test-host" in daemon.log(), daemon.log)
        self.nginx.start()
        wait_until(lambda: "Recovered: shop on test-host" in daemon.log(), daemon.log)


if __name__ == "__main__":
    unittest.main()
