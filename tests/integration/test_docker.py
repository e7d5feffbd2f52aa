# time-out: 400
"""The docker probe against podman's Docker-compatible API with real containers, and against a scripted engine for what
podman cannot show in a test: statistics, pause, a container that the kernel killed, endless answers."""

import json
import os
import pwd
import subprocess
import unittest
from datetime import datetime, timedelta, timezone

from support import Daemon, ReportTest, run_alone, sample, wait_until
from support.docker_engine import DockerEngine
from support.one_run import evidence
from support.podman import Podman


def probe(check):
    return run_alone({"probe": "docker", **check})[0]


class DockerTest(ReportTest):
    def assert_report(self, report, verdict, reason, words):
        super().assert_report(report, verdict, reason, words)
        self.assertNotIn("s3cret", json.dumps(report))


class PodmanTest(DockerTest):
    @classmethod
    def setUpClass(cls):
        cls.engine = Podman()
        cls.addClassCleanup(cls.engine.close)
        cls.engine.start()

    def run_container(self, name, *command, **more):
        self.engine.run(name, *command, **more)
        self.addCleanup(self.engine.request, "DELETE", f"/containers/{name}?force=1")

    def ask(self, **check):
        return probe({"socket": self.engine.socket, **check})

    def test_a_running_container(self):
        self.run_container("web", "sleep", "1000", Env=["PASSWORD=s3cret"])
        report = self.ask(container="web", image="localhost/tiny:1")
        self.assert_report(report, "ok", "", r"^web runs for \d+")
        self.assertEqual(sample(report, "running"), 1)
        self.assertEqual(sample(report, "restarts", container="web"), 0)
        self.assertIsNotNone(sample(report, "uptime", container="web"))
        report = self.ask(container="web", image="localhost/tiny:2")
        self.assert_report(report, "critical", "wrong_image", "made from localhost/tiny:1 instead of localhost/tiny:2")

    def test_one_that_was_killed_and_one_that_is_not_there(self):
        self.run_container("web", "sleep", "1000")
        self.engine.kill("web")
        report = self.ask(container="web")
        self.assert_report(report, "critical", "exited", r"^web exited with code 137 \(SIGKILL\)")
        self.engine.remove("web")
        self.assert_report(self.ask(container="web"), "critical", "missing", "^there is no container web$")

    def test_the_log_of_one_that_ended(self):
        for name, terminal in (("plain", False), ("terminal", True)):
            self.run_container(name, "sh", "-c", "echo starting; echo no database >&2; exit 3", Tty=terminal)
            self.engine.wait_for(name, "exited")
            report = self.ask(container=name)
            self.assert_report(report, "critical", "exited", f"^{name} exited with code 3")
            self.assertEqual(evidence(report, f"{name} log"), "starting\nno database")

    def test_one_that_is_unhealthy(self):
        check = {"Test": ["CMD-SHELL", "echo it hurts; exit 1"], "Interval": 3600 * 10**9, "Retries": 2}
        self.run_container("sick", "sleep", "1000", Healthcheck=check)
        self.assert_report(self.ask(container="sick"), "ok", "", "^sick runs for .*, starting$")
        self.assert_report(self.ask(container="sick", start_within="1ms"), "critical", "starting", "has not succeeded yet")
        for _ in range(2):
            self.engine.check_health("sick")
        report = self.ask(container="sick")
        self.assert_report(report, "critical", "unhealthy", "^sick is unhealthy: 2 failed health checks in a row$")
        self.assertEqual(evidence(report, "sick health check"), "exit code 1: it hurts")

    def test_a_project(self):
        self.run_container("shop-web-1", "sleep", "1000", service="web",
                           Labels={"com.docker.compose.depends_on": "migrate:service_completed_successfully:false"})
        self.run_container("shop-db-1", "sleep", "1000", service="db")
        self.run_container("shop-migrate-1", "sh", "-c", "exit 0", service="migrate")
        self.run_container("other", "sh", "-c", "exit 1", service="web", project="other")
        self.engine.wait_for("shop-migrate-1", "exited")
        self.assert_report(self.ask(compose="shop"), "ok", "", "^2 of 2 containers of shop run$")
        report = self.ask(compose="shop", services=["web", "db", "cache"])
        self.assertEqual((report["verdict"], sample(report, "not_running")), ("warning", 1), report)
        self.assertIn("the service cache has no container", json.dumps(report))
        self.engine.kill("shop-db-1")
        report = self.ask(compose="shop")
        self.assertEqual((report["verdict"], sample(report, "not_running")), ("warning", 1), report)
        self.assertIn("shop-db-1 exited with code 137", json.dumps(report))
        self.engine.kill("shop-web-1")
        self.assert_report(self.ask(compose="shop"), "critical", "project_down", "nothing of the compose project shop runs")
        self.assert_report(self.ask(compose="nothing"), "critical", "project_missing", "no container of the compose project")

    def test_restarts_are_counted_over_runs(self):
        shared = self.engine.folder / "shared"
        shared.mkdir()
        self.run_container("loop", "sh", "-c", "while [ ! -f /shared/go ]; do sleep 0.1; done; exit 4",
                           HostConfig={"Binds": [f"{shared}:/shared"],
                                       "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}})
        check = {"probe": "docker", "container": "loop", "socket": self.engine.socket, "every": "500ms", "timeout": "450ms",
                 "confirm": {"failures": 1}}
        with Daemon({"it": check}) as daemon:
            def restarts():
                return [value for series, value in daemon.metrics().items()
                        if series.startswith("vitald_docker_restarts_total{")]

            wait_until(lambda: restarts() == [0], daemon.log, 30)
            # The engine itself starts it again, three times, and then gives up.
            (shared / "go").touch()
            wait_until(lambda: restarts() == [3], lambda: f"{restarts()}\n{daemon.log()}", 60)

    def test_an_engine_that_is_gone(self):
        engine = Podman()
        self.addCleanup(engine.close)
        self.assert_report(probe({"container": "web", "socket": engine.socket}), "critical", "socket_missing", "there is no socket")
        engine.start()
        self.assert_report(probe({"container": "web", "socket": engine.socket}), "critical", "missing", "no container web")
        engine.stop()
        self.assert_report(probe({"container": "web", "socket": engine.socket}), "critical", "socket_refused", "nobody listens")

    def test_a_socket_that_is_closed_to_us(self):
        nobody = pwd.getpwnam("nobody")
        self.engine.folder.chmod(0o755)
        daemon = Daemon({"it": {"probe": "docker", "container": "web", "socket": self.engine.socket}})
        self.addCleanup(daemon.close)
        for path in (daemon.folder, daemon.state, daemon.runtime, daemon.file):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        done = subprocess.run([daemon.binary, "probe", "it", "--local", "--json", "--config", daemon.file],
                              capture_output=True, text=True, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
                              check=False, stdin=subprocess.DEVNULL, cwd=daemon.folder)
        if not done.stdout:
            self.skipTest(f"nobody may not run the binary here: {done.stderr}")
        report = json.loads(done.stdout)
        self.assert_report(report, "unknown", f"denied:{self.engine.socket}", "may not connect to the socket")
        self.assertIn("SupplementaryGroups=docker", report["remedy"])


class ScriptedTest(DockerTest):
    ID = "0123456789abcdef"

    def serve(self, state, **answers):
        started = (datetime.now(timezone.utc) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
        container = {"Id": self.ID, "Name": "/web", "RestartCount": 0, "Image": "sha256:11",
                     "State": {"OOMKilled": False, "ExitCode": 0, "Error": "", "StartedAt": started, **state},
                     "Config": {"Image": "shop/web:1.4", "Tty": False, "Env": ["PASSWORD=s3cret"]},
                     "HostConfig": {"Memory": 1000 * 2**20, "NanoCpus": 0, "CpuQuota": 150000, "CpuPeriod": 100000}}
        engine = DockerEngine({"/containers/web/json": (200, container), f"/containers/{self.ID}/logs": (200, b""),
                               f"/containers/{self.ID}/stats": (200, {}), **answers.get("answers", {})})
        self.addCleanup(engine.close)
        return engine

    def statistics(self, memory, cpu_seconds):
        return (200, {"memory_stats": {"usage": memory + 50 * 2**20, "limit": 1000 * 2**20, "stats": {"inactive_file": 50 * 2**20}},
                      "cpu_stats": {"cpu_usage": {"total_usage": int(cpu_seconds * 10**9)}, "online_cpus": 2},
                      "pids_stats": {"current": 7}})

    def test_statistics_and_limits(self):
        engine = self.serve({"Status": "running"},
                            answers={f"/containers/{self.ID}/stats": self.statistics(950 * 2**20, 3)})
        report = probe({"container": "web", "socket": engine.socket})
        self.assertEqual(report["verdict"], "warning", report)
        self.assertEqual(sample(report, "memory", container="web"), 950 * 2**20)
        self.assertEqual(sample(report, "processes", container="web"), 7)
        self.assertIn(f"GET /containers/{self.ID}/stats?stream=false&one-shot=true HTTP/1.1", engine.requests)
        self.assertTrue(all(line.startswith("GET ") for line in engine.requests), engine.requests)

    def test_states_that_podman_does_not_show(self):
        for state, reason, words in (({"Status": "paused"}, "paused", "^web is paused$"),
                                     ({"Status": "dead"}, "dead", "^web is dead"),
                                     ({"Status": "restarting", "ExitCode": 1}, "restarting", "^web does not stay up"),
                                     ({"Status": "exited", "ExitCode": 137, "OOMKilled": True}, "out_of_memory",
                                      r"^web exited with code 137 \(killed for want of memory\)"),
                                     ({"Status": "created", "Error": "port is already allocated"}, "never_started",
                                      "port is already allocated")):
            with self.subTest(reason):
                engine = self.serve(state)
                self.assert_report(probe({"container": "web", "socket": engine.socket}), "critical", reason, words)

    def test_answers_without_an_end(self):
        for path in ("/containers/json", "/containers/web/json", f"/containers/{self.ID}/stats"):
            engine = self.serve({"Status": "running"}, answers={path: (200, "endless")})
            check = {"compose": "shop"} if path == "/containers/json" else {"container": "web"}
            with self.subTest(path):
                self.assert_report(probe({**check, "socket": engine.socket, "timeout": "20s"}), "critical", "too_large", "has more than")

    def test_what_is_no_engine(self):
        engine = DockerEngine({"/containers/web/json": (200, b"<html>hello</html>"),
                               "/containers/db/json": (403, b"<html>Forbidden</html>"),
                               "/containers/cache/json": (500, {"message": "layer store is broken"})})
        self.addCleanup(engine.close)
        self.assert_report(probe({"container": "web", "socket": engine.socket}), "critical", "bad_reply", "no Docker engine")
        self.assert_report(probe({"container": "db", "socket": engine.socket}), "unknown", "not_allowed", "403")
        self.assert_report(probe({"container": "cache", "socket": engine.socket}), "critical", "engine_error", "layer store")


if __name__ == "__main__":
    unittest.main()
