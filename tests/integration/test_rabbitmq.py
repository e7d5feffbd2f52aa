"""The rabbitmq probe against a real broker, and against servers that only look like one."""
# time-out: 600

import json
import os
import struct
import subprocess
import threading
import unittest

from support import Authority, Daemon, wait_until
from support.peer import Peer
from support.rabbitmq import RabbitMq

NAME = "mq.example.com"

authority = broker = None


def setUpModule():
    """One broker for all tests: it takes its time to start."""
    global authority, broker
    authority = Authority()
    unittest.addModuleCleanup(authority.close)
    broker = RabbitMq(queues=["orders", "orders.eu", "idle", "growing", "alarmed"], certificate=authority.issue(NAME))
    unittest.addModuleCleanup(broker.close)
    broker.start()


def probe(check, deadline=30):
    """What one run on its own finds, and the most memory that it had, in KiB."""
    daemon = Daemon({"it": {"probe": "rabbitmq", "timeout": "5s", **check}})
    try:
        command = [str(daemon.binary), "probe", "it", "--local", "--json", "--config", str(daemon.file)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL) as child:
            killer = threading.Timer(deadline, child.kill)
            killer.start()
            out, err = child.stdout.read(), child.stderr.read()
            _, _, usage = os.wait4(child.pid, 0)
            child.returncode = 0
            killer.cancel()
        if not out.strip():
            raise AssertionError(f"nothing was printed within {deadline} s: {err}")
        return json.loads(out), usage.ru_maxrss
    finally:
        daemon.close()


def samples(report, name):
    """Values by label, or the one value without."""
    return {next(iter(sample.get("labels", {}).values()), ""): sample["value"]
            for sample in report["samples"] if sample["name"] == name}


class BrokerTest(unittest.TestCase):
    def check(self, user="monitor", **more):
        return {"address": f"127.0.0.1:{broker.port}", "user": user, "password": f"secret of {user}", **more}

    def managed(self, user="monitor", **more):
        return {"url": f"http://127.0.0.1:{broker.management_port}", "user": user, "password": f"secret of {user}", **more}

    def assert_found(self, check, verdict, reason, summary, remedy=".*"):
        report, _ = probe(check)
        self.assertEqual((report["verdict"], report.get("reason", "")), (verdict, reason), report)
        self.assertRegex(report["summary"], summary)
        self.assertRegex(report.get("remedy", ""), remedy)
        self.assertNotIn(check.get("password", "none"), json.dumps(report))
        return report

    def fill(self, queue, count):
        with broker.client() as client:
            client.publish(queue, count)

    def purge(self, queue):
        with broker.client() as client:
            client.purge(queue)


class AmqpTest(BrokerTest):
    def test_tells_how_long_queues_are(self):
        self.addCleanup(self.purge, "orders")
        self.fill("orders", 5)
        with broker.client() as consumer:
            consumer.consume("idle")
            report = self.assert_found(self.check(queues=["orders", "idle"]), "ok", "", r"^orders: 5 messages, no consumers \(")
        self.assertEqual(samples(report, "messages"), {"orders": 5, "idle": 0})
        self.assertEqual(samples(report, "consumers"), {"orders": 0, "idle": 1})
        self.assertIn("RabbitMQ 3.", json.dumps(report["evidence"]))
        self.assertLessEqual({"connect", "first_byte", "login", "query"}, {phase["name"] for phase in report["phases"]})

    def test_leaves_no_warning_in_the_log(self):
        def lines():    # of this connection: nobody else is this user
            return [line for line in broker.log().splitlines() if "user: 'quiet'" in line]

        self.assert_found(self.check("quiet", queues=["idle"]), "ok", "", "idle")
        wait_until(lambda: any("closing AMQP connection" in line for line in lines()), broker.log)
        for line in lines():
            self.assertIn("[info]", line)

    def test_a_user_needs_to_enter_and_nothing_else(self):
        self.assert_found(self.check("limited", queues=["idle"]), "ok", "", "idle: no messages")

    def test_guest_is_the_default(self):
        check = {"address": f"127.0.0.1:{broker.port}"}
        self.assert_found(check, "unknown", "wrong_password", "refuses user 'guest'", "own host")

    def test_wrong_password(self):
        self.assert_found({**self.check(), "password": "not that one"}, "unknown", "wrong_password",
                          "refuses user 'monitor' with this password", "change_password monitor")

    def test_missing_and_forbidden_virtual_hosts(self):
        self.assert_found(self.check(vhost="nowhere"), "critical", "vhost_missing", "virtual host 'nowhere' does not exist")
        self.assert_found(self.check("stranger"), "unknown", "no_vhost_access", "user 'stranger' may not enter",
                          "set_permissions -p / stranger")

    def test_missing_queues_hide_no_other(self):
        report = self.assert_found(self.check(queues=["nope", "idle", "gone", "orders.eu"]), "critical", "queue_missing",
                                   "^nope: no such queue in virtual host '/'$")
        self.assertEqual(set(samples(report, "messages")), {"idle", "orders.eu"})
        self.assertIn("gone: no such queue", json.dumps(report["evidence"]))

    def test_tls(self):
        secure = self.check(address=f"127.0.0.1:{broker.tls_port}", queues=["idle"])
        right = {"server_name": NAME, "ca_file": str(authority.file)}
        report = self.assert_found({**secure, "tls": right}, "ok", "", "idle")
        self.assertIn("tls", [phase["name"] for phase in report["phases"]])
        self.assert_found({**secure, "tls": {**right, "server_name": "other.example.com"}}, "critical", "tls_wrong_name", NAME)
        self.assert_found({**secure, "tls": {"server_name": NAME}}, "critical", "tls_untrusted", "vitald test authority")
        self.assert_found(secure, "unknown", "wants_tls", "answers in TLS", "tls: true")

    def test_stopped_in_time(self):
        """A broker whose process stands still, as on a host that swaps."""
        broker.suspend()
        try:
            self.assert_found(self.check(timeout="1s"), "critical", "timeout", "connected, but no answer within 1 s")
        finally:
            broker.resume()
        self.assert_found(self.check(), "ok", "", "RabbitMQ 3.* answers")

    def test_killed(self):
        self.addCleanup(broker.start)
        broker.kill()
        self.assert_found(self.check(), "critical", "connect_refused", "refused")


class ManagementTest(BrokerTest):
    def test_tells_what_amqp_does_not(self):
        self.addCleanup(self.purge, "orders")
        self.fill("orders", 7)
        with broker.client() as consumer:
            consumer.consume("orders", prefetch=3)
            wait_until(lambda: broker.api("queues/%2F/orders").get("messages_unacknowledged") == 3, "the statistics")
            wait_until(lambda: broker.api("queues/%2F/orders.eu").get("consumers") == 0, "the statistics")
            report = self.assert_found(self.check(queues=["orders"], management=self.managed(queues=["orders.*", "i?le"])),
                                       "ok", "", r"^orders: 4 messages, 3 unacknowledged, 1 consumer \(the fullest of 3")
        self.assertEqual(samples(report, "messages"), {"orders": 4, "orders.eu": 0, "idle": 0})
        self.assertEqual(samples(report, "unacknowledged")["orders"], 3)
        self.assertEqual(samples(report, "connections").keys(), {""})
        for name in ("memory_used", "disk_free", "descriptors_used"):
            self.assertGreater(samples(report, name)[broker.node], 0, name)

    def test_what_it_refuses_is_unknown(self):
        for management, reason, words in (
                ({**self.managed(), "password": "another"}, "management_refused", "refuses user 'monitor': Login failed"),
                (self.managed("limited"), "management_refused", "Not management user"),
                (self.managed(url="http://127.0.0.1:1"), "management_unreachable", "refused"),
                (self.managed(url=f"http://127.0.0.1:{broker.management_port}/other"), "management_missing", "/other"),
                (self.managed(url=f"http://127.0.0.1:{broker.port}"), "management_unreachable", "the broker answers, but")):
            with self.subTest(words):
                report = self.assert_found(self.check(queues=["idle"], management=management), "unknown", reason, words, ".")
                self.assertEqual(samples(report, "messages"), {"idle": 0})

    def test_one_that_hangs_is_unknown(self):
        with Rogue() as silent:
            management = self.managed(url=f"http://127.0.0.1:{silent.port}")
            self.assert_found(self.check(timeout="1s", management=management), "unknown", "management_unreachable",
                              "the broker answers, but its management API did not within 1 s")

    def test_patterns_without_a_queue(self):
        self.assert_found(self.check(management=self.managed(queues=["orders.*", "bills.*"])), "critical", "queue_missing",
                          r"^bills\.\*: no such queue")

    def test_memory_alarm(self):
        def set_watermark(alarm, *words):    # the broker raises and clears its alarm a moment later
            broker.control("set_vm_memory_high_watermark", *words)
            wait_until(lambda: (broker.api("health/checks/alarms")["status"] == "failed") == alarm, "the alarm", 30)
            # Its statistics, which the probe reads, follow some seconds later.
            wait_until(lambda: broker.api("nodes")[0]["mem_alarm"] == alarm, "the statistics", 30)

        self.addCleanup(set_watermark, False, "0.9")
        set_watermark(True, "absolute", "1MB")
        self.assert_found(self.check(queues=["alarmed"], management=self.managed()), "critical", "alarm",
                          f"^memory alarm on {broker.node}: publishers are blocked$", "memory_breakdown")
        # AMQP alone does not show it: logins and passive declarations are no publications.
        self.assert_found(self.check(queues=["alarmed"]), "ok", "", "alarmed")


class GrowingTest(BrokerTest):
    def test_a_queue_that_nobody_empties(self):
        self.addCleanup(self.purge, "growing")
        self.fill("growing", 3)
        check = {"probe": "rabbitmq", **self.check(queues=["growing"]), "every": "250ms", "timeout": "2s",
                 "confirm": {"failures": 2, "spread": ["2s"]}}
        with Daemon({"work": check}) as daemon:
            def now():
                return daemon.json("/api/v1/checks")["checks"][0]

            def runs(count):
                wanted = now()["runs"] + count
                wait_until(lambda: now()["runs"] >= wanted, f"{count} runs")

            runs(3)
            self.assertEqual(now()["verdict"], "ok", "a queue may wait")
            self.fill("growing", 2)
            wait_until(lambda: now()["confirmed"] == "critical", lambda: f"the verdict: {now()}", deadline=30)
            self.assertEqual((now()["reason"], now()["summary"]),
                             ("queue_without_consumer", "growing: 5 messages, no consumer, growing"))
            with broker.client() as consumer:
                consumer.consume("growing", prefetch=1)
                wait_until(lambda: now()["confirmed"] == "ok", lambda: f"the recovery: {now()}", deadline=30)
                self.assertRegex(now()["summary"], "growing: 4 messages, 1 consumer")


class Rogue(Peer):
    """Says `first` to whoever connects, then `again` without end; nothing at all without them."""

    def __init__(self, first=b"", again=b""):
        self._first, self._again = first, again
        super().__init__()

    def talk(self, connection):
        connection.sendall(self._first)
        while self._again:
            connection.sendall(self._again)


def frame(kind, payload, channel=0):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def start(table):
    long = lambda raw: struct.pack(">I", len(raw)) + raw
    return frame(1, struct.pack(">HHBB", 10, 10, 0, 9) + long(table) + long(b"PLAIN") + long(b"en_US"))


def deep_table(levels):
    table = b""
    for _ in range(levels):
        table = b"\x01xF" + struct.pack(">I", len(table)) + table
    return table


class RogueTest(unittest.TestCase):
    def assert_told(self, rogue, verdict, reason, summary):
        with rogue:
            check = {"address": f"127.0.0.1:{rogue.port}", "queues": ["orders"], "timeout": "1s"}
            report, memory = probe(check)
        self.assertEqual((report["verdict"], report["reason"]), (verdict, reason), report)
        self.assertRegex(report["summary"], summary)
        return memory

    def test_none_costs_memory(self):
        plain = self.assert_told(Rogue(), "critical", "timeout", "connected, but no answer within 1 s")
        for rogue, reason, summary in (
                (Rogue(b"\x01\x00\x00\xff\xff\xff\xff", b"x" * 65536), "not_amqp", "a frame of 4294967295 bytes"),
                (Rogue(start(b""), b"\x01\x00\x00\x10\x00\x00\x00" + b"x" * 65536), "bad_frame", "a frame of 268435456 bytes"),
                (Rogue(b"", b"x" * 65536), "not_amqp", "answers, but not in AMQP: 'xxx"),
                (Rogue(start(deep_table(3000))), "bad_frame", "nested more than 8 deep"),
                (Rogue(start(b"\x01xV" * 20000)), "bad_frame", "more than 256 fields"),
                (Rogue(start(b""), frame(8, b"") * 5000), "bad_answer", "not what was asked"),
                (Rogue(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not_amqp", "'HTTP/1.1 400 Bad Request'"),
                (Rogue(b"AMQP\x03\x01\x00\x00"), "wrong_protocol", "speaks AMQP 1.0 instead of 0-9-1")):
            with self.subTest(summary):
                memory = self.assert_told(rogue, "critical", reason, summary)
                self.assertLess(memory, plain + 16 * 1024, "KiB")

    def test_a_dribble_ends_with_the_run(self):
        with Rogue(start(b"")[:20]) as rogue:
            report, _ = probe({"address": f"127.0.0.1:{rogue.port}", "timeout": "1s"})
        self.assertEqual(report["reason"], "timeout", report)


if __name__ == "__main__":
    unittest.main()
