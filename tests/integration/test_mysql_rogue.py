# time-out: 300
"""The mysql probe against servers that mean harm or are none."""

import json
import tempfile
import unittest
from pathlib import Path

from support import Daemon, wait_until
from support.rogue_mysql import (RogueMySql, column, end_of_part, greeting, number_of, packet, text)

PASSWORD = b"a secret word"
LARGEST = 0xFFFFFF


def silent(rogue, connection):
    rogue.listen(connection)


def no_tls(rogue, connection):
    connection.sendall(greeting())
    rogue.listen(connection)


def switch_to(plugin, disguise=b""):
    """Asks for another way of logging in; `disguise` is put where the library keeps the name of the first one."""
    def talk(rogue, connection):
        first = greeting()
        connection.sendall(first)
        rogue.read(connection)
        wanted = b"\xfe" + plugin + b"\0"
        place = first.index(b"mysql_native_password") - 4
        connection.sendall(packet(2, wanted.ljust(place, b"x") + disguise + b"\0" if disguise else wanted))
        rogue.listen(connection)
    return talk


def begin_with(plugin):
    def talk(rogue, connection):
        connection.sendall(greeting(plugin=plugin))
        rogue.listen(connection)
    return talk


def answer_with(*packets):
    """Lets anybody in and gives this for an answer."""
    def talk(rogue, connection):
        rogue.log_in(connection)
        connection.sendall(b"".join(packets))
        rogue.listen(connection)
    return talk


def pour(head, block):
    """The same for ever."""
    def talk(rogue, connection):
        rogue.log_in(connection)
        connection.sendall(head)
        while True:
            connection.sendall(block)
    return talk


def pour_a_greeting(_, connection):
    while True:
        connection.sendall(LARGEST.to_bytes(3, "little") + b"\0" + b"\x0a" * LARGEST)


def say(words):
    def talk(rogue, connection):
        connection.sendall(words)
        rogue.listen(connection)
    return talk


COLUMNS = b"".join(packet(2 + i, column(b"x" * 60000)) for i in range(20))
ROWS = b"".join(packet(4 + i, text(b"x" * 1000)) for i in range(200))
ONE_COLUMN = packet(1, b"\x01") + packet(2, column(b"n")) + end_of_part(3)


class RogueTest(unittest.TestCase):
    def run_daemon(self, rogue, **check):
        daemon = Daemon({"db": {"probe": "mysql", "address": rogue.address, "user": "monitor", "password": PASSWORD.decode(),
                                "every": "500ms", "timeout": "450ms", "confirm": {"failures": 1}, **check}})
        self.addCleanup(daemon.close)
        return daemon

    def assert_found(self, talk, reason, words, **check):
        with RogueMySql(talk) as rogue:
            daemon = self.run_daemon(rogue, timeout="3s", **check)
            done = daemon.command("probe", "db", "--local", "--json")
            report = json.loads(done.stdout)
            self.assertEqual(report.get("reason"), reason, report)
            self.assertRegex(report["summary"], words)
            self.assertNotIn(PASSWORD, rogue.heard)
            self.assertNotIn(PASSWORD.decode(), done.stdout)
            return bytes(rogue.heard)

    def test_nothing_goes_to_a_server_without_tls(self):
        for tls in (True, {"insecure": True}):
            heard = self.assert_found(no_tls, "tls_missing", "does not speak TLS", tls=tls)
            self.assertEqual(heard, b"", "not even the user's name")

    def test_a_greeting_in_small_pieces_is_understood(self):
        def talk(rogue, connection):
            for byte in greeting():
                connection.sendall(bytes([byte]))
            rogue.listen(connection)
        self.assertEqual(self.assert_found(talk, "tls_missing", "does not speak TLS", tls={"insecure": True}), b"")

    def test_the_password_is_shown_to_nobody(self):
        for plugin in (b"mysql_clear_password", b"dialog", b"sha256_password"):
            for talk in (switch_to(plugin), switch_to(plugin, b"mysql_native_password"), begin_with(plugin)):
                self.assert_found(talk, "password_in_the_clear", "shows it the password")

    def test_no_file_is_given_away(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            file.write_bytes(b"contents of a file")
            heard = self.assert_found(answer_with(packet(1, b"\xfb" + str(file).encode())), "asked_for_file", "got none")
            self.assertNotIn(b"contents", heard)

    def test_garbage(self):
        self.assert_found(say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not_mysql", "does not speak the protocol")
        self.assert_found(say(packet(0, b"\x09" + b"4.0\0" + bytes(40))), "not_mysql", "does not speak the protocol")
        self.assert_found(lambda rogue, connection: None, "closed_early", "without a word")
        self.assert_found(answer_with(packet(1, b"\x01") + packet(2, b"no column")), "bad_answer", "protocol")
        self.assert_found(answer_with(ONE_COLUMN, packet(4, text(b"2")), end_of_part(5)), "bad_answer", "something else")

    def test_too_many_connections_and_other_words_instead_of_a_greeting(self):
        self.assert_found(say(packet(0, b"\xff\x10\x04Too many connections")), "too_many_connections", "too many")
        self.assert_found(say(packet(0, b"\xff\x69\x04Host '10.0.0.5' is blocked")), "host_blocked", "blocks this host")
        self.assert_found(say(packet(0, b"\xff\x6a\x04Host '10.0.0.5' is not allowed")), "host_not_allowed", "10.0.0.5")

    def test_a_server_that_accepts_and_never_answers(self):
        self.assert_found(silent, "timeout", "no completed login within 3 s")

    def test_floods_are_ended_and_leave_nothing_in_memory(self):
        floods = {"answer_too_large": [
            pour(packet(1, number_of(20_000_000)), COLUMNS), pour(packet(1, number_of(1 << 40)), COLUMNS),
            pour(packet(1, b"\xfc\xff\xff"), COLUMNS), pour(b"", LARGEST.to_bytes(3, "little") + b"\1" + b"x" * LARGEST)],
            "bad_answer": [pour(ONE_COLUMN, ROWS)], "not_mysql": [pour_a_greeting]}
        for reason, talks in floods.items():
            for talk in talks:
                with RogueMySql(talk) as rogue:
                    daemon = self.run_daemon(rogue).start()
                    wait_until(lambda: self._state(daemon)["runs"] >= 2, daemon.log)
                    before = self._resident(daemon)
                    wait_until(lambda: self._state(daemon)["runs"] >= 6, daemon.log)
                    self.assertLess(self._resident(daemon) - before, 24 << 20)
                    self.assertEqual(self._peak(daemon) // (512 << 20), 0)
                    self.assertIn(reason, json.dumps(daemon.json("/api/v1/checks?check=db")))
                    self.assertEqual(daemon.stop(), 0, daemon.log())

    def test_endless_rows_of_a_query_are_cut(self):
        with RogueMySql(pour(ONE_COLUMN, ROWS)) as rogue:
            daemon = self.run_daemon(rogue, query="SELECT n FROM t")
            report = json.loads(daemon.command("probe", "db", "--local", "--json").stdout)
            self.assertEqual(report["verdict"], "ok", report)
            self.assertEqual([each["value"] for each in report["samples"] if each["name"] == "rows"], [50])

    def test_a_server_that_dribbles_holds_no_worker(self):
        def talk(rogue, connection):
            connection.settimeout(0.05)
            connection.sendall(b"\xff\xff\x00\x00\x0a")
            while True:
                connection.sendall(b"8")
                try:
                    if not connection.recv(4096):
                        return
                except TimeoutError:
                    pass
        with RogueMySql(talk) as rogue:
            daemon = self.run_daemon(rogue).start()
            wait_until(lambda: self._state(daemon)["runs"] >= 6, daemon.log)
            wait_until(lambda: self._wedged(daemon) == 0, daemon.log)
            self.assertIn("no completed login", json.dumps(daemon.json("/api/v1/checks?check=db")))

    @staticmethod
    def _state(daemon):
        return daemon.json("/api/v1/checks")["checks"][0]

    @staticmethod
    def _wedged(daemon):
        return daemon.metrics()["vitald_workers_wedged"]

    @staticmethod
    def _memory(daemon, what):
        status = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1]) * 1024

    def _resident(self, daemon):
        return self._memory(daemon, "VmRSS")

    def _peak(self, daemon):
        return self._memory(daemon, "VmHWM")


if __name__ == "__main__":
    unittest.main()
