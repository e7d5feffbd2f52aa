# time-out: 600
"""The heartbeat probe with real curl: every kind of ping, who may not, and what a killed or stopped daemon still knows."""

import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support import Daemon, sample, wait_until
from support.one_run import evidence

CURL = shutil.which("curl")


def curl(*words, text=None):
    """Exit status, HTTP status and body of one curl command."""
    done = subprocess.run([CURL, "-sS", "-m", "20", "-w", "\n%{http_code}", *words], input=text, capture_output=True,
                          text=True, check=False, timeout=30)
    body, _, status = done.stdout.rpartition("\n")
    return done.returncode, int(status or 0), body


class HeartbeatTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        assert CURL, "curl is not installed: apt-get install curl"

    def run_daemon(self, checks, **keys):
        daemon = Daemon({name: {"probe": "heartbeat", "every": "1h", **check} for name, check in checks.items()}, **keys)
        self.addCleanup(daemon.close)
        return daemon.start()

    def url(self, daemon, path):
        return f"http://127.0.0.1:{daemon.port}/ping/{path}"

    def ping(self, daemon, path, *words, text=None):
        _, status, body = curl(*words, self.url(daemon, path), text=text)
        self.assertEqual((status, body), (200, "ok\n" if "-I" not in words else body))

    def row(self, daemon, check):
        rows = [each for each in daemon.json(f"/api/v1/checks?check={check}")["checks"]]
        self.assertEqual(len(rows), 1)
        return rows[0]

    def standing(self, daemon, check):
        row = self.row(daemon, check)
        return row["standing"], row.get("reason", "")

    def wait_for(self, daemon, check, standing, reason):
        return wait_until(lambda: self.standing(daemon, check) == (standing, reason),
                          lambda: f"{check} to be {standing} {reason}; it is {self.row(daemon, check)}", 30)


class PingTest(HeartbeatTest):
    def test_every_kind_of_ping(self):
        daemon = self.run_daemon({"backup": {"cron": "0 7 * * 1", "timezone": "Europe/Istanbul"}})
        wait_until(lambda: "last_run" in self.row(daemon, "backup"), "the first run")
        self.assertEqual(self.standing(daemon, "backup"), ("ok", ""))
        self.assertRegex(self.row(daemon, "backup")["summary"], "waiting for the first ping, which must come by 20")

        self.ping(daemon, "backup")
        self.assertRegex(self.row(daemon, "backup")["summary"], "^pinged 1 s ago, next by 20")
        self.ping(daemon, "backup", "-I")
        self.ping(daemon, "backup/start")
        self.assertRegex(self.row(daemon, "backup")["summary"], "^running for 1 s")
        self.ping(daemon, "backup/0")
        self.assertIsNotNone(sample(self.row(daemon, "backup"), "run_time"))

        self.ping(daemon, "backup/3", "--data-binary", "@-", text="copying\nrsync: connection unexpectedly closed\n")
        row = self.row(daemon, "backup")
        self.assertEqual((row["standing"], row["reason"], row["summary"]),
                         ("critical", "failed", "the job failed with exit code 3"))
        self.assertEqual(evidence(row, "its last output"), "copying\nrsync: connection unexpectedly closed")
        self.assertTrue(row["incident"])
        self.ping(daemon, "backup", "-X", "POST")
        self.assertEqual(self.standing(daemon, "backup"), ("ok", ""))
        self.ping(daemon, "backup/fail")
        self.assertEqual(self.standing(daemon, "backup"), ("critical", "failed"))
        self.assertEqual(sample(self.row(daemon, "backup"), "failures"), 2)
        series = daemon.metrics()
        self.assertEqual(series['vitald_heartbeat_failures_total{check="backup",probe="heartbeat"}'], 2)

    def test_a_late_ping_is_noticed_when_its_grace_ends(self):
        """`every` is an hour: nothing but the exact moment can tell."""
        daemon = self.run_daemon({"quick": {"expect_every": "1s", "grace": "1s"},
                                  "long": {"expect_every": "1h", "max_run": "1s"}})
        self.ping(daemon, "quick")
        self.ping(daemon, "long/start")
        self.wait_for(daemon, "quick", "critical", "late")
        self.wait_for(daemon, "long", "critical", "overrun")
        self.ping(daemon, "long/0")
        self.assertEqual(self.standing(daemon, "long"), ("ok", ""))

    def test_a_long_output_and_a_chunked_one(self):
        daemon = self.run_daemon({"backup": {"expect_every": "1h"}})
        text = "".join(f"line {i}\n" for i in range(60_000))
        self.ping(daemon, "backup/1", "--data-binary", "@-", text=text)
        self.assertTrue(evidence(self.row(daemon, "backup"), "its last output").endswith("line 59998\nline 59999"))
        self.ping(daemon, "backup/1", "-X", "POST", "-H", "Transfer-Encoding: chunked", "--data-binary", "@-", text="the end")
        self.assertEqual(evidence(self.row(daemon, "backup"), "its last output"), "the end")
        status = curl("-X", "POST", "--data-binary", "@-", self.url(daemon, "backup"), text="x" * 2_000_000)[1]
        self.assertIn(status, (413, 0))  # curl may be cut off while it still sends

    def test_a_flood_is_bounded(self):
        daemon = self.run_daemon({"backup": {"expect_every": "1h"}})
        answers = []
        while 429 not in answers and len(answers) < 2000:
            answers.append(daemon.request("GET", "/ping/backup/1")[0])
        self.assertGreaterEqual(answers.count(200), 60)
        self.assertEqual(set(answers), {200, 429})
        done = subprocess.run([CURL, "-fsS", "-m", "30", "--retry", "5", self.url(daemon, "backup")], capture_output=True,
                              text=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"), "curl's own retries get it through")


class RefusalTest(HeartbeatTest):
    def test_who_and_what_is_refused(self):
        folder = Path(tempfile.mkdtemp(prefix="vitald-test-"))
        self.addCleanup(shutil.rmtree, folder, True)
        token = folder / "token"
        token.write_text("s3cret\n", encoding="utf-8")
        token.chmod(0o600)
        daemon = self.run_daemon({"backup": {"expect_every": "1h", "token": {"file": str(token)}},
                                  "memory": {"probe": "memory"}})
        for words in ((), ("-H", "X-Token: wrong"), ("-H", "Authorization: Basic czNjcmV0")):
            self.assertEqual(curl(*words, self.url(daemon, "backup"))[1], 403, words)
        self.assertEqual(curl(self.url(daemon, "backup?token=s3cre"))[1], 403)
        self.assertRegex(self.row(daemon, "backup")["summary"], "waiting for the first ping")
        self.ping(daemon, "backup", "-H", "X-Token: s3cret")
        self.ping(daemon, "backup", "-H", "Authorization: Bearer s3cret")
        self.ping(daemon, "backup?token=s3cret")

        self.assertEqual(curl("-H", "Host: evil.example", self.url(daemon, "backup?token=s3cret"))[1], 421)
        _, status, body = curl(self.url(daemon, "bakup"))
        self.assertEqual((status, body), (404, "no check is named 'bakup'; did you mean 'backup'?\n"))
        _, status, body = curl(self.url(daemon, "memory"))
        self.assertEqual(status, 409)
        self.assertIn("only a heartbeat takes pings", body)
        self.assertEqual(curl("-T", "-", self.url(daemon, "backup"), text="x")[1], 413)
        self.assertNotIn("s3cret", daemon.log())

    def test_a_token_is_required_where_others_can_reach_the_listener(self):
        daemon = Daemon({"backup": {"probe": "heartbeat", "expect_every": "1h"}}, listen={"http": "0.0.0.0:9642"})
        self.addCleanup(daemon.close)
        judged = daemon.command("check-config")
        self.assertEqual(judged.returncode, 78)
        self.assertRegex(judged.stdout + judged.stderr, r"vitald.yaml:\d+:\d+: .*check backup needs 'token': listen.http is 0.0.0.0:9642")


class RestartTest(HeartbeatTest):
    def restart(self, daemon, wait=0.0):
        daemon.kill()
        if wait:
            time.sleep(wait)  # the time that nobody listens is what is tested
        daemon.start()

    def test_what_was_answered_outlives_a_kill(self):
        daemon = self.run_daemon({"backup": {"expect_every": "1h"}, "audit": {"expect_every": "1h"}})
        for code in range(1, 8):
            self.ping(daemon, f"backup/{code}", "--data-binary", "@-", text=f"run {code}")
            self.restart(daemon)
            wait_until(lambda: "last_run" in self.row(daemon, "backup"), "its first run")
            row = self.row(daemon, "backup")
            self.assertEqual((row["standing"], row["summary"]), ("critical", f"the job failed with exit code {code}"))
            self.assertEqual(evidence(row, "its last output"), f"run {code}")
        self.assertEqual(sample(row, "failures"), 7)

    def test_a_run_past_its_limit_is_critical_at_once(self):
        daemon = self.run_daemon({"backup": {"expect_every": "1h", "max_run": "3s"}})
        self.ping(daemon, "backup/start")
        self.restart(daemon, 3.5)
        self.wait_for(daemon, "backup", "critical", "overrun")

    def test_what_fell_due_unheard_is_unknown_until_the_next(self):
        daemon = self.run_daemon({"backup": {"expect_every": "3s", "grace": "2s"}, "other": {"expect_every": "1h"}})
        self.ping(daemon, "backup")
        self.restart(daemon, 6)
        self.wait_for(daemon, "backup", "unknown", "not_heard")
        self.wait_for(daemon, "backup", "critical", "late")
        self.ping(daemon, "other")  # when this is stored, so is what came before it
        self.restart(daemon)
        self.wait_for(daemon, "backup", "critical", "late")
        self.ping(daemon, "backup")
        self.assertEqual(self.standing(daemon, "backup")[0], "ok")

    def test_a_reload_keeps_what_was_pinged(self):
        daemon = self.run_daemon({"backup": {"expect_every": "1h"}})
        wait_until(lambda: "last_run" in self.row(daemon, "backup"), "the first run")
        self.ping(daemon, "backup/5")
        before = self.row(daemon, "backup")["runs"]
        daemon.configure({"backup": {"probe": "heartbeat", "expect_every": "2h", "every": "1h"}})
        daemon.reload()
        wait_until(lambda: self.row(daemon, "backup")["runs"] > before, "the run after the reload")
        self.assertEqual(self.row(daemon, "backup")["summary"], "the job failed with exit code 5")

    def test_curls_retries_carry_a_ping_over_a_restart(self):
        daemon = self.run_daemon({"backup": {"expect_every": "1h"}})
        daemon.kill()
        waiting = subprocess.Popen([CURL, "-fsS", "-m", "30", "--retry", "20", "--retry-delay", "1", "--retry-connrefused",
                                    self.url(daemon, "backup/9")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(waiting.stdout.close)
        self.addCleanup(waiting.kill)
        daemon.start()
        self.assertEqual(waiting.communicate(timeout=60)[0], "ok\n")
        self.assertEqual(self.standing(daemon, "backup"), ("critical", "failed"))


class LocalTest(HeartbeatTest):
    def test_only_the_service_knows(self):
        daemon = self.run_daemon({"backup": {"expect_every": "1h"}})
        self.ping(daemon, "backup")
        self.assertRegex(daemon.command("probe", "backup").stdout, "pinged .* ago")
        local = daemon.command("probe", "--local", "backup")
        self.assertIn("pings reach the running service", local.stdout)


if __name__ == "__main__":
    unittest.main()
