"""The php-fpm probe against a real pool: figures by every road, a pool that is full, killed, gone or closed to us."""

import json
import os
import pwd
import subprocess
import unittest

from support import Daemon, Nginx, ReportTest, free_port, run_alone, sample, wait_until
from support.one_run import evidence
from support.php_fpm import PhpFpm


def probe(check):
    return run_alone({"probe": "php-fpm", **check})[0]


class PhpFpmTest(ReportTest):
    def serve(self, **how):
        pool = PhpFpm(**how)
        self.addCleanup(pool.close)
        return pool.start()

    def assert_report(self, report, verdict, reason, words):
        super().assert_report(report, verdict, reason, words)
        self.assertNotIn("s3cret", json.dumps(report))


class FiguresTest(PhpFpmTest):
    def test_over_a_unix_socket(self):
        pool = self.serve(children=3)
        report = probe({"socket": pool.socket})
        self.assert_report(report, "ok", "", "^1 of 3 workers busy$")
        self.assertEqual(sample(report, "active"), 1)
        self.assertEqual(sample(report, "workers"), 3)
        self.assertAlmostEqual(sample(report, "used"), 1 / 3, 3)
        self.assertIsNone(sample(report, "listen_queue"), "of a Unix socket it is not known")
        for name in ("idle", "max_active", "accepted", "slow_requests", "max_children_reached", "uptime"):
            self.assertIsNotNone(sample(report, name), name)
        self.assertEqual([phase["name"] for phase in report["phases"]], ["connect", "send", "first_byte", "rest"])

    def test_over_tcp(self):
        pool = self.serve(port=free_port(), settings={"pm": "ondemand", "pm.status_path": "/fpm"})
        check = {"address": f"127.0.0.1:{pool.port}", "status_path": "/fpm"}
        report = probe(check)
        self.assert_report(report, "ok", "", "^1 of 1 started workers busy$")
        self.assertIsNone(sample(report, "used"), "an ondemand pool does not tell how many workers it may start")
        self.assertEqual(sample(report, "listen_queue"), 0)
        self.assert_report(probe({**check, "max_children": 20}), "ok", "", "^1 of 20 workers busy$")

    def test_by_way_of_a_web_server(self):
        pool = self.serve()
        nginx = Nginx("location = /status { fastcgi_param SCRIPT_NAME /status; fastcgi_param SCRIPT_FILENAME /status; "
                      "fastcgi_param REQUEST_METHOD GET; "
                      f"fastcgi_param QUERY_STRING $query_string; fastcgi_pass unix:{pool.socket}; }}\n"
                      '    location / { return 200 "a front page"; }').start()
        self.addCleanup(nginx.close)
        self.assert_report(probe({"url": nginx.url + "/status"}), "ok", "", "^1 of 3 workers busy$")
        report = probe({"url": nginx.url + "/other"})
        self.assert_report(report, "unknown", "no_status_page", "answers /other with something else")
        self.assertIn("pm.status_path", report["remedy"])
        pool.kill()
        self.assert_report(probe({"url": nginx.url + "/status"}), "critical", "bad_gateway", "^502 Bad Gateway")

    def test_busy_workers_are_counted_and_named(self):
        pool = self.serve(children=4)
        pool.begin_requests(2)
        report = probe({"socket": pool.socket})
        self.assert_report(report, "ok", "", "^3 of 4 workers busy$")
        self.assertRegex(evidence(report, "longest requests"), r"GET /busy\.php \(.*/busy\.php\)")
        pool.release()
        wait_until(lambda: sample(probe({"socket": pool.socket}), "active") == 1, "the workers to be idle again")


class BrokenTest(PhpFpmTest):
    def test_a_pool_without_a_status_page(self):
        pool = self.serve(settings={"pm.status_path": None})
        report = probe({"socket": pool.socket})
        self.assert_report(report, "unknown", "no_status_page", "/status is not its status page .404 Not Found.")
        self.assertIn("pm.status_path = /status", report["remedy"])
        self.assertEqual(evidence(report, "answer"), "File not found. ")

    def test_all_workers_busy(self):
        status = f"127.0.0.1:{free_port()}"
        pool = self.serve(children=2, settings={"pm.status_listen": status})
        pool.begin_requests(2)
        report = probe({"socket": pool.socket, "timeout": "1s"})
        self.assert_report(report, "critical", "timeout", "no worker took the request within 1 s: all are busy or hang")
        # The page's own socket answers all the same, and says who holds the pool.
        report = probe({"address": status})
        self.assert_report(report, "ok", "", "^2 of 2 workers busy$")
        self.assertEqual(evidence(report, "longest requests").count("GET /busy.php"), 2)
        pool.release()
        self.assert_report(probe({"socket": pool.socket}), "ok", "", "^1 of 2 workers busy$")

    def test_killed(self):
        pool = self.serve()
        pool.kill()
        self.assert_report(probe({"socket": pool.socket}), "critical", "socket_refused", "nobody listens on the socket")

    def test_stopped(self):
        pool = self.serve()
        pool.stop()
        self.assert_report(probe({"socket": pool.socket}), "critical", "socket_missing", "there is no socket")

    def test_an_address_that_the_pool_does_not_allow(self):
        pool = self.serve(port=free_port(), settings={"listen.allowed_clients": "192.0.2.7"})
        report = probe({"address": f"127.0.0.1:{pool.port}"})
        self.assertEqual((report["verdict"], report["outcome"]), ("critical", "refused"), report)
        self.assertIn(report["reason"], ("closed_early", "connection_reset"))

    def test_a_web_server_where_a_pool_should_be(self):
        nginx = Nginx().start()
        self.addCleanup(nginx.close)
        self.assert_report(probe({"address": f"127.0.0.1:{nginx.port}"}), "critical", "bad_reply", "speaks no FastCGI")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_a_socket_that_is_closed_to_us(self):
        pool = self.serve(settings={"listen.mode": "0600"})
        nobody = pwd.getpwnam("nobody")
        daemon = Daemon({"it": {"probe": "php-fpm", "socket": pool.socket}})
        self.addCleanup(daemon.close)
        for path in (daemon.folder, daemon.state, daemon.runtime, daemon.file):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        done = subprocess.run([daemon.binary, "probe", "it", "--local", "--json", "--config", daemon.file],
                              capture_output=True, text=True, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
                              check=False, stdin=subprocess.DEVNULL, cwd=daemon.folder)
        if not done.stdout:
            self.skipTest(f"nobody may not run the binary here: {done.stderr}")
        report = json.loads(done.stdout)
        self.assert_report(report, "unknown", f"denied:{pool.socket}", "may not connect to the socket")
        self.assertTrue(report["remedy"], report)


class LifeTest(PhpFpmTest):
    def test_a_full_pool_is_a_warning_and_its_end_is_told(self):
        status = f"127.0.0.1:{free_port()}"
        pool = self.serve(children=4, settings={"pm.status_listen": status})
        check = {"probe": "php-fpm", "address": status, "every": "300ms", "timeout": "250ms", "confirm": {"failures": 1},
                 "recover": {"successes": 1}, "limits": {"used": {"warning": "70%", "critical": "90%"}}}
        with Daemon({"pool": check}) as daemon:
            def shows(status):
                return [value for series, value in daemon.metrics().items()
                        if series.startswith("vitald_check_status{")] == [status]

            wait_until(lambda: shows(0), daemon.log)
            pool.begin_requests(3)
            wait_until(lambda: shows(1), daemon.log)
            pool.begin_requests(1)
            wait_until(lambda: shows(2), daemon.log)
            pool.release()
            wait_until(lambda: shows(0), daemon.log)


if __name__ == "__main__":
    unittest.main()
