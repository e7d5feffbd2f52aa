"""The postgres probe against a real PostgreSQL and its standby."""
# time-out: 480

import json
import os
import signal
import tempfile
import unittest
from datetime import timedelta
from pathlib import Path

from support import Authority, Daemon, free_port, sample, wait_until
from support.one_run import Run, evidence, probe
from support.postgres import Postgres

NAME = "db.example.com"
PASSWORD = "correct horse"
LOGIN = {"probe": "postgres", "user": "vitald", "password": PASSWORD, "database": "shop"}


def prepare(server):
    server.psql(f"CREATE ROLE vitald LOGIN PASSWORD '{PASSWORD}'", f"CREATE ROLE plain LOGIN PASSWORD '{PASSWORD}'",
                "GRANT pg_monitor TO vitald", "CREATE DATABASE shop")
    server.psql("CREATE TABLE orders (id int PRIMARY KEY, queue text, total numeric)",
                "GRANT SELECT ON orders TO vitald",
                "CREATE TABLE secrets (id int)", "INSERT INTO orders VALUES (1, 'a', 10), (2, 'b', 200), (3, 'b', 300)",
                database="shop")


class PostgresCase(unittest.TestCase):
    SETTINGS = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Postgres(cls.SETTINGS)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        prepare(cls.server)

    def assert_report(self, report, verdict, reason, words):
        self.assertEqual((report["verdict"], report.get("reason", "")), (verdict, reason), report)
        self.assertRegex(report["summary"], words)
        self.assertNotIn(PASSWORD, json.dumps(report))
        if verdict == "unknown":
            self.assertNotEqual(report["remedy"], "", report)

    def sessions(self, condition):
        """How many of the server's are like that."""
        return int(self.server.value(f"SELECT count(*) FROM pg_stat_activity WHERE {condition}"))

    def backend_of_vitald(self):
        """The process that serves a run which is under way."""
        return int(wait_until(lambda: self.server.value(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'vitald' AND state = 'active'"),
            self.server.log))


class LoginTest(PostgresCase):
    def test_socket_and_tcp_with_scram(self):
        for where in ({"socket": str(self.server.socket)}, {"address": self.server.address}):
            report = probe({**LOGIN, **where, "role": "primary"})
            self.assert_report(report, "ok", "", r"^primary answers in .*; \d+ of 17 connections used$")
            self.assertEqual([phase["name"] for phase in report["phases"]], ["connect", "login", "query"])
            self.assertEqual(sample(report, "longest_transaction"), 0)
            self.assertGreater(sample(report, "commits"), 0)
        self.assertNotIn("unexpected EOF", self.server.log())
        self.assertEqual(self.server.value("SELECT sessions_abandoned FROM pg_stat_database WHERE datname = 'shop'"),
                         "0")

    def test_a_missing_socket_and_one_that_nobody_listens_on(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assert_report(probe({**LOGIN, "socket": folder}), "critical", "socket_missing", f"no socket {folder}/")
            dead = Postgres()
            self.addCleanup(dead.close)
            dead.start()
            dead.stop(signal.SIGKILL)
            self.assert_report(probe({**LOGIN, "socket": str(dead.socket)}), "critical", "socket_refused",
                               "nobody listens")
        self.assert_report(probe({**LOGIN, "address": f"127.0.0.1:{free_port()}"}), "critical", "connect_refused",
                           "refused")

    def test_who_is_not_let_in(self):
        here = {**LOGIN, "address": self.server.address}
        self.assert_report(probe({**here, "password": "wrong"}), "unknown", "wrong_password", "password of 'vitald'")
        without = {key: value for key, value in here.items() if key != "password"}
        self.assert_report(probe(without), "unknown", "password_missing", "wants a password")
        self.assert_report(probe({**here, "user": "nobody_admits"}), "unknown", "no_pg_hba_entry", "pg_hba.conf")
        self.assert_report(probe({**here, "database": "nothing"}), "unknown", "wrong_database", "no database 'nothing'")
        self.assert_report(probe({**here, "tls": True}), "critical", "tls_not_offered", "does not offer TLS")
        # Known to the owner of the right password only.
        self.server.psql("ALTER ROLE plain NOLOGIN")
        self.addCleanup(self.server.psql, "ALTER ROLE plain LOGIN")
        self.assert_report(probe({**here, "user": "plain"}), "unknown", "role_missing", "no login role 'plain'")

    def test_the_environment_has_no_say(self):
        with tempfile.TemporaryDirectory() as home:
            pass_file = Path(home, ".pgpass")
            pass_file.write_text(f"*:*:*:*:{PASSWORD}\n", encoding="ascii")
            pass_file.chmod(0o600)
            Path(home, ".postgresql").mkdir()
            Path(home, ".postgresql", "root.crt").write_text("nonsense", encoding="ascii")
            hostile = {"HOME": home, "PGPASSWORD": PASSWORD, "PGPASSFILE": str(pass_file), "PGSSLMODE": "require",
                       "PGHOST": "/nowhere", "PGHOSTADDR": "127.0.0.9", "PGPORT": "1", "PGUSER": "postgres",
                       "PGDATABASE": "postgres", "PGOPTIONS": "-c statement_timeout=1", "PGAPPNAME": "other",
                       "PGCHANNELBINDING": "require", "PGTARGETSESSIONATTRS": "standby", "PGSSLCERT": "/nowhere",
                       "PGSSLKEY": "/nowhere", "PGSSLROOTCERT": "/nowhere", "PGSSLCRL": "/nowhere",
                       "PGREQUIREPEER": "x",
                       "PGCLIENTENCODING": "LATIN1", "PGGSSENCMODE": "require", "PGREQUIRESSL": "1"}
            here = {**LOGIN, "address": self.server.address}
            report = probe({**here, "query": "SELECT current_setting('application_name') AS name, "
                                             "current_setting('client_encoding') AS coding"}, hostile)
            self.assert_report(report, "ok", "", "^name vitald, coding UTF8$")
            without = {key: value for key, value in here.items() if key != "password"}
            self.assert_report(probe(without, hostile), "unknown", "password_missing", "wants a password")
            self.assert_report(probe({**LOGIN, "socket": str(self.server.socket)}, hostile), "ok", "", "primary")

    def test_what_a_role_without_pg_monitor_does_not_see(self):
        report = probe({**LOGIN, "user": "plain", "address": self.server.address})
        self.assert_report(report, "ok", "", "connections used")
        self.assertIsNone(sample(report, "longest_transaction"))
        self.assertGreaterEqual(sample(report, "connections_used"), 1)
        self.assertIn("GRANT pg_monitor", evidence(report, "not measured"))


class TlsTest(PostgresCase):
    @classmethod
    def setUpClass(cls):
        cls.authority = Authority()
        cls.addClassCleanup(cls.authority.close)
        cls.server = Postgres(certificate=cls.authority.issue(NAME))
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        prepare(cls.server)

    def check(self, **tls):
        return probe({**LOGIN, "address": self.server.address,
                      "tls": {"server_name": NAME, "ca_file": str(self.authority.file), **tls}})

    def present(self, certificate):
        for source, name in ((certificate.file, "server.crt"), (certificate.key, "server.key")):
            (self.server.data / name).write_bytes(source.read_bytes())
        before = self.server.log().count("reloading configuration files")
        self.server.psql("SELECT pg_reload_conf()")
        wait_until(lambda: self.server.log().count("reloading configuration files") > before, self.server.log)
        self.addCleanup(self.server.log)

    def test_verified(self):
        self.present(self.authority.issue(NAME))
        report = self.check()
        self.assert_report(report, "ok", "", "primary")
        self.assertEqual([phase["name"] for phase in report["phases"]], ["connect", "tls", "login", "query"])
        report = probe({**LOGIN, "address": self.server.address, "tls": {"server_name": NAME,
                                                                         "ca_file": str(self.authority.file)},
                        "query": "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()"})
        self.assert_report(report, "ok", "", "^ssl 1, version TLSv1.3$")

    def test_insecure_takes_any_certificate(self):
        with Authority("another authority") as other:
            self.present(other.issue("other.example.com", valid_until=timedelta(days=-1),
                                     valid_from=timedelta(days=-3)))
            self.assert_report(self.check(insecure=True), "ok", "", "primary")

    def test_wrong_name(self):
        self.present(self.authority.issue("other.example.com"))
        self.assert_report(self.check(), "critical", "tls_wrong_name", f"for other.example.com, not for {NAME}")

    def test_expired(self):
        self.present(self.authority.issue(NAME, valid_from=timedelta(days=-30), valid_until=timedelta(days=-3)))
        self.assert_report(self.check(), "critical", "tls_expired", "certificate expired 3 d")

    def test_untrusted(self):
        with Authority("another authority") as other:
            self.present(other.issue(NAME))
            # Where the user named an authority, an intermediate that is missing is the likelier reason.
            self.assert_report(self.check(), "critical", "tls_chain_incomplete", "another authority")
            report = probe({**LOGIN, "address": self.server.address, "tls": {"server_name": NAME}})
            self.assert_report(report, "critical", "tls_untrusted", "another authority")

    def test_a_file_that_is_not_there(self):
        report = self.check(ca_file="/nowhere/ca.pem")
        self.assert_report(report | {"remedy": "-"}, "unknown", "bad_file:/nowhere/ca.pem", "does not exist")


class QueryTest(PostgresCase):
    def check(self, query, **more):
        return probe({**LOGIN, "socket": str(self.server.socket), "query": query, **more})

    def test_numbers_by_type_and_rows_by_label(self):
        report = self.check("SELECT queue, count(*) AS pending, sum(total) AS total, max(total) > 250 AS big, "
                            "max(total)::text AS words, avg(total)::float8 AS mean FROM orders "
                            "GROUP BY queue ORDER BY queue",
                            row_labels=["queue"], limits={"total": {"warning": 100, "critical": 1000}})
        self.assert_report(report, "warning", "", "2 rows")
        self.assertEqual((sample(report, "pending", queue="a"), sample(report, "pending", queue="b")), (1, 2))
        self.assertEqual((sample(report, "total", queue="b"), sample(report, "mean", queue="b")), (500, 250))
        self.assertEqual((sample(report, "big", queue="a"), sample(report, "big", queue="b")), (0, 1))
        self.assertIsNone(sample(report, "words", queue="b"))
        self.assertRegex(report["why"], "total.*500|500.*total")

    def test_the_age_of_the_newest(self):
        report = self.check("SELECT now() - interval '90 s' AS at", newest="at")
        self.assertTrue(85 < sample(report, "newest_age") < 120, report)

    def test_too_much_is_cut(self):
        report = self.check("SELECT generate_series(1, 100000000) AS n", row_labels=["n"], max_rows=10)
        self.assert_report(report, "ok", "", "10 rows and more")
        report = self.check("SELECT repeat('x', 100000000) AS x")
        self.assert_report(report, "unknown", "answer_too_large", "larger than 1024 KiB")

    def test_mistakes_are_the_users(self):
        self.assert_report(self.check("SELECT nothing FROM orders"), "unknown", "query_mistake",
                           "nothing.*does not exist")
        self.assert_report(self.check("SELECT 1 FROM nowhere"), "unknown", "query_mistake", "nowhere.*does not exist")
        self.assert_report(self.check("SELECT FROM WHERE"), "unknown", "query_mistake", "syntax error")
        self.assert_report(self.check("SELECT id FROM secrets"), "unknown", "missing_privilege", "permission denied")
        self.assert_report(self.check("SELECT 1/(total-10)::int FROM orders"), "unknown", "query_mistake",
                           "division by zero")
        self.assert_report(self.check("SELECT setval('s', 1) FROM (SELECT 1) AS x"), "unknown", "query_mistake",
                           "does not exist")

    def test_nothing_is_written(self):
        self.server.psql("CREATE FUNCTION meddle() RETURNS int LANGUAGE sql AS "
                         "'INSERT INTO orders VALUES (99) RETURNING id'", "GRANT INSERT ON orders TO vitald",
                         database="shop")
        self.assert_report(self.check("SELECT meddle() AS x"), "unknown", "query_writes", "read-only")

    def test_a_locked_table(self):
        with self.server.session("BEGIN", "LOCK TABLE orders", database="shop"):
            wait_until(lambda: self.server.value("SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' "
                                                 "AND granted AND relation IS NOT NULL LIMIT 1"), "the lock")
            report = self.check("SELECT count(*) AS pending FROM orders", timeout="1s")
        self.assert_report(report, "critical", "lock_timeout", "lock that another session holds")

    def test_a_slow_query(self):
        report = self.check("SELECT pg_sleep(20)::text AS x", timeout="1s")
        self.assert_report(report, "critical", "query_too_slow", "did not end in time")
        wait_until(lambda: self.sessions("query LIKE '%pg_sleep(20)%' AND application_name = 'vitald'") == 0,
                   "the server to work on for nobody", 5)


class LifeTest(PostgresCase):
    """What happens to a server while it is asked; each test leaves it answering."""

    def slow(self, timeout="3s"):
        return Run({**LOGIN, "socket": str(self.server.socket), "query": "SELECT pg_sleep(60)::text AS x",
                    "timeout": timeout})

    def test_stopped_in_the_middle_of_a_query(self):
        run = self.slow()
        backend = self.backend_of_vitald()
        os.kill(backend, signal.SIGSTOP)
        try:
            report, _ = run.result()
        finally:
            os.kill(backend, signal.SIGCONT)
        self.assert_report(report, "critical", "timeout", "logged in, but no answer to the query within 3 s")

    def test_killed_in_the_middle_of_a_query(self):
        run = self.slow()
        os.kill(self.backend_of_vitald(), signal.SIGKILL)
        report, _ = run.result()
        self.assert_report(report, "critical", "connection_lost", "closed the connection in the middle of a query")
        wait_until(lambda: self.server.psql("SELECT 1", check=False).returncode == 0, self.server.log)

    def test_ended_by_an_administrator(self):
        run = self.slow()
        self.server.psql(f"SELECT pg_terminate_backend({self.backend_of_vitald()})")
        report, _ = run.result()
        self.assert_report(report, "critical", "terminated", "administrator command")

    def test_a_long_transaction_has_a_name(self):
        with self.server.session("BEGIN", "SELECT 'sesame', 4711", database="shop", name="batch-job"):
            wait_until(lambda: self.sessions("application_name = 'batch-job' AND state = 'idle in transaction' AND "
                                             "now() - xact_start > interval '1.1 s'"),
                       "an open transaction")
            report = probe({**LOGIN, "socket": str(self.server.socket),
                            "limits": {"longest_transaction": {"warning": "1s"}}})
        self.assert_report(report, "warning", "", "primary")
        self.assertRegex(evidence(report, "longest transaction"),
                         r"^\d.* s, idle in transaction .*user postgres, database shop, pid \d+, from batch-job: "
                         r"SELECT \?, \?")
        self.assertGreater(sample(report, "idle_in_transaction"), 0.5)

    def test_a_session_that_waits_is_shown_with_the_one_in_front(self):
        with self.server.session("BEGIN", "UPDATE orders SET total = 1 WHERE id = 1", database="shop",
                                 name="front") as front:
            del front
            wait_until(lambda: self.sessions("application_name = 'front' AND state = 'idle in transaction'"),
                       "the first update")
            ahead = self.server.value("SELECT pid FROM pg_stat_activity WHERE application_name = 'front'")
            with self.server.session("UPDATE orders SET total = 2 WHERE id = 1", database="shop", name="behind"):
                wait_until(lambda: self.sessions("wait_event_type = 'Lock'"), "a wait")
                report = probe({**LOGIN, "socket": str(self.server.socket)})
        self.assertEqual(sample(report, "waiting_on_locks"), 1, report)
        self.assertIn(f"behind pid {ahead}: UPDATE orders SET total = ?", evidence(report, "waiting on a lock"))
        self.assertIn("1 session waiting for locks", report["summary"])

    def test_a_deadlock_is_counted(self):
        def deadlocks():
            return sample(probe({**LOGIN, "socket": str(self.server.socket)}), "deadlocks")

        def blocked(name):
            return self.sessions(f"wait_event_type = 'Lock' AND application_name = '{name}'")

        before = deadlocks()
        one = self.server.session("BEGIN", "UPDATE orders SET total = 1 WHERE id = 1", database="shop", name="one")
        two = self.server.session("BEGIN", "UPDATE orders SET total = 1 WHERE id = 2", database="shop", name="two")
        with one, two:
            wait_until(lambda: self.sessions("state = 'idle in transaction' AND "
                                             "application_name IN ('one', 'two')") == 2, "two transactions")
            one.say("UPDATE orders SET total = 1 WHERE id = 2")
            wait_until(lambda: blocked("one"), "the first to wait")
            two.say("UPDATE orders SET total = 1 WHERE id = 1")
            wait_until(lambda: "deadlock detected" in self.server.log(), self.server.log)
        wait_until(lambda: deadlocks() == before + 1, "the counter")

    def test_shutting_down(self):
        with self.server.session("SELECT 1", name="last"):
            wait_until(lambda: self.sessions("application_name = 'last'"), "a session")
            self.server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "received smart shutdown request" in self.server.log(), self.server.log)
            report = probe({**LOGIN, "address": self.server.address})
        self.server.process.wait(20)
        self.server.start()
        self.assert_report(report, "critical", "shutting_down", "shutting down")

    def test_a_kept_connection_lives_on_and_survives_a_restart(self):
        check = {**LOGIN, "socket": str(self.server.socket), "keep_connection": True, "every": "1s", "timeout": "900ms",
                 "role": "primary"}
        backend = "SELECT coalesce(max(pid), 0) FROM pg_stat_activity WHERE application_name = 'vitald'"
        with Daemon({"db": check}) as daemon:
            def runs():
                return daemon.json("/api/v1/checks")["checks"][0]["runs"]

            wait_until(lambda: runs() >= 1, daemon.log)
            first = self.server.value(backend)
            seen = runs()
            wait_until(lambda: runs() >= seen + 2, daemon.log)
            self.assertEqual(self.server.value(backend), first, "one connection for all runs")
            self.assertNotEqual(first, "0")
            self.server.restart()
            wait_until(lambda: self.server.value(backend) not in ("0", first), daemon.log)
            wait_until(lambda: daemon.json("/api/v1/checks")["checks"][0]["verdict"] == "ok", daemon.log)

    def test_rows_go_all_the_way_to_the_metrics(self):
        check = {**LOGIN, "socket": str(self.server.socket), "query": "SELECT queue, count(*) AS pending FROM orders "
                                                                      "GROUP BY 1",
                 "row_labels": ["queue"], "every": "1s", "timeout": "900ms", "limits": {"pending": {"critical": 2}}}
        with Daemon({"orders": check}) as daemon:
            series = 'column="pending"'
            wait_until(lambda: any(series in name for name in daemon.metrics()), daemon.log)
            found = {name: value for name, value in daemon.metrics().items() if series in name}
            self.assertEqual(sorted(found.values()), [1, 2], found)
            self.assertTrue(any('queue="b"' in name for name in found), found)


class FullTest(PostgresCase):
    SETTINGS = "max_connections = 5\nsuperuser_reserved_connections = 1\nautovacuum = off\n"

    def test_all_connections_taken(self):
        report = probe({**LOGIN, "socket": str(self.server.socket)})
        self.assert_report(report, "ok", "", "1 of 4 connections used")
        sessions = [self.server.session("SELECT 1", name=f"app-{number}") for number in range(4)]
        try:
            wait_until(lambda: self.sessions("application_name LIKE 'app-%'") == 4, "four sessions")
            report = probe({**LOGIN, "socket": str(self.server.socket)})
            self.assert_report(report, "critical", "too_many_connections", "no connection left: .*reserved")
            sessions.pop().close()
            wait_until(lambda: self.sessions("application_name LIKE 'app-%'") == 3, "three sessions")
            report = probe({**LOGIN, "socket": str(self.server.socket)})
            self.assert_report(report, "critical", "", "4 of 4 connections used")
        finally:
            for each in sessions:
                each.close()


class ReplicaTest(PostgresCase):
    def standby(self, settings):
        link = (f"primary_conninfo = 'host={self.server.sockets} port={self.server.port} user=postgres "
                "application_name=db-2'\n")
        standby = self.server.base_backup(link + settings)
        self.addCleanup(standby.close)
        return standby

    def check(self, server, **more):
        return probe({**LOGIN, "socket": str(server.socket), **more})

    def test_a_standby_from_both_sides(self):
        standby = self.standby("").start()
        wait_until(lambda: self.server.value("SELECT state FROM pg_stat_replication") == "streaming", standby.log)
        wait_until(lambda: self.check(standby, role="replica")["verdict"] == "ok", standby.log)
        report = self.check(standby, role="replica")
        self.assert_report(report, "ok", "", "^replica answers in .*, up to date; .* connections used$")
        self.assertEqual(sample(report, "replication_lag"), 0)
        self.assertIsNotNone(sample(report, "receiver_silent"))
        self.assert_report(self.check(standby, role="primary"), "critical", "wrong_role",
                           "is a replica .* instead of the primary")
        self.assert_report(self.check(self.server, role="replica"), "critical", "wrong_role",
                           "is a primary instead of a replica")
        wait_until(lambda: sample(self.check(self.server), "replication_lag_bytes", standby="db-2") == 0,
                   self.server.log)
        report = self.check(self.server, role="primary")
        self.assertEqual((sample(report, "standbys"), sample(report, "replication_lag", standby="db-2")), (1, 0),
                         report)
        self.assertIn("streaming", evidence(report, "standby db-2"))

        # The server knows no age before it has replayed a transaction.
        self.server.psql("INSERT INTO orders VALUES (50, 'c', 0)", database="shop")
        wait_until(lambda: standby.value("SELECT 1 FROM orders WHERE id = 50", database="shop"), standby.log)
        standby.psql("SELECT pg_wal_replay_pause()")
        self.server.psql("INSERT INTO orders SELECT n, 'c', 0 FROM generate_series(100, 200) AS n", database="shop")
        wait_until(lambda: sample(self.check(standby), "replication_lag_bytes") > 0, standby.log)
        wait_until(lambda: sample(self.check(standby), "replication_lag") > 1, standby.log)
        report = self.check(standby, limits={"replication_lag": {"warning": "1s"}})
        self.assert_report(report, "warning", "", "s behind")
        self.assertIn("paused", evidence(report, "replay"))
        self.assertGreater(sample(self.check(self.server), "replication_lag_bytes", standby="db-2"), 0)

        standby.psql("SELECT pg_wal_replay_resume()")
        self.server.stop()
        self.addCleanup(self.server.start)
        wait_until(lambda: self.check(standby)["outcome"] == "wrong", standby.log)
        self.assert_report(self.check(standby, role="replica"), "critical", "replica_not_receiving", "receives nothing")

    def test_a_standby_that_lets_nobody_in(self):
        standby = self.standby("hot_standby = off\n").start(wait=False)
        wait_until(lambda: "redo starts" in standby.log(), standby.log)
        report = self.check(standby)
        self.assert_report(report, "critical", "not_accepting", "not accepting connections")


class StartingTest(unittest.TestCase):
    def test_starting_up(self):
        server = Postgres()
        self.addCleanup(server.close)
        gate = server.folder / "gate"
        os.mkfifo(gate)
        gate.chmod(0o666)
        (server.data / "recovery.signal").touch()
        with (server.data / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write(f"restore_command = 'test -p {gate} && cat {gate}; false'\n")
        server.start(wait=False)
        opened = os.open(gate, os.O_WRONLY)  # returns once the server asks its archive
        try:
            report = probe({**LOGIN, "socket": str(server.socket)})
        finally:
            gate.unlink()
            os.close(opened)
        self.assertEqual((report["verdict"], report["reason"]), ("critical", "starting_up"), report)


del PostgresCase  # has no tests of its own

if __name__ == "__main__":
    unittest.main()
