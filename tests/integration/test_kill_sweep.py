"""Kills the daemon at its system calls while it raises and resolves an incident; nothing may be lost or told wrongly."""
# time-out: 900
# slow
# KILL_POINTS is how many points are taken at most ("all": no bound), KILL_SEED which ones if not all.

import os
import random
import re
import shutil
import signal
import sqlite3
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import Answer, Daemon, Receiver, release_binary, wait_until
from support.oracle import Committed, Told, at_rest, committed, complaints, heard, show

# Where a crash can come between two things that must go together: the database's writes, the conversations with the
# receiver and the target, wake-ups between threads, and the turns of the loop.
NAMES = ("pwrite64", "write", "writev", "fdatasync", "fsync", "ftruncate", "unlink", "openat", "close", "connect", "sendto",
         "sendmsg", "recvfrom", "recvmsg", "epoll_wait", "epoll_ctl", "futex")
FAMILY = "clone,clone3,fork,vfork"


class Scene:
    """A target that fails until it is told to recover, a receiver, and a state that outlives the daemon."""

    def __init__(self, binary):
        self.binary = binary
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-sweep-"))
        self.target, self.receiver = Receiver(), Receiver()
        self.target.always("/", Answer(503, "no"))
        self.healthy = False
        self.daemons = []

    def daemon(self, *wrapper):
        check = {"probe": "http", "url": self.target.url, "every": "200ms", "timeout": "150ms", "severity": "P0",
                 "confirm": {"failures": 1}, "recover": {"successes": 1}}
        receiver = {"webhook": {"url": self.receiver.webhook_url}, "pace": "1ms",
                    "retry": {"first": "100ms", "longest": "100ms"}}
        daemon = Daemon({"target": check}, binary=self.binary, wrapper=wrapper, folder=self.folder,
                        receivers={"hook": receiver}, escalations={name: [{"notify": ["hook"]}] for name in ("P0", "P2")})
        self.daemons.append(daemon)
        return daemon

    def recover(self):
        self.target.always("/")
        self.healthy = True

    def told(self):
        return heard(self.receiver.requests("/hook"))

    def play(self, daemon):
        """Until the recovery was told and the daemon has ended, or until it is killed. Its exit status."""
        daemon.start(wait=False)
        for kind in ("problem", "recovery"):
            wait_until(lambda kind=kind: self._has(kind) or daemon.process.poll() is not None,
                       lambda kind=kind: f"the {kind}; there are {show(self.told())}; it said:\n{daemon.log()}", 30)
            if daemon.process.poll() is not None:
                return daemon.process.returncode
            self.recover()
        return daemon.stop()

    def _has(self, kind):
        return any(message.kind == kind for message in self.told())

    def settle(self):
        """A plain restart goes on with whatever the killed daemon left, until all is well."""
        daemon = self.daemon().start()

        def said():
            return f"the daemon to settle; there are {show(self.told())}; it said:\n{daemon.log()}"

        if not self.healthy:
            wait_until(lambda: self._open(daemon) & {message.incident for message in self.told()}, said, 30)
            self.recover()
        wait_until(lambda: self._at_rest(daemon), said, 30)
        return daemon.stop()

    @staticmethod
    def _open(daemon):
        return {incident["id"] for incident in daemon.json("/api/v1/incidents")["incidents"]}

    def _at_rest(self, daemon):
        """The page may be ahead of the disk, and the receiver ahead of both: all three have to agree."""
        check = daemon.json("/api/v1/checks")["checks"][0]
        told = self.told()
        over = {message.incident for message in told} == {each.incident for each in told if each.kind == "recovery"}
        return check["runs"] > 0 and check["confirmed"] == "ok" and not self._open(daemon) and over and at_rest(daemon.state)

    def close(self):
        for daemon in self.daemons:
            daemon.close()
        self.target.close()
        self.receiver.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def calls_of(trace):
    """{name: {process or thread: [indices after the database was opened]}} of the daemon itself, without its helper.

    strace counts for each thread on its own, so a point is the first thread that gets as far.
    """
    children, flags = set(), {}
    for line in trace.splitlines():
        # A call that took its time is cut in two, and its child speaks in between.
        if begun := re.match(r"(\d+)\s+(?:clone3?|v?fork)\((.*)", line):
            flags[begun[1]] = begun[2]
        if born := re.match(r"(\d+)\s+(?:(?:clone3?|v?fork)\(|<\.\.\. (?:clone3?|v?fork) resumed).*= (\d+)$", line):
            if "CLONE_THREAD" not in flags.get(born[1], ""):
                children.add(born[2])
    counts, found, opened = {}, {}, False
    for line in trace.splitlines():
        call = re.match(r"(\d+)\s+(\w+)\(", line)
        if not call or call[1] in children:
            continue
        thread, name = call.groups()
        index = counts[name, thread] = counts.get((name, thread), 0) + 1
        opened = opened or (name == "openat" and "vitald.db" in line)
        if opened and name in NAMES:
            found.setdefault(name, {}).setdefault(thread, []).append(index)
    return found


def chosen(points, wanted, seed):
    """Evenly over each system call's run: a random offset, then equal steps."""
    if wanted == "all" or int(wanted) >= len(points):
        return points
    # Writes to the disk and to the network decide what is lost; turns of the loop and locks only wake somebody.
    heavy = [point for point in points if point[0] not in ("epoll_wait", "epoll_ctl", "futex", "close")]
    light = [point for point in points if point not in heavy]
    draw = random.Random(seed)
    share = min(len(heavy), int(wanted) * 4 // 5)
    result = []
    for group, count in ((heavy, share), (light, min(len(light), int(wanted) - share))):
        offset = draw.random()
        result += [group[int((place + offset) * len(group) / count)] for place in range(count)]
    return result


class KillSweepTest(unittest.TestCase):
    def setUp(self):
        self.binary = release_binary()
        if not shutil.which("strace"):
            self.skipTest("there is no strace")

    def enumerate(self):
        scene = Scene(self.binary)
        self.addCleanup(scene.close)
        trace = scene.folder / "trace"
        daemon = scene.daemon("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", trace, "-e", f"trace={','.join(NAMES)},{FAMILY}",
                              "-e", "signal=none")
        self.assertEqual(scene.play(daemon), 0, daemon.log())
        self.assertEqual([message.kind for message in scene.told()], ["problem", "recovery"])
        # The tracer is the daemon's daughter (-D) and may still be writing.
        lengths = []

        def complete():
            lengths.append(trace.stat().st_size)
            return len(lengths) > 5 and len(set(lengths[-5:])) == 1
        wait_until(complete, "the trace to be complete")
        return calls_of(trace.read_text(encoding="utf-8", errors="replace"))

    def kill_at(self, point):
        """What is wrong after a kill there, and whether it happened."""
        name, index = point
        scene = Scene(self.binary)
        try:
            # Not with --seccomp-bpf: there the injected signal is lost (strace 6.1).
            daemon = scene.daemon("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}",
                                  "-e", f"inject={name}:signal=KILL:when={index}")
            status = scene.play(daemon)
            if status not in (0, -signal.SIGKILL):
                return [f"it ended with {status}: {daemon.log()}"], False
            after_crash = committed(daemon.state)
            killed = status == -signal.SIGKILL
            wrong = [] if scene.settle() == 0 else ["after the restart it did not end well"]
            wrong += complaints(scene.told(), after_crash, committed(daemon.state), crashes=1 if killed else 0)
            return [*wrong, show(scene.told()), daemon.log()] if wrong else [], killed
        except AssertionError as failed:
            return [str(failed)], True
        finally:
            scene.close()

    def test_a_kill_at_any_system_call_loses_nothing(self):
        calls = self.enumerate()
        points = [(name, index) for name, threads in sorted(calls.items())
                  for index in sorted(set().union(*threads.values()))]
        names = {name for name, _ in points}
        for needed in ("pwrite64", "fdatasync", "connect"):
            self.assertIn(needed, names, "the run did not write or send as expected")
        seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(10**6))
        sample = chosen(points, os.environ.get("KILL_POINTS") or "400", seed)
        print(f"{len(sample)} of {len(points)} points, KILL_SEED={seed}:",
              ", ".join(f"{name} {sum(1 for point in points if point[0] == name)}" for name in sorted(names)), flush=True)
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(self.kill_at, sample))
        killed = sum(1 for _, dead in results if dead)
        print(f"{killed} of {len(sample)} runs were killed", flush=True)
        for (name, index), (wrong, _) in zip(sample, results):
            with self.subTest(call=name, when=index):
                self.assertEqual(wrong, [])
        # Indices vary from run to run; most must hit, or the sweep sweeps nothing.
        self.assertGreater(killed, len(sample) // 2)


def message(kind, sequence, incident="i", key=None):
    return Told(key or f"{incident}/{sequence}/hook", incident, sequence, kind)


class OracleTest(unittest.TestCase):
    """The sweep is worth what its judge is: each way to be wrong, as recorded logs."""

    OPEN = Committed({"i": 1}, frozenset({("i", 1)}))
    CLOSED = Committed({"i": 0}, frozenset())
    GOOD = (message("problem", 1), message("recovery", 2))

    def complains(self, told, about, after_crash=OPEN, at_the_end=CLOSED, crashes=1):
        self.assertRegex("\n".join(complaints(list(told), after_crash, at_the_end, crashes)), about)

    def test_is_content_with_what_is_right(self):
        problem, recovery = self.GOOD
        for told in ((problem, recovery), (problem, problem, recovery), (problem, recovery, recovery)):
            self.assertEqual(complaints(list(told), self.OPEN, self.CLOSED), [])
        self.assertEqual(complaints([], Committed({}, frozenset()), Committed({}, frozenset())), [])

    def test_a_message_marked_before_it_was_sent(self):
        self.complains([], "nobody was told", after_crash=Committed({"i": 1}, frozenset()))
        self.complains([message("problem", 1)], "end of incident i was committed", after_crash=self.CLOSED)

    def test_an_outbox_in_another_transaction(self):
        self.complains([], "committed message .* was lost")
        self.complains(self.GOOD, "does not know it", at_the_end=Committed({}, frozenset()))

    def test_repeats(self):
        problem, recovery = self.GOOD
        self.complains((problem, problem, problem, recovery), "came 3 times")
        self.complains((problem, problem, recovery), "came 2 times", crashes=0)
        self.complains((problem, message("problem", 1, key="other"), recovery), "several keys")
        self.complains((problem, message("recovery", 2, key=problem.key)), "key of different messages")

    def test_order(self):
        problem, recovery = self.GOOD
        self.complains((recovery,), "begins with its recovery")
        self.complains((problem,), "ends with its problem")
        self.complains((problem, recovery, problem, recovery), "out of order")

    def test_what_is_left_open(self):
        self.complains(self.GOOD, "still open", at_the_end=self.OPEN)
        self.complains(self.GOOD, "never sent", at_the_end=Committed({"i": 0}, frozenset({("i", 2)})))

    def test_a_damaged_database(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "vitald.db"
            connection = sqlite3.connect(file)
            connection.executescript("CREATE TABLE outbox (incident, sequence); CREATE TABLE incidents (id, open);"
                                     "INSERT INTO incidents VALUES ('i', 1); INSERT INTO outbox VALUES ('i', 1);")
            connection.close()
            self.assertEqual(committed(folder), self.OPEN)
            content = bytearray(file.read_bytes())
            content[4096:8192] = bytes(4096)
            file.write_bytes(content)
            self.assertNotEqual(committed(folder).damage, "")

    def test_enumerates_threads_apart_and_not_the_helper(self):
        trace = ("7 clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>\n8 write(1, \"helper\") = 1\n"
                 "7 <... clone resumed>) = 8\n7 clone3({flags=CLONE_VM|CLONE_THREAD}, 88) = 9\n"
                 "7 write(2, \"early\") = 5\n7 openat(AT_FDCWD, \"/x/vitald.db\") = 3\n8 write(1, \"helper\") = 1\n"
                 "9 write(3, \"a\" <unfinished ...>\n7 write(2, \"late\") = 4\n9 <... write resumed>) = 1\n")
        self.assertEqual(calls_of(trace)["write"], {"7": [2], "9": [1]})


if __name__ == "__main__":
    unittest.main()
