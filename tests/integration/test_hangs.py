# alone
"""Targets and name servers that accept and never answer, and no descriptor left: the neighbours go on, nobody is paged."""

import http.client
import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import Daemon, Greeter, Receiver, Silent, quantiles, release_binary, wait_until


class HangingTargetsTest(unittest.TestCase):
    HALF = 500

    def setUp(self):
        # Before the target is made: the test holds the other end of every connection.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.silent, self.greeter = Silent(), Greeter()
        self.addCleanup(self.silent.close)
        self.addCleanup(self.greeter.close)

    def test_the_healthy_half_keeps_its_schedule(self):
        every = {"probe": "tcp", "every": "2s", "timeout": "1500ms", "confirm": {"failures": 1}}
        checks = {f"good-{i}": {**every, "address": f"127.0.0.1:{self.greeter.port}", "expect": "220"} for i in range(self.HALF)}
        checks |= {f"dead-{i}": {**every, "address": f"127.0.0.1:{self.silent.port}", "expect": "220"} for i in range(self.HALF)}
        daemon = Daemon(checks)
        self.addCleanup(daemon.close)
        daemon.start(deadline=60)

        def healthy(series):
            return {name: value for name, value in daemon.metrics().items()
                    if name.startswith(f"{series}{{") and 'check="good-' in name}

        def rounds(count):
            wait_until(lambda: min(healthy("vitald_check_runs_total").values()) >= count, f"{count} runs of each healthy check", 120)

        # The extra first run of a start may stand in the way of the check's first slot, which then counts as missed.
        rounds(2)
        at_first = healthy("vitald_check_missed_slots_total")
        self.assertEqual(len(at_first), self.HALF)
        self.assertLess(sum(at_first.values()), self.HALF / 10)
        rounds(6)
        metrics = daemon.metrics()
        print("schedule lag:", quantiles(metrics, "vitald_schedule_lag_seconds"), flush=True)
        print("loop lag:", quantiles(metrics, "vitald_loop_lag_seconds"), flush=True)
        missed = healthy("vitald_check_missed_slots_total")
        self.assertEqual({name: count - at_first[name] for name, count in missed.items() if count != at_first[name]}, {},
                         "healthy checks missed slots")
        runs = healthy("vitald_check_runs_total")
        # The first run is an extra one, and a slot may be due just now: nobody is more than one round behind another.
        self.assertLessEqual(max(runs.values()) - min(runs.values()), 2)
        self.assertEqual(set(healthy("vitald_check_status").values()), {0.0})
        self.assertGreaterEqual(self.silent.count, self.HALF, "the hanging half was not even asked")
        verdicts = [check for check in daemon.json("/api/v1/checks")["checks"] if check["check"].startswith("dead-")]
        self.assertEqual({check["reason"] for check in verdicts if check["runs"]}, {"timeout"})
        self.assertTrue(all(check["runs"] for check in verdicts), "hanging checks never finished a run")


class NameServerTest(unittest.TestCase):
    """A name server that takes every question and never answers, as /etc/resolv.conf of a mount namespace of its own."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-dns-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        tried = subprocess.run(["unshare", "-m", "mount", "--bind", self.folder, "/mnt"], capture_output=True, text=True, check=False)
        if tried.returncode != 0:
            self.skipTest(f"no mount namespace is to be had: {tried.stderr.strip()}")
        # resolv.conf(5) knows no ports: it has to be 53, so on an address of loopback that nobody uses.
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.server.close)
        try:
            self.server.bind(("127.53.53.53", 53))
        except OSError as refused:
            self.skipTest(f"port 53 is not to be had: {refused}")
        self.server.setblocking(False)
        (self.folder / "resolv.conf").write_text("nameserver 127.53.53.53\n", encoding="ascii")

    def test_named_checks_are_unknown_and_numeric_ones_go_on(self):
        greeter = Greeter()
        self.addCleanup(greeter.close)
        script = f'mount --bind {self.folder}/resolv.conf /etc/resolv.conf && exec "$@"'
        often = {"every": "1s", "timeout": "900ms", "confirm": {"failures": 1}, "severity": "P0"}
        numeric = {"probe": "tcp", "address": f"127.0.0.1:{greeter.port}", "expect": "220", **often}
        named = {"probe": "tcp", "address": f"db.shop.example.com:{greeter.port}", **often}
        with Receiver() as receiver:
            daemon = Daemon({"numeric": numeric, "named": named, "page": {"probe": "http", "url": "http://shop.example.com/", **often}},
                            wrapper=["unshare", "-m", "sh", "-c", script, "sh"],
                            receivers={"hook": {"webhook": {"url": receiver.webhook_url}}},
                            escalations={name: [{"notify": ["hook"]}] for name in ("P0", "P2")})
            self.addCleanup(daemon.close)
            daemon.start()

            def shown():
                return {check["check"]: check for check in daemon.json("/api/v1/checks")["checks"]}

            wait_until(lambda: all(check["runs"] >= 3 for check in shown().values()), lambda: f"three runs each: {shown()}", 60)
            question, _ = self.server.recvfrom(4096)
            self.assertIn(b"example", question, "the name server was never asked")
            checks = shown()
            for name in ("named", "page"):
                self.assertEqual((checks[name]["verdict"], checks[name]["reason"]), ("unknown", "resolver_failed"), checks[name])
            self.assertEqual((checks["numeric"]["verdict"], checks["numeric"]["missed_slots"]), ("ok", 0))
            self.assertEqual(receiver.requests(), [], "our own trouble is nobody's page")


class DescriptorsTest(unittest.TestCase):
    def setUp(self):
        self.silent, self.greeter, self.receiver = Silent(), Greeter(), Receiver()
        for each in (self.silent, self.greeter, self.receiver):
            self.addCleanup(each.close)

    def daemon(self, good, held, **keys):
        often = {"probe": "tcp", "every": "1s", "timeout": "900ms", "expect": "220", "confirm": {"failures": 1}}
        checks = {f"good-{i}": {**often, "address": f"127.0.0.1:{self.greeter.port}", "severity": "P0"} for i in range(good)}
        checks |= {f"held-{i}": {**often, "address": f"127.0.0.1:{self.silent.port}", "severity": "P3"} for i in range(held)}
        notify = [{"notify": ["hook"]}]
        daemon = Daemon(checks, receivers={"hook": {"webhook": {"url": self.receiver.webhook_url}, "pace": "10ms"}},
                        escalations={"P0": notify, "P2": notify, "P3": [{"after": "1h", "notify": ["hook"]}]}, **keys)
        self.addCleanup(daemon.close)
        return daemon.start(deadline=60)

    def test_a_low_limit_is_no_false_alarm(self):
        # Connections that hang want more descriptors than there are.
        daemon = self.daemon(20, 120, wrapper=["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"])
        seen = set()

        def good_checks_ran():
            good = [check for check in daemon.json("/api/v1/checks")["checks"] if check["check"].startswith("good-")]
            seen.update((check["verdict"], check.get("reason", "")) for check in good if check["runs"])
            return all(check["runs"] >= 4 for check in good)

        wait_until(good_checks_ran, lambda: f"four runs of each good check; seen {seen}", 120)
        self.assertNotIn("critical", {verdict for verdict, _ in seen}, seen)
        self.assertEqual(self.receiver.requests(), [])
        self.assertEqual(daemon.stop(), 0, daemon.log())

    def test_no_descriptor_at_all_is_unknown_and_passes(self):
        # UBSan looks at a virtual table through a pipe, and calls the object invalid when there is no descriptor for one.
        daemon = self.daemon(5, 0, binary=release_binary())
        # Asked on a connection that is open already: there is no descriptor for another one.
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
        self.addCleanup(connection.close)

        def seen():
            self.assertIsNone(daemon.process.poll(), daemon.log())
            try:
                connection.request("GET", "/api/v1/checks")
                checks = json.loads(connection.getresponse().read())["checks"]
            except OSError as broken:
                raise AssertionError(f"{broken}; it said:\n{daemon.log()}") from None
            return {(check["verdict"], check.get("reason", "")) for check in checks}

        wait_until(lambda: {verdict for verdict, _ in seen()} == {"ok"}, "all to be well")
        pid = daemon.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        # The limit is about numbers: nothing above the lowest one that is free.
        open_now = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
        free = next(number for number in range(len(open_now) + 1) if number not in open_now)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, before[1]))
        wait_until(lambda: seen() == {("unknown", "out_of_descriptors")}, lambda: f"the shortage to be seen; it said:\n{daemon.log()}", 30)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        wait_until(lambda: {verdict for verdict, _ in seen()} == {"ok"}, lambda: f"all to be well again: {seen()}", 30)
        self.assertEqual(self.receiver.requests(), [], "our own trouble is nobody's page")
        self.assertEqual(daemon.json("/api/v1/incidents")["incidents"], [])


if __name__ == "__main__":
    unittest.main()
