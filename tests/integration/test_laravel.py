# time-out: 600
"""laravel-queue and horizon against a real Redis, MariaDB and PostgreSQL, into which Python writes what Laravel would."""

import json
import re
import unittest

from support import Daemon, Receiver, repository, run_alone, sample, wait_until
from support.laravel import (JOBS_TABLES, JOBS_TABLES_POSTGRES, Commands, Horizon, RedisQueue, Worker, failed_row, job_row,
                             payload)
from support.mariadb import MariaDb
from support.postgres import Postgres
from support.redis import Redis

PASSWORD = "a secret word"
PREFIX = "shop_database_"


def probe(check):
    """What one run on its own finds."""
    return run_alone(check, PASSWORD)[0]


def evidence(report):
    return [f"{each['label']}: {each['text']}" for each in report["evidence"]]


class Living:
    """A daemon with one check that runs often, and what it says of it."""

    def __init__(self, test, check, **keys):
        check = {"every": "300ms", "timeout": "300ms", "hold": "1s", "confirm": {"failures": 1},
                 "recover": {"successes": 1}, **check}
        self.daemon = Daemon({"it": check}, **keys)
        test.addCleanup(self.daemon.close)
        self.daemon.start()

    def check(self):
        return self.daemon.json("/api/v1/checks")["checks"][0]

    def wait(self, what, condition, deadline=30):
        def look():
            check = self.check()
            return check if check["runs"] > 0 and condition(check) else None
        return wait_until(look, lambda: f"{what}; it says {json.dumps(self.check(), indent=1)}", deadline)

    def more_runs(self, number=4):
        """The state after that many whole runs from now."""
        runs = self.check()["runs"] + number + 1
        return self.wait(f"{number} more runs", lambda check: check["runs"] >= runs)

    def metric(self, name):
        return next((value for series, value in self.daemon.metrics().items() if series.startswith(name + "{")), None)


class WithRedis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Redis().start()
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.redis = Commands(self.server.socket)
        self.addCleanup(self.redis.close)
        self.redis.call("FLUSHALL")

    @property
    def where(self):
        return {"socket": str(self.server.socket)}

    def assert_found(self, report, verdict, reason, words=""):
        self.assertEqual((report["verdict"], report.get("reason")), (verdict, reason), report)
        self.assertRegex(report["summary"], words or ".", report)

    def user_as_documented(self, page):
        """A user with the rights that the page names, and no others."""
        text = (repository / "docs/probes" / page).read_text(encoding="utf-8")
        words = re.search(r"^ACL SETUSER vitald (.*)$", text, re.MULTILINE).group(1).split()
        words[words.index(">secret")] = f">{PASSWORD}"
        self.redis.call("ACL", "SETUSER", "vitald", "reset", *words)
        return {**self.where, "user": "vitald", "password": PASSWORD}


class RedisQueueTest(WithRedis):
    def look(self, queues="default", **more):
        return probe({"probe": "laravel-queue", "redis": self.where, "prefix": PREFIX, "queues": queues, **more})

    def test_counts_what_waits(self):
        queue = RedisQueue(self.redis, PREFIX)
        queue.push(payload(created=1_700_000_000))
        queue.push()
        queue.later(600)
        queue.later(-5)
        taken = queue.redis  # two that workers have taken, one of them too long ago
        taken.call("ZADD", f"{queue.key}:reserved", 4_000_000_000, payload())
        taken.call("ZADD", f"{queue.key}:reserved", 1_700_000_000, payload())
        report = self.look(["default", "exports"], redis=self.user_as_documented("laravel-queue.md"))
        self.assertEqual(report["verdict"], "ok", report)
        found = {name: sample(report, name, queue="default") for name in ("pending", "delayed", "delayed_due", "reserved",
                                                                    "reserved_expired", "stalled")}
        self.assertEqual(found, {"pending": 2, "delayed": 2, "delayed_due": 1, "reserved": 2, "reserved_expired": 1,
                                 "stalled": 0})
        self.assertGreater(sample(report, "oldest_age", queue="default"), 1e6)
        self.assertLess(sample(report, "idle", queue="default"), 3600)
        self.assertEqual(sample(report, "pending", queue="exports"), 0)
        self.assertIsNone(sample(report, "idle", queue="exports"))
        self.assertRegex(report["summary"], r"^default: 3 jobs wait, the oldest for \d+ d")

    def test_a_limit_on_the_length_of_each_queue(self):
        for _ in range(12):
            RedisQueue(self.redis, PREFIX, "exports").push()
        report = self.look(["default", "exports"], limits={"pending": {"warning": 10}})
        self.assertEqual(report["verdict"], "warning", report)
        self.assertIn("exports", report["why"])

    def test_names_on_a_cluster(self):
        RedisQueue(self.redis, PREFIX, cluster=True).push()
        self.assertEqual(sample(self.look(cluster_names=True), "pending", queue="default"), 1)
        report = self.look()
        self.assertEqual(sample(report, "pending", queue="default"), 0)
        self.assertIn(f"there is a key '{PREFIX}queues:{{default}}'", evidence(report)[-1])

    def test_another_prefix(self):
        RedisQueue(self.redis, "laravel_database_").push()
        self.assertIn("there is a key 'laravel_database_queues:default'", evidence(self.look())[-1])

    def test_a_key_that_is_no_queue(self):
        self.redis.call("SET", f"{PREFIX}queues:default", "something else")
        report = self.look()
        self.assert_found(report, "unknown", "not_a_queue", "^LLEN shop_database_queues:default is not possible")
        self.assertIn("config/queue.php", report["remedy"])

    def test_a_job_that_is_too_large_to_be_read(self):
        queue = RedisQueue(self.redis, PREFIX)
        queue.push(payload(data="x" * 2_000_000))
        queue.push()
        report = self.look()
        self.assertEqual((report["verdict"], sample(report, "pending", queue="default")), ("ok", 2), report["summary"])
        self.assertIn("too large", evidence(report)[-1])

    def test_a_login_that_is_refused(self):
        report = self.look(redis={**self.where, "user": "nobody", "password": PASSWORD})
        self.assert_found(report, "unknown", "wrong_password")

    def test_a_queue_stalls_when_its_worker_is_killed_and_moves_when_it_is_back(self):
        queue = RedisQueue(self.redis, PREFIX)
        for _ in range(50):
            queue.push()
        worker = Worker(queue)
        living = Living(self, {"probe": "laravel-queue", "redis": {**self.where, "keep_connection": True},
                               "prefix": PREFIX, "queues": "default", "limits": {"stalled": {"critical": "1s"}}})
        living.wait("the queue to be worked off", lambda check: sample(check, "pending", queue="default") == 0)
        self.assertEqual(living.more_runs()["verdict"], "ok")
        worker.kill()
        for _ in range(3):
            queue.push()
        check = living.wait("the queue to stall", lambda check: check["verdict"] == "critical")
        self.assertRegex(check["why"], "stalled.*default")
        self.assertRegex(check["summary"], "^default: 3 jobs wait")
        taken = queue.pop()  # a worker with a long job
        check = living.wait("a worker to be at it", lambda check: check["verdict"] == "ok")
        check = living.more_runs(6)
        self.assertEqual((check["verdict"], sample(check, "stalled", queue="default")), ("ok", 0), "it is at work")
        queue.finish(taken)
        worker = Worker(queue)
        self.addCleanup(worker.kill)
        living.wait("an empty queue", lambda check: sample(check, "pending", queue="default") == 0 and check["verdict"] == "ok")


class HorizonTest(WithRedis):
    def look(self, **more):
        return probe({"probe": "horizon", "redis": self.where, "prefix": "shop_horizon:", **more})

    def test_running_with_its_supervisors_and_queues(self):
        horizon = Horizon(self.redis)
        horizon.report()
        self.redis.call("HMSET", "shop_horizon:queue:default", "runtime", "1500", "throughput", "7")
        self.redis.call("SET", "shop_horizon:last_snapshot_at", "1700000000")
        for _ in range(4):
            RedisQueue(self.redis, PREFIX).push()
        report = self.look(redis=self.user_as_documented("horizon.md"), supervisors=["supervisor-1", "supervisor-2"],
                           queues=["default", "exports"], queue_prefix=PREFIX, host="web-1", environment="production")
        self.assert_found(report, "ok", None, "^Horizon is running: 2 supervisors, 5 processes; 4 jobs wait$")
        self.assertEqual((sample(report, "masters"), sample(report, "processes")), (1, 5))
        self.assertEqual(sample(report, "pending", queue="default"), 4)
        self.assertEqual(sample(report, "wait", queue="default"), 2)
        self.assertGreater(sample(report, "snapshot_age"), 1e6)

    def test_the_applications_clock_does_not_matter(self):
        for skew in (-3600, 3600):
            Horizon(self.redis, skew=skew).report()
            self.assertEqual(self.look()["verdict"], "ok")

    def test_paused(self):
        Horizon(self.redis).report(status="paused")
        report = self.look()
        self.assert_found(report, "critical", "horizon_paused", "^Horizon is paused$")
        self.assertIn("horizon:continue", report["remedy"])
        Horizon(self.redis, host="web-2").report()
        self.assert_found(self.look(), "critical", "horizon_paused", "^Horizon is paused: web-1-Ab3d, 1 of 2 masters$")
        self.assert_found(self.look(paused="all"), "ok", None, "^Horizon is running: 4 supervisors")
        self.assert_found(self.look(host="web-2"), "ok", None, "^Horizon is running: 2 supervisors")

    def test_inactive(self):
        self.assert_found(self.look(), "critical", "horizon_inactive", "no key begins with 'shop_horizon:'")
        horizon = Horizon(self.redis)
        horizon.report()
        horizon.vanish()
        self.assert_found(self.look(), "critical", "horizon_inactive", r"no master has reported for 4\d s$")
        Horizon(self.redis, host="web-2").report()
        self.assert_found(self.look(host="web-1"), "critical", "horizon_inactive", "on web-1; it runs as web-2-Ab3d$")

    def test_a_supervisor_is_missing_or_paused(self):
        horizon = Horizon(self.redis)
        horizon.report(paused=("supervisor-2",))
        self.assert_found(self.look(), "critical", "supervisor_paused", "^supervisor-2 is paused$")
        horizon.lose("supervisor-2")
        self.assert_found(self.look(supervisors=["supervisor-1", "supervisor-2"]), "critical", "supervisor_missing",
                          "^supervisor-2 is missing; running: supervisor-1$")

    def test_no_processes_for_jobs_that_wait(self):
        horizon = Horizon(self.redis)
        horizon.supervisors = {"supervisor-1": {}}
        horizon.report()
        RedisQueue(self.redis, PREFIX).push()
        report = self.look(queues="default", queue_prefix=PREFIX)
        self.assert_found(report, "critical", "no_processes", "^1 job waits, and Horizon has no worker process$")

    def test_a_key_of_another_type(self):
        self.redis.call("SET", "shop_horizon:masters", "x")
        self.assert_found(self.look(), "unknown", "not_a_queue", "ZREVRANGE shop_horizon:masters")

    def test_a_failed_job_is_told_once(self):
        horizon = Horizon(self.redis)
        horizon.report()
        horizon.fail()
        living = Living(self, {"probe": "horizon", "redis": self.where, "prefix": "shop_horizon:",
                               "limits": {"failed": {"warning": 1}}})
        horizon.report()
        self.assertIn(sample(living.more_runs(), "failed"), (0, None), "what failed before is not news")
        horizon.report()
        horizon.fail("App\\Jobs\\Import", "default")
        check = living.wait("the failed job", lambda check: check["verdict"] == "warning")
        self.assertIn("failed", check["why"])
        horizon.report()
        living.more_runs()
        self.assertEqual(living.metric("vitald_horizon_failed_total"), 1)
        horizon.report()
        horizon.fail()
        horizon.fail()
        wait_until(lambda: living.metric("vitald_horizon_failed_total") == 3, "two more", 20)
        report = self.look()
        self.assertIsNone(sample(report, "failed"), "a single look has nothing to compare with")


class DatabaseQueueTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = MariaDb().start()
        cls.addClassCleanup(cls.server.close)
        cls.server.sql("CREATE DATABASE shop")
        cls.server.sql(JOBS_TABLES, "shop")
        cls.server.user("vitald", PASSWORD, "SELECT ON shop.jobs", "SELECT ON shop.failed_jobs")
        cls.server.user("reader", PASSWORD, "SELECT ON shop.*")
        cls.server.user("clerk", PASSWORD, "SELECT ON shop.failed_jobs")

    def setUp(self):
        self.server.sql("DELETE FROM jobs; DELETE FROM failed_jobs", "shop")

    def where(self, user="vitald"):
        return {"socket": str(self.server.socket), "user": user, "password": PASSWORD, "database": "shop"}

    def look(self, user="vitald", **more):
        return probe({"probe": "laravel-queue", "mysql": self.where(user), "queues": ["default", "exports"], **more})

    def rows(self, *statements):
        self.server.sql("".join(statements), "shop")

    def test_counts_what_waits(self):
        self.rows(job_row(available=-300), job_row(), job_row(available=600), job_row(reserved=10), job_row(reserved=200),
                  job_row("exports", reserved=200), job_row("other"))
        report = self.look()
        self.assertEqual(report["verdict"], "ok", report)
        found = {name: sample(report, name, queue="default") for name in ("pending", "delayed", "reserved", "reserved_expired",
                                                                    "delayed_due")}
        self.assertEqual(found, {"pending": 2, "delayed": 1, "reserved": 2, "reserved_expired": 1, "delayed_due": None})
        self.assertTrue(300 <= sample(report, "oldest_age", queue="default") < 330, report)
        self.assertRegex(report["summary"], r"^default: 2 jobs wait, the oldest for 5 min.*"
                                            r"exports: 1 job was taken and never finished$")
        self.assertEqual(sample(self.look(retry_after="5m"), "reserved_expired", queue="default"), 0)

    def test_a_queue_stalls_and_moves_again(self):
        self.rows(job_row(), job_row())
        living = Living(self, {"probe": "laravel-queue", "mysql": {**self.where(), "keep_connection": True},
                               "queues": "default", "limits": {"stalled": {"critical": "2s"}}})
        living.wait("the queue to stall", lambda check: check["verdict"] == "critical" and "stalled" in check["why"])
        self.rows("UPDATE jobs SET reserved_at = UNIX_TIMESTAMP() ORDER BY id LIMIT 1;")
        living.wait("a worker to be at it", lambda check: check["verdict"] == "ok")
        self.rows("DELETE FROM jobs")
        check = living.wait("an empty queue", lambda check: sample(check, "pending", queue="default") == 0)
        self.assertEqual((check["verdict"], check["summary"]), ("ok", "no job waits"))

    def test_a_failed_job_is_told_once(self):
        self.rows(failed_row())
        receiver = Receiver()
        self.addCleanup(receiver.close)
        living = Living(self, {"probe": "laravel-queue", "mysql": self.where(), "queues": "default",
                               "limits": {"failed": {"warning": 1}}},
                        receivers={"hook": {"webhook": {"url": receiver.webhook_url}}},
                        escalations={"P2": [{"notify": "hook"}]})
        self.assertIn(sample(living.more_runs(), "failed"), (0, None), "what failed before is not news")
        self.rows(failed_row("exports", "App\\Jobs\\Import"))
        check = living.wait("the failed job", lambda check: check["verdict"] == "warning")
        self.assertIn("failed", check["why"])
        living.more_runs()
        self.assertEqual(living.metric("vitald_laravel_queue_failed_total"), 1)
        self.assertIn("App\\Jobs\\Import on exports", json.dumps(receiver.wait_for(1, "/hook")[0].json()).replace("\\\\", "\\"))
        self.rows("DELETE FROM failed_jobs", ";", failed_row(), failed_row())  # artisan queue:flush, and two more
        wait_until(lambda: living.metric("vitald_laravel_queue_failed_total") == 3, "two more", 20)

    def test_the_failed_jobs_of_a_queue_in_redis(self):
        with Redis() as server:
            living = Living(self, {"probe": "laravel-queue", "redis": {"socket": str(server.socket)}, "queues": "default",
                                   "failed": {"mysql": self.where("clerk")}, "limits": {"failed": {"warning": 1}}})
            living.more_runs()
            self.rows(failed_row())
            check = living.wait("the failed job", lambda check: check["verdict"] == "warning")
            self.assertIn("failed", check["why"])

    def test_a_table_that_is_missing(self):
        report = self.look("reader", table="queue_jobs")
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "table_missing:queue_jobs"), report)
        self.assertEqual(report["summary"], "there is no table 'queue_jobs' in the database")
        self.assertIn("config/queue.php", report["remedy"])
        self.assertEqual(self.look("reader", failed_table="no_such")["reason"], "table_missing:no_such")
        self.assertEqual(self.look(failed_table="")["verdict"], "ok")
        self.assertEqual(self.look(table="failed_jobs")["reason"], "not_laravel:failed_jobs")
        living = Living(self, {"probe": "laravel-queue", "mysql": self.where(), "queues": "default"})
        living.wait("a good run", lambda check: check["verdict"] == "ok")
        self.rows("RENAME TABLE jobs TO jobs_gone")
        try:
            living.wait("the missing table", lambda check: check.get("reason") == "table_missing:jobs")
        finally:
            self.rows("RENAME TABLE jobs_gone TO jobs")
        living.wait("its return", lambda check: check["verdict"] == "ok")

    def test_a_right_that_is_missing(self):
        report = self.look("clerk")
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "missing_privilege"), report)
        self.assertIn("GRANT SELECT", report["remedy"])
        self.assertIn("jobs", report["remedy"])


class PostgresQueueTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Postgres().start()
        cls.addClassCleanup(cls.server.close)
        cls.server.psql(f"CREATE ROLE vitald LOGIN PASSWORD '{PASSWORD}'", "CREATE DATABASE shop")
        cls.server.psql(JOBS_TABLES_POSTGRES, "GRANT SELECT ON jobs, failed_jobs TO vitald", "CREATE TABLE hidden (LIKE jobs)",
                        database="shop")

    def look(self, **more):
        where = {"socket": str(self.server.socket), "user": "vitald", "password": PASSWORD, "database": "shop"}
        return probe({"probe": "laravel-queue", "postgres": where, "queues": ["default", "exports"], **more})

    def test_counts_what_waits(self):
        self.server.psql(job_row(available=-300), job_row(), job_row(available=600), job_row(reserved=10),
                         job_row(reserved=200), failed_row(), database="shop")
        report = self.look()
        self.assertEqual(report["verdict"], "ok", report)
        found = {name: sample(report, name, queue="default") for name in ("pending", "delayed", "reserved", "reserved_expired")}
        self.assertEqual(found, {"pending": 2, "delayed": 1, "reserved": 2, "reserved_expired": 1})
        self.assertTrue(300 <= sample(report, "oldest_age", queue="default") < 330, report)

    def test_a_failed_job_is_told_once(self):
        where = {"socket": str(self.server.socket), "user": "vitald", "password": PASSWORD, "database": "shop"}
        living = Living(self, {"probe": "laravel-queue", "postgres": where, "queues": "default",
                               "limits": {"failed": {"warning": 1}}})
        living.more_runs()
        self.server.psql(failed_row("exports", "App\\Jobs\\Import"), database="shop")
        living.wait("the failed job", lambda check: check["verdict"] == "warning")
        living.more_runs()
        self.assertEqual(living.metric("vitald_laravel_queue_failed_total"), 1)

    def test_tables_that_are_not_there_or_not_to_be_read(self):
        self.assertEqual(self.look(table="no_such")["reason"], "table_missing:no_such")
        self.assertEqual(self.look(table="nowhere.jobs")["reason"], "table_missing:nowhere.jobs")
        self.assertEqual(self.look(table="failed_jobs")["reason"], "not_laravel:failed_jobs")
        report = self.look(table="hidden")
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "missing_privilege"), report)


if __name__ == "__main__":
    unittest.main()
