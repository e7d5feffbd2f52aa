# time-out: 600
"""The mysql probe against real MariaDB servers: the login, queries, servers that go away, TLS."""

import json
import signal
import threading
import unittest
from contextlib import ExitStack, contextmanager

from support import Authority, sample, wait_until
from support.mariadb import PASSWORD, STATUS_GRANTS, MariaDb, evidence, probe


class OneServer(unittest.TestCase):
    """Tests that share a server, started with `options`."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = MariaDb(*cls.options).start()
        cls.addClassCleanup(cls.server.close)
        cls.server.user("monitor", PASSWORD, *STATUS_GRANTS)
        cls.server.sql("CREATE DATABASE shop; CREATE TABLE shop.jobs (id INT AUTO_INCREMENT PRIMARY KEY, queue "
                       "VARCHAR(50), reserved_at INT UNSIGNED, available_at INT UNSIGNED, cost DECIMAL(10,2), "
                       "made TIMESTAMP DEFAULT CURRENT_TIMESTAMP); GRANT SELECT ON shop.* TO 'monitor'@'%'")

    def run_probe(self, **check):
        return probe({"address": self.server.address, **check})

    def assert_found(self, report, verdict, reason, words=""):
        self.assertEqual((report["verdict"], report.get("reason")), (verdict, reason), report)
        if words:
            self.assertRegex(report["summary"], words, report)


class LoginTest(OneServer):
    options = ("--max-connections=20",)

    def test_a_healthy_server_over_tcp_and_over_its_socket(self):
        for where in ({"address": self.server.address}, {"socket": str(self.server.socket)}):
            report = probe(where)
            self.assertEqual(report["verdict"], "ok", report)
            self.assertRegex(report["summary"], r"^answers in .*; \d+ of 20 connections used$")
            self.assertEqual([phase["name"] for phase in report["phases"]], ["login", "query", "status"])
            for name in ("connections_used", "running_threads", "questions", "slow_queries", "deadlocks",
                         "aborted_connects", "aborted_clients", "refused_connections", "uptime", "longest_query"):
                self.assertIsNotNone(sample(report, name), (name, report))
            self.assertIn("MariaDB", evidence(report, "server"))
            self.assertIsNone(sample(report, "replica_lag"), "it is no replica")

    def test_the_name_localhost_means_tcp(self):
        report = probe({"address": f"localhost:{self.server.port}"})
        self.assertEqual(report["verdict"], "ok", report)
        self.assertIn("resolve", [phase["name"] for phase in report["phases"]])

    def test_a_run_is_no_aborted_connection(self):
        before = self.run_probe()
        after = self.run_probe()
        for name in ("aborted_connects", "aborted_clients"):
            self.assertEqual(sample(before, name), sample(after, name), name)

    def test_a_wrong_password_is_no_fault_of_the_server(self):
        for check in ({"password": "not the word"}, {"user": "nobody"}):
            report = self.run_probe(**check)
            self.assert_found(report, "unknown", "wrong_password", "wrong password for 'n?o?b?o?d?y?m?o?n?i?t?o?r?'@'")
            self.assertIn("mysql.user", report["remedy"])
            self.assertNotIn("not the word", json.dumps(report))

    def test_a_wrong_database(self):
        report = self.run_probe(database="shoop")  # who may not see it is not told whether it is there
        self.assert_found(report, "unknown", "missing_privilege", "'monitor'@'%' may not use the database shoop")
        self.server.sql("GRANT SELECT ON *.* TO 'reader'@'%' IDENTIFIED BY 'a secret word'")
        self.assert_found(self.run_probe(database="shoop", user="reader"), "unknown", "wrong_database", "shoop")

    def test_an_account_that_is_not_for_this_host(self):
        self.server.sql("CREATE USER 'far'@'192.0.2.1' IDENTIFIED BY 'a secret word'")
        self.assert_found(self.run_probe(user="far"), "unknown", "wrong_password", "far")

    def test_a_locked_account(self):
        self.server.sql("CREATE USER locked IDENTIFIED BY 'a secret word' ACCOUNT LOCK")
        self.assert_found(self.run_probe(user="locked"), "unknown", "account_locked", "locked")

    def test_missing_privileges_leave_out_what_they_hide(self):
        self.server.user("poor", PASSWORD)
        report = self.run_probe(user="poor")
        self.assertEqual(report["verdict"], "ok", report)
        self.assertIsNotNone(sample(report, "connections_used"))
        self.assertIsNone(sample(report, "longest_query"), "it would be a lie")
        self.assertIn("GRANT SLAVE MONITOR ON *.* TO 'poor'@'%'", evidence(report, "replication"))
        self.assertIn("GRANT PROCESS ON *.*", evidence(report, "longest query"))
        report = self.run_probe(user="poor", replica="required")
        self.assert_found(report, "unknown", "missing_privilege", "'poor'@'%' lacks SLAVE MONITOR")
        self.assertIn("GRANT SLAVE MONITOR ON", report["remedy"])

    def test_too_many_connections(self):
        with ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(self.server.session()).run("SELECT 1")
            report = wait_until(lambda: self._refused(), "the server to be full")
            self.assert_found(report, "critical", "too_many_connections", "too many connections")
        wait_until(lambda: self.run_probe()["verdict"] == "ok", "room again")
        # MariaDB 10.11.19 refuses them and leaves its counter at zero, so the server is the measure and not a number.
        counted = self.server.sql("SHOW GLOBAL STATUS LIKE 'Connection_errors_max_connections'").split()[1]
        self.assertEqual(sample(self.run_probe(), "refused_connections"), int(counted))
        self.assertGreater(sample(self.run_probe(), "aborted_connects"), 0, "there it counts them")

    def _refused(self):
        report = self.run_probe()
        return report if report["verdict"] != "ok" else None

    def test_a_server_that_should_take_writes(self):
        self.assertEqual(self.run_probe(writable=True)["verdict"], "ok")
        self.server.sql("SET GLOBAL read_only = ON")
        try:
            self.assert_found(self.run_probe(writable=True), "critical", "read_only", "read-only")
            self.assertEqual(self.run_probe()["verdict"], "ok")
        finally:
            self.server.sql("SET GLOBAL read_only = OFF")

    def test_the_longest_query_is_shown_without_its_values(self):
        with self.server.session() as other:
            other.begin("SELECT SLEEP(100), 'private' /* token */, `queue` FROM shop.jobs UNION SELECT SLEEP(100), 2, 3;")
            report = wait_until(lambda: self._with_long_query(), "the query to be seen", 20)
            text = evidence(report, "longest query")
            self.assertRegex(text, r"^\d+ s by root in mysql \(User sleep\): SELECT SLEEP\(\?\), \? , `queue` FROM shop.jobs")
            self.assertNotIn("private", json.dumps(report))
            self.assertNotIn("token", json.dumps(report))

    def _with_long_query(self):
        report = self.run_probe()
        return report if (sample(report, "longest_query") or 0) >= 1 else None


class QueryTest(OneServer):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.sql("INSERT INTO jobs (queue, reserved_at, available_at, cost) VALUES "
                       "('mail', NULL, UNIX_TIMESTAMP() - 600, 1.25), ('mail', NULL, UNIX_TIMESTAMP() - 10, 2.5), "
                       "('slow', 1, UNIX_TIMESTAMP(), 1000000.01), ('sms', NULL, UNIX_TIMESTAMP() - 60, 3)", "shop")

    def ask(self, query, **check):
        return self.run_probe(query=query, database="shop", **check)

    def test_rows_are_told_apart_by_their_labels(self):
        report = self.ask("SELECT queue, COUNT(*) AS pending, UNIX_TIMESTAMP() - MIN(available_at) AS oldest, SUM(cost) AS "
                          "cost FROM jobs WHERE reserved_at IS NULL GROUP BY queue", row_labels=["queue"],
                          limits={"pending": {"warning": 1}, "oldest": {"critical": 500}})
        self.assertEqual(report["verdict"], "critical", report)
        self.assertEqual(sample(report, "pending", queue="mail"), 2)
        self.assertEqual(sample(report, "cost", queue="mail"), 3.75)
        self.assertEqual(sample(report, "pending", queue="sms"), 1)
        self.assertGreaterEqual(sample(report, "oldest", queue="mail"), 600)
        self.assertEqual(sample(report, "rows"), 2)
        self.assertEqual([phase["name"] for phase in report["phases"]], ["login", "query"])

    def test_the_age_of_the_newest_row(self):
        self.server.sql("SET GLOBAL time_zone = '+09:00'")
        try:
            for newest, zone in (("MAX(made)", {"timezone": "Asia/Tokyo"}), ("UNIX_TIMESTAMP(MAX(made))", {})):
                report = self.ask(f"SELECT {newest} AS made FROM jobs", newest="made", **zone)
                self.assertEqual(report["verdict"], "ok", report)
                self.assertTrue(0 < sample(report, "newest_age") < 200, report)
        finally:
            self.server.sql("SET GLOBAL time_zone = 'SYSTEM'")

    def test_mistakes_say_what_to_do(self):
        for query, reason, words in (("SELECT nothing FROM jobs", "wrong_query", "nothing"),
                                     ("SELECT COUNT(* FROM jobs", "wrong_query", "syntax"),
                                     ("SELECT 1 FROM jbos", "no_such_table", "jbos"),
                                     ("SELECT 1 FROM mysql.global_priv", "missing_privilege", "mysql.global_priv")):
            report = self.ask(query)
            self.assert_found(report, "unknown", reason, words)
            self.assertTrue(report["remedy"], report)
        self.assertIn("GRANT SELECT ON mysql.global_priv TO 'monitor'@'%'",
                      self.ask("SELECT 1 FROM mysql.global_priv")["remedy"])

    def test_nothing_can_be_changed(self):
        self.server.sql("GRANT ALL ON shop.* TO 'monitor'@'%'; CREATE SEQUENCE IF NOT EXISTS numbers", "shop")
        self.server.sql("CREATE FUNCTION IF NOT EXISTS meddle() RETURNS INT BEGIN INSERT INTO jobs (queue) VALUES ('x'); "
                        "RETURN 1; END".join(["DELIMITER //\n", "//\nDELIMITER ;"]), "shop")
        before = self.server.sql("SELECT COUNT(*) FROM jobs", "shop")
        self.assert_found(self.ask("SELECT meddle() AS n"), "unknown", "query_writes", "would change")
        self.assertEqual(self.server.sql("SELECT COUNT(*) FROM jobs", "shop"), before)

    def test_big_answers_have_a_bound(self):
        report = self.ask("SELECT REPEAT('x', 1000) AS text FROM jobs a, jobs b, jobs c, jobs d, jobs e, "
                          "jobs f, jobs g")
        self.assertEqual(report["verdict"], "ok", report)
        self.assertEqual(sample(report, "rows"), 50)
        self.assertIn("more than 50", evidence(report, "rows"))
        for size in (1_500_000, 5_000_000):
            self.assert_found(self.ask(f"SELECT REPEAT('x', {size}) AS text"), "unknown", "answer_too_large")

    def test_a_locked_table(self):
        with self.server.session("shop") as other:
            other.run("LOCK TABLES jobs WRITE")
            report = self.ask("SELECT COUNT(*) AS n FROM jobs", timeout="2s")
            self.assert_found(report, "critical", "query_too_slow", "did not end in time")

    def test_a_slow_query_is_stopped_by_the_server(self):
        report = self.ask("SELECT SLEEP(30) AS n FROM jobs", timeout="1s")
        self.assertIn(report["reason"], ("query_too_slow", "timeout"), report)
        wait_until(lambda: "SLEEP" not in self.server.sql("SELECT info FROM information_schema.processlist WHERE id <> "
                                                          "connection_id()"), "the server to have dropped it")


class HangTest(unittest.TestCase):
    """Servers that go away, stop, or are not there."""

    @contextmanager
    def server(self, *options):
        with MariaDb(*options) as server:
            server.user("monitor", PASSWORD, *STATUS_GRANTS)
            yield server

    def test_nobody_there(self):
        with self.server() as server:
            server.stop()
            report = probe({"address": server.address})
            self.assertEqual((report["verdict"], report["reason"]), ("critical", "connect_refused"), report)
            self.assertIn("refused", report["summary"])
            report = probe({"socket": str(server.socket)})
            self.assertEqual((report["verdict"], report["reason"]), ("critical", "socket_missing"), report)
            self.assertIn(str(server.socket), report["summary"])
            server.start()
            server.stop(signal.SIGKILL)
            report = probe({"socket": str(server.socket)})
            self.assertEqual((report["verdict"], report["reason"]), ("critical", "socket_refused"), report)
            self.assertIn("nobody listens", report["summary"])

    def test_an_unknown_name(self):
        report = probe({"address": "no-such-host.invalid:3306"})
        self.assertIn(report["reason"], ("name_not_found", "resolver_failed"), report)

    def test_a_stopped_server(self):
        with self.server() as server:
            server.process.send_signal(signal.SIGSTOP)
            for where in ({"address": server.address}, {"socket": str(server.socket)}):
                report = probe({**where, "timeout": "1s"})
                self.assertEqual((report["verdict"], report["reason"]), ("critical", "timeout"), report)
                self.assertIn("no completed login within 1 s", report["summary"])

    def test_a_server_that_goes_in_the_middle_of_a_query(self):
        for number, reason in ((signal.SIGSTOP, "timeout"), (signal.SIGKILL, "connection_lost")):
            with self.server() as server:
                found = {}
                asking = threading.Thread(target=lambda: found.update(probe(
                    {"address": server.address, "query": "SELECT SLEEP(20) AS n", "timeout": "4s"})))
                asking.start()
                wait_until(lambda: "SLEEP" in server.sql("SELECT info FROM information_schema.processlist WHERE id <> "
                                                         "connection_id()"), "the query to run")
                server.process.send_signal(number)
                asking.join()
                self.assertEqual((found["verdict"], found["reason"]), ("critical", reason), found)


class TlsTest(unittest.TestCase):
    NAME = "localhost"

    def setUp(self):
        self.authority = Authority()
        self.addCleanup(self.authority.close)

    def serve(self, certificate, *options):
        server = MariaDb(*options, certificate=certificate).start()
        self.addCleanup(server.close)
        server.user("monitor", PASSWORD, *STATUS_GRANTS)
        server.sql("ALTER USER 'monitor'@'%' REQUIRE SSL")
        return server

    def ask(self, server, host="localhost", **tls):
        return probe({"address": f"{host}:{server.port}", "tls": {"ca_file": str(self.authority.file), **tls}})

    def test_the_right_name_and_the_wrong_ones(self):
        server = self.serve(self.authority.issue("localhost", "127.0.0.1"))
        for host in ("localhost", "127.0.0.1"):
            report = self.ask(server, host)
            self.assertEqual(report["verdict"], "ok", report)
        report = probe({"address": server.address})
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "wrong_password"), report)
        report = self.ask(server, "127.0.0.2")  # nobody listens there
        self.assertEqual(report["reason"], "connect_refused", report)
        with Authority("another authority") as other:
            report = self.ask(server, ca_file=str(other.file))
            self.assertEqual((report["verdict"], report["reason"]), ("critical", "tls_untrusted"), report)
        report = probe({"address": f"localhost:{server.port}", "tls": True})
        self.assertEqual((report["verdict"], report["reason"]), ("critical", "tls_untrusted"), report)
        report = self.ask(server, ca_file="/nowhere/ca.pem")
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "missing:/nowhere/ca.pem"), report)

    def test_a_certificate_for_somebody_else(self):
        server = self.serve(self.authority.issue("db.example.com"))
        report = self.ask(server)
        self.assertEqual((report["verdict"], report["reason"]), ("critical", "tls_wrong_name"), report)
        report = self.ask(server, insecure=True)
        self.assertEqual(report["verdict"], "ok", report)

    def test_the_name_counts_for_the_systems_authorities_as_well(self):
        trusted = {"SSL_CERT_FILE": str(self.authority.file)}
        for name, reason in (("localhost", None), ("db.example.com", "tls_wrong_name")):
            server = self.serve(self.authority.issue(name))
            report = probe({"address": f"localhost:{server.port}", "tls": True}, environment=trusted)
            self.assertEqual(report.get("reason"), reason, report)

    def test_a_server_without_tls(self):
        with MariaDb() as server:
            server.user("monitor", PASSWORD, *STATUS_GRANTS)
            for tls in (True, {"insecure": True}):
                report = probe({"address": server.address, "tls": tls})
                self.assertEqual((report["verdict"], report["reason"]), ("critical", "tls_missing"), report)


if __name__ == "__main__":
    unittest.main()
