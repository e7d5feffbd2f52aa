"""The nginx probe against a real nginx: its figures, a page that is not there, and connections that are dropped."""

import socket
import unittest

from support import Nginx, ReportTest, run_alone, sample, wait_until

PAGE = "location = /nginx_status { stub_status; }\n    location / { return 200 'a front page'; }"


def probe(check):
    return run_alone({"probe": "nginx", **check})[0]


class NginxStatusTest(ReportTest):
    def serve(self, locations=PAGE):
        nginx = Nginx(locations).start()
        self.addCleanup(nginx.close)
        return nginx

    def test_figures(self):
        nginx = self.serve()
        check = {"url": nginx.url + "/nginx_status", "max_connections": 512}
        first = probe(check)
        self.assert_report(first, "ok", "", r"^\d+ connections?: 0 reading, 1 writing, \d+ waiting$")
        waiting = [socket.create_connection(("127.0.0.1", nginx.port)) for _ in range(3)]
        for client in waiting:
            self.addCleanup(client.close)
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertIn(b"200 OK", client.recv(65536))
        second = wait_until(lambda: (lambda seen: seen if sample(seen, "waiting") == 3 else None)(probe(check)),
                            "three connections to wait")
        self.assertGreaterEqual(sample(second, "active"), 4)
        for name in ("accepts", "handled", "requests"):
            self.assertGreaterEqual(sample(second, name) - sample(first, name), 4, name)
        self.assertEqual(sample(second, "dropped"), 0)

    def test_over_a_unix_socket(self):
        nginx = self.serve()
        path = nginx.folder / "status.sock"
        text = (nginx.folder / "nginx.conf").read_text(encoding="utf-8")
        (nginx.folder / "nginx.conf").write_text(text.replace("listen ", f"listen unix:{path};\n    listen ", 1),
                                                 encoding="utf-8")
        nginx.stop()
        self.assert_report(probe({"url": "http://a/nginx_status", "unix_socket": str(path)}), "critical", "socket_missing",
                           "there is no socket")
        nginx.start()
        self.assert_report(probe({"url": "http://a/nginx_status", "unix_socket": str(path)}), "ok", "", "1 writing")

    def test_without_the_page(self):
        nginx = self.serve(PAGE + "\n    location /closed { deny all; }\n    location /broken { return 500; }")
        for path, words in (("/", "not the page of stub_status"), ("/closed", "^403 Forbidden instead")):
            report = probe({"url": nginx.url + path})
            self.assert_report(report, "unknown", "no_status_page", words)
            self.assertIn(f"location = {path} {{ stub_status;", report["remedy"])
        self.assert_report(probe({"url": nginx.url + "/broken"}), "critical", "wrong_status", "^500 Internal")

    def test_stopped(self):
        nginx = self.serve()
        nginx.stop()
        self.assert_report(probe({"url": nginx.url + "/nginx_status"}), "critical", "connect_refused", "refused")


if __name__ == "__main__":
    unittest.main()
