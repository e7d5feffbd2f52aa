"""What Prometheus itself thinks of /metrics: promtool, and a real server that scrapes a running daemon."""

import json
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from support import Authority, Daemon, Nginx, free_port, wait_until


def program(name):
    found = shutil.which(name)
    if not found:
        raise unittest.SkipTest(f"there is no {name}")
    return found


class Prometheus:
    """A real one, with data and a port of its own, that scrapes `target` each second."""

    def __init__(self, target):
        binary = program("prometheus")
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-prometheus-"))
        self.port = free_port()
        (self.folder / "prometheus.yml").write_text(
            "global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
            f"scrape_configs: [ {{ job_name: vitald, static_configs: [ {{ targets: [ '{target}' ] }} ] }} ]\n", encoding="ascii")
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [binary, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(self, path, **parameters):
        """The answer's data, or None while it does not serve yet."""
        if self._process.poll() is not None:
            raise AssertionError(f"prometheus ended: {self.log()}")
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                return json.load(reply)["data"]
        except OSError:
            return None

    def query(self, expression):
        """{labels as a sorted tuple: value} of an instant query."""
        data = self.ask("query", query=expression)
        return {tuple(sorted(series["metric"].items())): float(series["value"][1])
                for series in (data or {"result": []})["result"]}

    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def close(self):
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class PrometheusTest(unittest.TestCase):
    """One daemon with every kind of probe, some good and some bad, and labels that need escaping."""

    def setUp(self):
        self.authority = Authority()
        self.addCleanup(self.authority.close)
        self.nginx = Nginx(certificate=self.authority.issue("shop.example.com")).start()
        self.addCleanup(self.nginx.close)
        often = {"every": "500ms", "timeout": "400ms"}
        tls = {"server_name": "shop.example.com", "ca_file": str(self.authority.file)}
        secure = f"127.0.0.1:{self.nginx.tls_port}"
        self.daemon = Daemon({
            "web": {"probe": "http", "url": self.nginx.url, **often, "labels": {"team": 'the "web"\\ team ü'}},
            "web-secure": {"probe": "http", "url": f"https://{secure}/", "tls": tls, **often},
            "refused": {"probe": "http", "url": f"http://127.0.0.1:{free_port()}/", **often},
            "port": {"probe": "tcp", "address": f"127.0.0.1:{self.nginx.port}", **often},
            "certificate": {"probe": "tls", "address": secure, **tls, **often},
            "disks": {"probe": "disk", "mount": "/", **often},
            "memory": {"probe": "memory", **often}})
        self.addCleanup(self.daemon.close)
        self.daemon.start()
        wait_until(lambda: all(check["runs"] > 1 for check in self.checks().values()), "every check to have run twice")

    def checks(self):
        return {check["check"]: check for check in self.daemon.json("/api/v1/checks")["checks"]}

    def test_promtool_finds_nothing_to_say(self):
        promtool = program("promtool")
        status, text = self.daemon.get("/metrics")
        self.assertEqual(status, 200)
        kinds = {check["probe"] for check in self.checks().values()}
        for kind in kinds:
            self.assertIn(f'probe="{kind}"', text)
        judged = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        self.assertEqual((judged.returncode, judged.stdout, judged.stderr), (0, "", ""))
        # It does complain where there is reason to.
        spoilt = text + "# TYPE vitald_spoilt counter\nvitald_spoilt 1\n"
        judged = subprocess.run([promtool, "check", "metrics"], input=spoilt, capture_output=True, text=True, check=False)
        self.assertNotEqual(judged.returncode, 0)

    def test_a_real_server_scrapes_it(self):
        server = Prometheus(f"127.0.0.1:{self.daemon.port}")
        self.addCleanup(server.close)

        def status_by_check():
            found = server.query("vitald_check_status")
            return {dict(labels)["check"]: value for labels, value in found.items()}

        wait_until(lambda: list(server.query("up").values()) == [1.0],
                   lambda: f"a good scrape: {server.ask('targets')}\n{server.log()}", 60)
        expected = {"ok": 0.0, "warning": 1.0, "critical": 2.0, "unknown": 3.0}
        wait_until(lambda: status_by_check() == {name: expected[check["verdict"]] for name, check in self.checks().items()},
                   lambda: f"the verdicts to arrive: {status_by_check()}", 30)
        self.assertEqual(status_by_check()["refused"], 2.0)
        self.assertEqual(status_by_check()["web"], 0.0)
        up = {dict(labels)["check"]: value for labels, value in server.query("vitald_check_up").items()}
        self.assertEqual((up["refused"], up["web"]), (0.0, 1.0))
        web = next(dict(labels) for labels in server.query('vitald_check_status{check="web"}'))
        self.assertEqual(web["team"], 'the "web"\\ team ü')

        # Series do not move about between scrapes, and the histograms are ones that Prometheus can use.
        wait_until(lambda: server.query("count_over_time(up[1m]) >= 3"), "three scrapes", 30)
        wait_until(lambda: any(value == value for value in server.query(
            "histogram_quantile(0.99, rate(vitald_schedule_lag_seconds_bucket[1m]))").values()), "a quantile", 30)
        targets = server.ask("targets")["activeTargets"]
        self.assertEqual([target["lastError"] for target in targets], [""])
        grown = server.query('vitald_check_runs_total{check="memory"}')
        wait_until(lambda: max(server.query('vitald_check_runs_total{check="memory"}').values()) > max(grown.values()),
                   "the count of runs to grow", 30)

    def test_a_server_sees_that_it_is_gone_and_back(self):
        server = Prometheus(f"127.0.0.1:{self.daemon.port}")
        self.addCleanup(server.close)
        wait_until(lambda: list(server.query("up").values()) == [1.0], "a good scrape", 60)
        self.assertEqual(self.daemon.stop(), 0)
        wait_until(lambda: list(server.query("up").values()) == [0.0], "a bad scrape", 30)
        wait_until(lambda: not server.query("vitald_check_status"), "the series to end", 30)
        self.daemon.start()
        wait_until(lambda: len(server.query("vitald_check_status")) == 7, "the series to be back", 30)


if __name__ == "__main__":
    unittest.main()
