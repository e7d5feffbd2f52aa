# alone
# time-out: 600
"""Two hundred database checks whose servers accept and never answer: the loop is on time and the others keep their schedule."""

import resource
import unittest

from support import Daemon, Greeter, Silent, quantiles, wait_until

WORKERS = 64  # probes/workers.hpp


class HangingDatabasesTest(unittest.TestCase):
    EACH = 50
    HEALTHY = 50
    KINDS = ("mysql", "postgres", "redis", "rabbitmq")

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.greeter = Greeter()
        self.addCleanup(self.greeter.close)
        # A few servers for many checks, as in life: what is bounded for each target must not be the only bound.
        self.silent = [Silent() for _ in range(20)]
        for server in self.silent:
            self.addCleanup(server.close)

    def checks(self):
        every = {"every": "2s", "timeout": "1500ms", "confirm": {"failures": 1}}
        login = {"user": "vitald", "password": "secret word"}
        checks = {f"good-{i}": {**every, "probe": "tcp", "address": f"127.0.0.1:{self.greeter.port}", "expect": "220"}
                  for i in range(self.HEALTHY)}
        for kind in self.KINDS:
            for i in range(self.EACH):
                port = self.silent[i % len(self.silent)].port
                checks[f"dead-{kind}-{i}"] = {**every, **login, "probe": kind, "address": f"127.0.0.1:{port}"}
        return checks

    def test_the_others_keep_their_schedule(self):
        daemon = Daemon(self.checks())
        self.addCleanup(daemon.close)
        daemon.start(deadline=60)

        def series(name, of):
            return {key: value for key, value in daemon.metrics().items()
                    if key.startswith(f"{name}{{") and f'check="{of}-' in key}

        def rounds(count):
            wait_until(lambda: min(series("vitald_check_runs_total", "good").values()) >= count,
                       f"{count} runs of each healthy check", 120)

        rounds(3)
        before = series("vitald_check_missed_slots_total", "good")
        rounds(8)
        metrics = daemon.metrics()
        print("loop lag:", quantiles(metrics, "vitald_loop_lag_seconds", (0.5, 0.99, 0.999, 1.0)), flush=True)
        print("workers:", {name: value for name, value in metrics.items() if name.startswith("vitald_workers")}, flush=True)
        self.assertEqual(series("vitald_check_missed_slots_total", "good"), before, "healthy checks missed slots")
        self.assertEqual(set(series("vitald_check_status", "good").values()), {0.0})
        self.assertLessEqual(metrics["vitald_workers_busy"], WORKERS)
        dead = {check["check"]: check for check in daemon.json("/api/v1/checks")["checks"] if check["check"].startswith("dead-")}
        self.assertEqual(len(dead), self.EACH * len(self.KINDS))
        self.assertEqual({name: check["reason"] for name, check in dead.items() if check["reason"] not in
                          ("timeout", "worker_busy", "workers_exhausted")}, {})
        # Half of the workers are enough to reach every hanging server now and then.
        for kind in self.KINDS:
            reached = [check for name, check in dead.items() if name.startswith(f"dead-{kind}-") and check["reason"] == "timeout"]
            self.assertTrue(reached, f"no {kind} check found out that its server hangs")


if __name__ == "__main__":
    unittest.main()
