# time-out: 600
"""The redis probe against real servers: right answers on every road, what each kind of trouble is called, and servers
that are none."""

import json
import socket
import unittest
from pathlib import Path

from support import Authority, Daemon, free_port, run_alone, sample, wait_until
from support.peer import Peer
from support.redis import Redis

NAME = "redis.example.com"
PASSWORD = "correct horse battery"


def probe(check):
    """What one run on its own finds."""
    return run_alone({"probe": "redis", **check})[0]


class RedisTest(unittest.TestCase):
    def serve(self, wait=True, **settings):
        redis = Redis(**settings)
        self.addCleanup(redis.close)
        return redis.start(wait)

    def assert_report(self, report, verdict, reason, words):
        self.assertEqual((report["verdict"], report.get("reason", "")), (verdict, reason), report)
        self.assertRegex(report["summary"], words)
        self.assertNotIn(PASSWORD, json.dumps(report))


class RoadsTest(RedisTest):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.close)
        cls.redis = Redis(password=PASSWORD, certificate=cls.authority.issue(NAME), authority=cls.authority)
        cls.addClassCleanup(cls.redis.close)
        cls.redis.start()
        cls.redis.run("RPUSH", "jobs", "a", "b", "c")
        cls.redis.run("-n", 3, "ZADD", "delayed", 1, "a")

    def ask(self, **check):
        return probe({"address": self.redis.address, "password": PASSWORD, **check})

    def over_tls(self, **tls):
        return self.ask(address=self.redis.tls_address, tls={"ca_file": str(self.authority.file), **tls})

    def test_over_tcp(self):
        report = self.ask(role="primary", keys=[{"key": "jobs"}, {"key": "absent", "type": "set"}])
        self.assert_report(report, "ok", "", r"primary, \d+ of 10000 clients, .* used")
        self.assertEqual(sample(report, "length", key="jobs"), 3)
        self.assertEqual(sample(report, "length", key="absent"), 0)
        for name in ("memory", "memory_rss", "clients", "uptime", "commands", "hits", "misses", "last_save_age"):
            self.assertIsNotNone(sample(report, name), name)
        self.assertEqual([phase["name"] for phase in report["phases"]], ["connect", "login", "query"])

    def test_over_a_unix_socket(self):
        report = probe({"socket": self.redis.socket, "password": PASSWORD, "database": 3,
                        "keys": [{"key": "delayed", "type": "zset"}, {"key": "jobs"}]})
        self.assert_report(report, "ok", "", "primary")
        self.assertEqual(sample(report, "length", key="delayed"), 1)
        self.assertEqual(sample(report, "length", key="jobs"), 0)

    def test_over_tls(self):
        self.assert_report(self.over_tls(server_name=NAME), "ok", "", "primary")

    def test_tls_with_a_wrong_name(self):
        self.assert_report(self.over_tls(server_name="other.example.com"), "critical", "tls_wrong_name", NAME)

    def test_tls_from_an_authority_that_nobody_knows(self):
        with Authority("another") as other:
            report = self.over_tls(server_name=NAME, ca_file=str(other.file))
        self.assertEqual(report["verdict"], "critical", report)
        self.assertRegex(report["reason"], "^tls_(untrusted|chain_incomplete|self_signed)$")

    def test_plain_where_tls_is_spoken(self):
        report = self.ask(address=self.redis.tls_address)
        self.assertEqual(report["verdict"], "critical", report)
        self.assertIn(report["reason"], ("closed_early", "connection_reset", "bad_reply"))
        self.assertRegex(json.dumps(report), "tls: true")

    def test_tls_where_none_is_spoken(self):
        report = self.ask(tls={"insecure": True}, timeout="2s")
        self.assertEqual(report["verdict"], "critical", report)
        self.assertRegex(report["summary"], "TLS")

    def test_no_password(self):
        self.assert_report(probe({"address": self.redis.address}), "unknown", "no_password", "wants a password")

    def test_wrong_password(self):
        report = self.ask(password="battery staple")
        self.assert_report(report, "unknown", "wrong_password", "does not take the check's password")
        self.assertTrue(report["remedy"], report)
        self.assertNotIn("battery staple", json.dumps(report))
        self.assert_report(self.ask(user="nobody"), "unknown", "wrong_password", "password")

    def test_wrong_database(self):
        self.assert_report(self.ask(database=99), "unknown", "wrong_database", "SELECT 99")

    def test_wrong_type(self):
        report = self.ask(keys=[{"key": "jobs", "type": "hash"}])
        self.assert_report(report, "unknown", "wrong_type", "HLEN jobs")

    def test_the_smallest_user_of_the_manual(self):
        page = Path(__file__).parents[2] / "docs/probes/redis.md"
        line = next(line for line in page.read_text(encoding="utf-8").splitlines() if "ACL SETUSER vitald on" in line)
        words = line.strip(" `").replace(">PASSWORD", ">mine-alone").split()
        self.redis.must(*words)
        mine = {"user": "vitald", "password": "mine-alone"}
        report = self.ask(database=3, keys=[{"key": "delayed"}, {"key": "none"}], **mine)
        self.assert_report(report, "ok", "", "primary")
        self.assertEqual(sample(report, "length", key="delayed"), 1)
        self.redis.must("ACL", "SETUSER", "vitald", "-info", "-llen")
        report = self.ask(**mine)
        self.assert_report(report, "ok", "", "answers PING")
        self.assertIn("ACL SETUSER", report["remedy"])
        self.assertIsNone(sample(report, "memory"))
        self.assert_report(self.ask(role="primary", **mine), "unknown", "no_permission", "INFO")
        report = self.ask(keys=[{"key": "jobs", "type": "list"}], **mine)
        self.assert_report(report, "unknown", "no_permission", "LLEN jobs")

    def test_password_where_none_is_wanted(self):
        redis = self.serve()
        report = probe({"address": redis.address, "password": PASSWORD})
        self.assert_report(report, "unknown", "password_not_wanted", "Redis has none")

    def test_nobody_there(self):
        report = probe({"address": f"127.0.0.1:{free_port()}"})
        self.assert_report(report, "critical", "connect_refused", "connection refused")
        report = probe({"socket": str(self.redis.folder / "absent.sock")})
        self.assert_report(report, "critical", "socket_missing", "absent.sock")


class TroubleTest(RedisTest):
    def test_loading(self):
        redis = self.serve()
        redis.fill(2000)
        redis.must("CONFIG", "SET", "save", "3600 1")
        redis.must("SAVE")
        redis.kill()
        redis.settings |= {"key-load-delay": 5000, "loading-process-events-interval-bytes": 1024}
        redis.start(wait=False)
        report = probe({"address": redis.address, "keys": [{"key": "filler:1"}]})
        self.assert_report(report, "critical", "loading", r"still loading its data into memory: \d+(\.\d+)? % done")
        redis.must("CONFIG", "SET", "key-load-delay", 0)
        wait_until(lambda: redis.run("PING") == "PONG", "Redis to have loaded its data")
        self.assert_report(probe({"address": redis.address}), "ok", "", "primary")

    def test_replica_lag_and_a_lost_primary(self):
        primary = self.serve()
        replica = self.serve(replica_of=primary)
        wait_until(lambda: replica.info()["master_link_status"] == "up", "the replica to have its primary")
        wait_until(lambda: "state=online" in primary.info().get("slave0", ""), "the primary to have its replica")
        report = probe({"address": replica.address, "role": "replica"})
        self.assert_report(report, "ok", "", f"replica of 127.0.0.1:{primary.port}")
        self.assertIsNotNone(sample(report, "replica_lag"))
        self.assert_report(probe({"address": replica.address, "role": "primary"}), "critical", "wrong_role",
                           r"is a replica of 127.0.0.1:\d+, not the primary: it refuses writes")
        self.assert_report(probe({"address": primary.address, "role": "replica"}), "critical", "wrong_role",
                           "is a primary, not a replica")

        report = probe({"address": primary.address, "role": "primary"})
        self.assert_report(report, "ok", "", "primary, 1 replica,")
        self.assertEqual(sample(report, "replicas"), 1)
        self.assertIsNotNone(sample(report, "replica_lag_bytes", replica=f"127.0.0.1:{replica.port}"))
        replica.pause()
        primary.fill(100)
        watched = {"address": primary.address, "limits": {"replica_lag": {"critical": "2s"}}}
        report = wait_until(lambda: (lambda seen: seen if seen["verdict"] == "critical" else None)(probe(watched)),
                            "the replica to lag")
        self.assertGreaterEqual(sample(report, "replica_lag", replica=f"127.0.0.1:{replica.port}"), 2)
        self.assertGreater(sample(report, "replica_lag_bytes", replica=f"127.0.0.1:{replica.port}"), 1000)
        replica.resume()

        primary.kill()
        wait_until(lambda: replica.info()["master_link_status"] == "down", "the replica to notice")
        self.assert_report(probe({"address": replica.address}), "critical", "replica_link_down",
                           rf"replica has lost its primary 127.0.0.1:{primary.port} for (\d+|less than 1) s")
        replica.must("CONFIG", "SET", "replica-serve-stale-data", "no")
        self.assert_report(probe({"address": replica.address}), "critical", "masterdown",
                           rf"has lost its primary 127.0.0.1:{primary.port} for (\d+|less than 1) s and serves nothing")

    def test_a_replica_that_never_had_its_primary(self):
        replica = self.serve(replica_of=free_port())
        self.assert_report(probe({"address": replica.address}), "critical", "replica_link_down",
                           "has not reached its primary")

    def test_memory(self):
        redis = self.serve()
        redis.fill(2000, 1000)
        used = int(redis.info()["used_memory"])
        redis.must("CONFIG", "SET", "maxmemory", used * 100 // 93)
        report = probe({"address": redis.address})
        self.assertEqual(report["verdict"], "warning", report)
        redis.must("CONFIG", "SET", "maxmemory", used // 2)
        self.assert_report(probe({"address": redis.address}), "critical", "out_of_memory",
                           "has used up its memory .* and refuses writes")
        redis.must("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        report = probe({"address": redis.address})
        self.assertEqual(report["verdict"], "ok", report)
        self.assertGreater(sample(report, "evicted"), 0)

    def test_a_save_that_failed(self):
        redis = self.serve()
        redis.fill(10)
        (redis.folder / "dump.rdb").mkdir()  # nothing can be renamed to it, not even by root
        redis.run("BGSAVE")
        wait_until(lambda: redis.info()["rdb_last_bgsave_status"] == "err", "the save to fail")
        report = probe({"address": redis.address})
        self.assert_report(report, "critical", "save_failed", "could not save its data to disk; the last good save is")
        self.assertTrue(report["remedy"], report)
        (redis.folder / "dump.rdb").rmdir()
        redis.must("SAVE")
        self.assert_report(probe({"address": redis.address}), "ok", "", "primary")

    def test_an_append_only_file_that_cannot_be_written(self):
        redis = self.serve(file_size=256 * 1024, appendonly="yes", auto_aof_rewrite_percentage=0)

        def failed():
            redis.fill(2000, 1000)
            return redis.info()["aof_last_write_status"] == "err"

        wait_until(failed, lambda: f"the file to be full:\n{redis.log()}")
        self.assert_report(probe({"address": redis.address}), "critical", "aof_failed", "append-only file")

    def test_too_many_clients(self):
        redis = self.serve()
        redis.must("CONFIG", "SET", "maxclients", 1)
        wait_until(lambda: not self.others(redis), "redis-cli to be gone")
        with socket.create_connection(("127.0.0.1", redis.port)) as holder:
            holder.sendall(b"PING\r\n")
            self.assertEqual(holder.recv(100), b"+PONG\r\n")
            for more in ({}, {"password": PASSWORD, "database": 2}):
                self.assert_report(probe({"address": redis.address, **more}), "critical", "too_many_clients",
                                   "as many clients as it takes")

    @staticmethod
    def others(redis):
        """Whether the next client would be refused."""
        with socket.create_connection(("127.0.0.1", redis.port)) as client:
            client.sendall(b"PING\r\n")
            return not client.recv(100).startswith(b"+PONG")

    def test_a_script_that_does_not_end(self):
        redis = self.serve(busy_reply_threshold=50)
        with socket.create_connection(("127.0.0.1", redis.port)) as client:
            client.sendall(b'EVAL "while true do end" 0\r\n')
            report = wait_until(lambda: (lambda seen: seen if seen.get("reason") == "busy" else None)(
                probe({"address": redis.address})), "Redis to be busy")
            self.assertIn("SCRIPT KILL", report["remedy"])
            redis.kill()

    def test_a_server_that_stands_still(self):
        redis = self.serve()
        redis.pause()
        self.assert_report(probe({"address": redis.address, "timeout": "1s"}), "critical", "timeout",
                           "no completed login within 1 s")


class Rogue(Peer):
    """Accepts, and answers the first bytes of each connection with `answer`; endlessly where asked, and then silence."""

    def __init__(self, answer, endless=False):
        self.answer = answer
        self.endless = endless
        super().__init__()

    def talk(self, connection):
        connection.recv(65536)
        connection.sendall(self.answer)
        while self.endless:
            connection.sendall(self.answer * 1000)


class RogueTest(unittest.TestCase):
    ROGUES = {
        "huge-list": (b"*100000000\r\n", False, "bad_reply", "a list of 100000000 entries"),
        "huge-text": (b"+PONG\r\n$2000000000\r\n", False, "bad_reply", "a text of 2000000000 bytes"),
        "largest-text": (b"$9223372036854775807\r\n", False, "bad_reply", "too large"),
        "nesting": (b"*1\r\n" * 10000, False, "bad_reply", "nested too deeply"),
        "wide-nesting": (b"*5000\r\n*5000\r\n*5000\r\n", False, "bad_reply", "too large"),
        "endless-line": (b"+" + b"x" * 1000, True, "bad_reply", "more than 1048576 bytes"),
        "endless-info": (b"+PONG\r\n+", True, "bad_reply", "INFO|Redis protocol"),
        "endless-replies": (b"+PONG\r\n", True, "bad_reply", "INFO"),
        "web-server": (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "bad_reply", "begins with 'H'"),
        "echo": (b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nINFO\r\n", False, "bad_reply", "not one that Redis gives"),
        "silent": (b"", False, "timeout", "no completed login within 2 s"),
        "half": (b"+PONG\r\n$100\r\nrole:", False, "timeout", "within 2 s"),
    }

    def test_a_clear_verdict_and_bounded_memory(self):
        rogues = {name: Rogue(answer, endless) for name, (answer, endless, _, _) in self.ROGUES.items()}
        for rogue in rogues.values():
            self.addCleanup(rogue.close)
        checks = {name: {"probe": "redis", "address": rogue.address, "timeout": "2s", "every": "1h"}
                  for name, rogue in rogues.items()}
        daemon = Daemon(checks)
        self.addCleanup(daemon.close)
        daemon.start()
        before = self.peak(daemon)
        for name, (_, _, reason, words) in self.ROGUES.items():
            with self.subTest(name):
                for _ in range(3):
                    report = json.loads(daemon.command("probe", name, "--json").stdout)
                self.assertEqual((report["verdict"], report["reason"]), ("critical", reason), report)
                self.assertRegex(report["summary"], words)
        self.assertLess(self.peak(daemon) - before, 96 * 1024, "KiB grew in memory")

    @staticmethod
    def peak(daemon):
        """The most that was ever resident, in KiB."""
        status = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


class LifeTest(RedisTest):
    def test_a_full_queue_is_told_and_its_end_too(self):
        redis = self.serve()
        redis.run("RPUSH", "jobs", *range(10))
        check = {"probe": "redis", "address": redis.address, "every": "1s", "keys": [{"key": "jobs"}],
                 "confirm": {"failures": 1}, "limits": {"length": {"warning": 5, "critical": 50}}}
        with Daemon({"queue": check}) as daemon:
            def status():
                return {series: value for series, value in daemon.metrics().items()
                        if series.startswith("vitald_check_status{") or series.startswith("vitald_redis_length{")}

            def shows(verdict, length):
                values = status()
                return len(values) == 2 and {verdict, length} == set(values.values()) and any(
                    'key="jobs"' in series for series in values)

            wait_until(lambda: shows(1, 10), lambda: f"a warning; {status()}")
            redis.run("RPUSH", "jobs", *range(90))
            wait_until(lambda: shows(2, 100), lambda: f"it to be critical; {status()}")
            redis.run("LTRIM", "jobs", 0, 2)
            wait_until(lambda: shows(0, 3), lambda: f"it to be good again; {status()}")
            # The probe's own look at the list is a hit at every run: what one run leaves reaches the next.
            ratio = [value for series, value in daemon.metrics().items() if series.startswith("vitald_redis_hit_ratio{")]
            self.assertEqual(ratio, [1])

    def test_a_kept_connection_outlives_a_restart_of_the_server(self):
        redis = self.serve(password=PASSWORD)
        check = {"probe": "redis", "address": redis.address, "password": PASSWORD, "every": "1h", "keep_connection": True}
        with Daemon({"it": check}) as daemon:
            def ask():
                report = json.loads(daemon.command("probe", "it", "--json").stdout)
                self.assert_report(report, "ok", "", "primary")
                return report

            ask()
            made = int(redis.info()["total_connections_received"])
            for _ in range(5):
                self.assertNotIn("connect", [phase["name"] for phase in ask()["phases"]])
            self.assertEqual(int(redis.info()["total_connections_received"]), made + 1)  # redis-cli's own
            redis.stop()
            redis.start()
            self.assertIn("connect", [phase["name"] for phase in ask()["phases"]])
            self.assertNotIn("connect", [phase["name"] for phase in ask()["phases"]])


if __name__ == "__main__":
    unittest.main()
