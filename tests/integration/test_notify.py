"""What the daemon tells its service manager, and when (sd_notify(3))."""

import signal
import unittest

from support import Daemon, NotifySocket, wait_until

CHECKS = {"memory": {"probe": "memory", "every": "1s"}}


class NotifyTest(unittest.TestCase):
    def setUp(self):
        self.manager = NotifySocket()
        self.addCleanup(self.manager.close)

    def daemon(self, watchdog=None, checks=None):
        daemon = Daemon(checks or CHECKS, environment=self.manager.environment(watchdog))
        self.addCleanup(daemon.close)
        return daemon

    def test_is_ready_when_it_serves(self):
        daemon = self.daemon().start(wait=False)
        self.manager.wait_for("READY=1")
        self.assertEqual(daemon.get("/healthz")[0], 200)

    def test_says_nothing_of_ready_with_a_wrong_configuration(self):
        daemon = self.daemon(checks={"memory": {"probe": "memroy"}}).start(wait=False)
        self.assertEqual(daemon.wait(), 78)
        self.assertEqual(self.manager.said("READY=1"), [])
        self.assertIn("memory", daemon.log())

    def test_reload_is_framed_by_reloading_and_ready(self):
        daemon = self.daemon().start()
        ready = self.manager.wait_for("READY=1")[0]
        daemon.reload()
        self.manager.wait_for("READY=1", count=2)
        reloading = self.manager.said("RELOADING=1")
        self.assertEqual(len(reloading), 1)
        self.assertLess(ready, reloading[0])
        self.assertLess(reloading[0], self.manager.said("READY=1")[1])
        frame = next(text for _, text in self.manager.messages() if text.startswith("RELOADING=1"))
        self.assertRegex(frame, r"MONOTONIC_USEC=[1-9]\d*")

    def test_a_refused_reload_is_over_as_well(self):
        daemon = self.daemon().start()
        daemon.write("nonsense: 1\n")
        daemon.reload()
        self.manager.wait_for("READY=1", count=2)
        wait_until(lambda: daemon.metrics().get("vitald_config_last_reload_success") == 0, "the refusal in the metrics")

    def test_feeds_the_watchdog_while_it_works(self):
        self.daemon(watchdog=1).start()
        self.manager.wait_for("WATCHDOG=1", count=3)

    def test_says_that_it_stops(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                daemon = self.daemon().start()
                before = len(self.manager.said("STOPPING=1"))
                daemon.signal(number)
                self.assertEqual(daemon.wait(), 0, daemon.log())
                self.manager.wait_for("STOPPING=1", count=before + 1)


if __name__ == "__main__":
    unittest.main()
