"""The access-log probe follows the log of a real nginx, which serves, fails and has its log rotated under it."""

import http.client
import signal
import unittest

from support import Daemon, Nginx, wait_until
from support.logrotate import Logrotate

LOCATIONS = """location / { return 200 "hello\\n"; }
    location /broken { return 503; }"""
JSON_FORMAT = ('escape=json \'{"status":"$status","request_time":"$request_time","request_method":"$request_method",'
               '"request_uri":"$request_uri"}\'')


class AccessLogTest(unittest.TestCase):
    def serve(self, log_format=""):
        nginx = Nginx(LOCATIONS)
        self.addCleanup(nginx.close)
        self.log = nginx.folder / "access.log"
        if log_format:
            file = nginx.folder / "nginx.conf"
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace(f"access_log {self.log};", f"log_format own {log_format};\n  access_log {self.log} own;"),
                            encoding="utf-8")
        return nginx.start()

    def ask(self, nginx, path, times):
        connection = http.client.HTTPConnection("127.0.0.1", nginx.port, timeout=20)
        for _ in range(times):
            connection.request("GET", path)
            connection.getresponse().read()
        connection.close()

    def watch(self, **more):
        check = {"probe": "access-log", "file": str(self.log), "every": "200ms", "timeout": "5s", "at_least": 20, **more}
        daemon = Daemon({"it": check})
        self.addCleanup(daemon.close)
        daemon.start()
        wait_until(lambda: self.value(daemon, "requests_total") is not None, "the first run")
        return daemon

    def value(self, daemon, name, label=""):
        return daemon.metrics().get(f'vitald_access_log_{name}{{check="it"{label},probe="access-log"}}')

    def wait_for_requests(self, daemon, count):
        wait_until(lambda: self.value(daemon, "requests_total") == count,
                   lambda: f"{count} requests: {[line for line in daemon.get('/metrics')[1].splitlines() if 'access_log' in line]}")

    def verdict(self, daemon):
        return daemon.metrics().get('vitald_check_status{check="it",probe="access-log"}')

    def test_errors_over_rotations_and_a_kill(self):
        nginx = self.serve()
        rotation = Logrotate(nginx.folder, self.log, "rotate 5", "create", "compress", "delaycompress")
        daemon = self.watch()
        self.ask(nginx, "/?token=secret", 50)
        self.wait_for_requests(daemon, 50)
        wait_until(lambda: self.verdict(daemon) == 0, "an ok")
        self.assertEqual(daemon.stop(), 0)  # what it remembers is written; while nothing is wrong, else once a minute
        daemon.start()
        rotation.rotate()
        self.ask(nginx, "/broken?token=secret", 25)  # into the renamed file: nobody has told nginx yet
        nginx.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self.log.exists(), "nginx to open its log again")
        daemon.kill()
        self.ask(nginx, "/broken?token=secret", 25)
        rotation.rotate()
        nginx.process.send_signal(signal.SIGUSR1)
        daemon.start()
        wait_until(lambda: self.verdict(daemon) == 2, lambda: f"a critical: {daemon.log()[-2000:]}")
        self.wait_for_requests(daemon, 100)
        self.assertEqual(self.value(daemon, "error_ratio"), 0.5)
        told = daemon.command("probe", "it", "--json").stdout
        self.assertIn("50 of 100 requests failed in 5 min, most often 503 GET /broken", told)
        self.assertNotIn("secret", told)

    def test_json_with_latencies(self):
        nginx = self.serve(JSON_FORMAT)
        daemon = self.watch(format="json")
        self.ask(nginx, '/a"b?c', 30)
        self.wait_for_requests(daemon, 30)
        latency = wait_until(lambda: self.value(daemon, "latency_p95_seconds"), "a latency")
        self.assertLess(latency, 60)
        self.assertEqual(self.value(daemon, "unreadable_total"), 0)

    def test_a_format_that_is_none(self):
        nginx = self.serve()
        daemon = self.watch(format="json")
        self.ask(nginx, "/", 3)
        wait_until(lambda: self.verdict(daemon) == 3, "an unknown")
        self.assertIn("lines are not of the format json", daemon.command("probe", "it", "--json").stdout)


if __name__ == "__main__":
    unittest.main()
