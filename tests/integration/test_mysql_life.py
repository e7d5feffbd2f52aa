# time-out: 600
"""The mysql probe against real MariaDB servers: replicas, a daemon over time, and the examples of the documentation."""

import json
import unittest

import yaml

from support import Daemon, repository, sample, wait_until
from support.mariadb import PASSWORD, STATUS_GRANTS, MariaDb, probe
from support.network import free_port


class ReplicaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = MariaDb("--server-id=1", "--log-bin", "--binlog-format=STATEMENT").start()
        cls.addClassCleanup(cls.source.close)
        cls.source.user("monitor", PASSWORD, *STATUS_GRANTS)
        cls.source.user("copier", PASSWORD, "REPLICATION SLAVE ON *.*")
        cls.source.sql("CREATE DATABASE shop; CREATE TABLE shop.jobs (id INT PRIMARY KEY, note VARCHAR(50))")
        cls.replica = MariaDb("--server-id=2", "--read-only", "--slave-net-timeout=60").start()
        cls.addClassCleanup(cls.replica.close)
        cls.replicate("", cls.source.port)
        wait_until(lambda: cls.sees("ok"), "the replica to follow", 30)

    @classmethod
    def replicate(cls, channel, port):
        cls.replica.sql(f"CHANGE MASTER {channel} TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='copier', "
                        f"MASTER_PASSWORD='{PASSWORD}', MASTER_CONNECT_RETRY=1; START SLAVE {channel}")

    @classmethod
    def ask(cls, **check):
        return probe({"socket": str(cls.replica.socket), **check})

    @classmethod
    def sees(cls, verdict, **check):
        report = cls.ask(**check)
        return report if report["verdict"] == verdict and report.get("reason") != "wrong_password" else None

    def test_a_replica_that_follows(self):
        report = self.ask(replica="required")
        self.assertEqual(report["verdict"], "ok", report)
        self.assertEqual(sample(report, "replica_lag"), 0)
        self.assertIn("replica up to date", report["summary"])
        report = self.ask(writable=True)
        self.assertEqual((report["verdict"], report["reason"]), ("critical", "read_only"), report)

    def test_a_server_that_should_be_a_replica_and_is_none(self):
        report = probe({"socket": str(self.source.socket), "replica": "required"})
        self.assertEqual((report["verdict"], report["reason"]), ("critical", "not_a_replica"), report)

    def test_lag(self):
        with self.replica.session("shop") as other:
            other.run("LOCK TABLES jobs READ")
            self.source.sql("INSERT INTO jobs VALUES (100, 'x')", "shop")
            report = wait_until(lambda: self.sees("warning", limits={"replica_lag": {"warning": "500ms"}}), "some lag", 30)
            self.assertRegex(report["summary"] + report["why"], "behind|replica_lag")
            self.assertGreaterEqual(sample(report, "replica_lag"), 1)
        wait_until(lambda: sample(self.ask(), "replica_lag") == 0, "the replica to catch up", 30)

    def test_a_stopped_thread(self):
        for thread in ("SQL_THREAD", "IO_THREAD"):
            self.replica.sql(f"STOP SLAVE {thread}")
            report = self.ask()
            self.assertEqual((report["verdict"], report["reason"]), ("critical", "replication_stopped"), report)
            self.assertRegex(report["summary"], "replication from 127.0.0.1 has stopped")
            self.assertIsNone(sample(report, "replica_lag"), "it is not measured")
            self.assertEqual(self.ask(replica="never")["verdict"], "ok")
            self.replica.sql(f"START SLAVE {thread}")
            wait_until(lambda: self.sees("ok"), "the replica to go on", 30)

    def test_an_error_is_quoted_without_the_statement(self):
        self.replica.sql("SET GLOBAL read_only = OFF; INSERT INTO jobs VALUES (200, 'here already')", "shop")
        self.source.sql("INSERT INTO jobs VALUES (200, 'private note')", "shop")
        report = wait_until(lambda: self.sees("critical"), "the replica to stop", 30)
        self.assertEqual(report["reason"], "replication_stopped", report)
        self.assertIn("Duplicate entry", report["summary"])
        self.assertNotIn("private note", json.dumps(report))
        self.replica.sql("SET GLOBAL read_only = ON; DELETE FROM jobs WHERE id = 200; START SLAVE", "shop")
        wait_until(lambda: self.sees("ok"), "the replica to go on", 30)

    def test_a_second_source_that_is_gone(self):
        self.replicate("'west'", free_port())
        try:
            report = wait_until(lambda: self.sees("critical"), "the channel to be seen", 30)
            self.assertEqual(report["reason"], "replication_disconnected", report)
            self.assertRegex(report["summary"], "replication channel west from 127.0.0.1: the source cannot be reached")
            self.assertEqual(sample(report, "replica_lag"), 0, "that of the other")
        finally:
            self.replica.sql("STOP SLAVE 'west'; RESET SLAVE 'west' ALL")


class LifeTest(unittest.TestCase):
    """The probe in a daemon, over time."""

    def daemon(self, **check):
        daemon = Daemon({"db": {"probe": "mysql", "user": "monitor", "password": PASSWORD, "every": "200ms",
                                "timeout": "150ms", "confirm": {"failures": 1}, **check}})
        self.addCleanup(daemon.close)
        return daemon.start()

    @staticmethod
    def state(daemon):
        return daemon.json("/api/v1/checks")["checks"][0]

    def wait_for_runs(self, daemon, more):
        goal = self.state(daemon)["runs"] + more
        wait_until(lambda: self.state(daemon)["runs"] >= goal, f"{more} more runs", 20)

    def test_a_kept_connection_is_one_connection_and_survives_a_restart(self):
        with MariaDb() as server:
            server.user("monitor", PASSWORD, *STATUS_GRANTS)
            daemon = self.daemon(address=server.address, keep_connection=True)
            self.wait_for_runs(daemon, 2)
            count = "SELECT COUNT(*), MIN(id) FROM information_schema.processlist WHERE user = 'monitor'"
            first = server.sql(count)
            self.assertTrue(first.startswith("1\t"), first)
            self.wait_for_runs(daemon, 5)
            self.assertEqual(server.sql(count), first, "the same connection")
            server.stop()
            wait_until(lambda: self.state(daemon)["verdict"] == "critical", daemon.log)
            server.start()
            wait_until(lambda: self.state(daemon)["verdict"] == "ok", daemon.log)
            server.sql("KILL CONNECTION " + server.sql(count).split()[1])
            self.wait_for_runs(daemon, 3)
            self.assertEqual(self.state(daemon)["verdict"], "ok", daemon.log())
            self.assertTrue(server.sql(count).startswith("1\t"))
            self.assertEqual(daemon.stop(), 0, daemon.log())

    def test_rows_and_limits_through_the_daemon(self):
        with MariaDb() as server:
            server.user("monitor", PASSWORD, "SELECT ON shop.*")
            server.sql("CREATE DATABASE shop; CREATE TABLE shop.jobs (queue VARCHAR(50))")
            daemon = self.daemon(socket=str(server.socket), database="shop", row_labels=["queue"],
                                 query="SELECT queue, COUNT(*) AS pending FROM jobs GROUP BY queue",
                                 limits={"pending": {"critical": 2}})
            server.sql("INSERT INTO jobs VALUES ('mail'), ('sms')", "shop")
            self.wait_for_runs(daemon, 2)
            self.assertEqual(self.state(daemon)["verdict"], "ok", daemon.log())
            server.sql("INSERT INTO jobs VALUES ('mail'), ('mail')", "shop")
            wait_until(lambda: self.state(daemon)["verdict"] == "critical", daemon.log)
            values = {name: value for name, value in daemon.metrics().items() if 'queue="mail"' in name}
            self.assertIn(3, values.values(), values)
            server.sql("DROP TABLE jobs", "shop")
            wait_until(lambda: self.state(daemon)["verdict"] == "unknown", daemon.log)
            self.assertIn("jobs", json.dumps(self.state(daemon)))

    def test_a_run_by_hand_knows_what_the_last_one_left_and_leaves_nothing(self):
        with MariaDb() as server:
            server.user("monitor", PASSWORD, "SELECT ON shop.*")
            server.sql("CREATE DATABASE shop; CREATE TABLE shop.jobs (id INT)")
            daemon = self.daemon(socket=str(server.socket), database="shop", query="SELECT COUNT(*) AS n FROM jobs",
                                 every="1h", timeout="5s")
            wait_until(lambda: self.state(daemon)["runs"] >= 1, daemon.log)
            server.sql("INSERT INTO jobs VALUES (1)", "shop")
            for _ in range(2):
                report = json.loads(daemon.command("probe", "db", "--json").stdout)
                self.assertEqual(sample(report, "changed"), 1, report)
                self.assertEqual(report["limits"], [], "the server's own figures are not asked for")


class ExamplesTest(unittest.TestCase):
    """config/examples/mysql.yaml with the account of docs/probes/mysql.md, pointed at a server of the test's own."""

    TABLES = """
        CREATE DATABASE talentqx; USE talentqx;
        CREATE TABLE jobs (id BIGINT AUTO_INCREMENT PRIMARY KEY, queue VARCHAR(255), payload LONGTEXT, attempts TINYINT,
                           reserved_at INT UNSIGNED, available_at INT UNSIGNED, created_at INT UNSIGNED);
        CREATE TABLE failed_jobs (id BIGINT AUTO_INCREMENT PRIMARY KEY, failed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
        CREATE TABLE maritime_invite_runs (id INT AUTO_INCREMENT PRIMARY KEY, created_at TIMESTAMP);
        INSERT INTO jobs (queue, available_at) VALUES ('mail', UNIX_TIMESTAMP()), ('mail', UNIX_TIMESTAMP());
        INSERT INTO maritime_invite_runs (created_at) VALUES (NOW());
        CREATE DATABASE workset; USE workset;
        CREATE TABLE training_sessions (status VARCHAR(20), completed_at DATETIME);
        CREATE TABLE users (created_at DATETIME);
        INSERT INTO training_sessions VALUES ('active', NULL), ('done', NOW()), ('done', NOW() - INTERVAL 2 HOUR);
        INSERT INTO users VALUES (NOW()), (NOW() - INTERVAL 2 DAY)"""

    @classmethod
    def setUpClass(cls):
        cls.server = MariaDb("--default-time-zone=+00:00").start()
        cls.addClassCleanup(cls.server.close)
        page = (repository / "docs/probes/mysql.md").read_text(encoding="utf-8")
        account = page.split("```sql\n")[1].split("```")[0].replace("'…'", f"'{PASSWORD}'")
        cls.server.sql(account + account.replace("localhost", "127.0.0.1"))
        cls.server.sql(cls.TABLES)
        cls.server.sql("".join(f"GRANT SELECT ON {name}.* TO vitald@'{host}';" for name in ("talentqx", "workset")
                               for host in ("localhost", "127.0.0.1")))

    def run_check(self, name):
        example = yaml.safe_load((repository / "config/examples/mysql.yaml").read_text(encoding="utf-8"))
        check = {**example["checks"][name], "password": PASSWORD}
        if "socket" in check:
            check["socket"] = str(self.server.socket)
        else:
            check["address"] = self.server.address
        return probe(check)

    def test_a_healthy_host(self):
        for name in ("mysql", "jobs", "failed-jobs", "maritime-invites", "business"):
            report = self.run_check(name)
            self.assertEqual(report["verdict"], "ok", (name, report))
        self.assertEqual(sample(self.run_check("jobs"), "pending", queue="mail"), 2)
        business = self.run_check("business")
        self.assertEqual([sample(business, name) for name in ("sessions_active", "completed_per_hour", "sign_ups_per_day")],
                         [1, 1, 1])

    def test_what_goes_wrong_is_told(self):
        self.server.sql("UPDATE maritime_invite_runs SET created_at = NOW() - INTERVAL 1 DAY", "talentqx")
        report = self.run_check("maritime-invites")
        self.assertEqual(report["verdict"], "critical", report)
        self.assertIn("newest age", report["why"])
        self.server.sql("DELETE FROM maritime_invite_runs", "talentqx")
        self.assertEqual(self.run_check("maritime-invites")["reason"], "no_newest")
        self.server.sql("INSERT INTO maritime_invite_runs (created_at) VALUES (NOW())", "talentqx")

        self.server.sql("RENAME TABLE jobs TO gone", "talentqx")
        report = self.run_check("jobs")
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "no_such_table"), report)
        self.assertIn("talentqx.jobs", report["summary"])
        self.server.sql("RENAME TABLE gone TO jobs", "talentqx")


if __name__ == "__main__":
    unittest.main()
