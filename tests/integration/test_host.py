# time-out: 600
"""The kinds that look at the host itself, on the real /proc and /sys of this one, with faults that are really provoked: a
kill for want of memory, a link that goes down, a process that is killed, a file system that fills up, and one that hangs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import Daemon, Receiver, release_binary, run_alone, sample, wait_until

KINDS = ("cpu", "load", "pressure", "oom", "swap", "memory", "disk", "network", "file-descriptors", "clock", "reboot-required")
FAST = {"every": "300ms", "timeout": "2s", "confirm": {"failures": 1}}


def shown(daemon):
    return {check["check"]: check for check in daemon.json("/api/v1/checks")["checks"]}


class World:
    """Mount and network namespaces of the test's own, made by a shell script; they end with the process that holds them."""

    def __init__(self, script, *namespaces):
        words = ["unshare", *namespaces, "sh", "-c", f"{script} && echo ready && exec cat"]
        self.holder = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = self.holder.stdout.readline()
        if said != "ready\n":
            said += self.holder.stdout.read()
            self.close()
            raise unittest.SkipTest(f"no namespaces of our own are to be had: {said.strip()}")
        self.enter = ["nsenter", "-t", str(self.holder.pid), "-m", *(["-n"] if "-n" in namespaces else [])]

    def run(self, *command):
        subprocess.run([*self.enter, *map(str, command)], check=True, capture_output=True, stdin=subprocess.DEVNULL)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdin.close()
        self.holder.stdout.close()


class HostTest(unittest.TestCase):
    def start(self, checks, wait=True, **how):
        daemon = Daemon({name: {**FAST, **check} for name, check in checks.items()}, **how)
        self.addCleanup(daemon.close)
        return daemon.start(wait)

    def world(self, script, *namespaces):
        world = World(script, *namespaces)
        self.addCleanup(world.close)
        return world

    def folder(self):
        folder = Path(tempfile.mkdtemp(prefix="vitald-host-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def verdict(self, daemon, name, verdict, reason=""):
        """Waits until the check says so; the check as it is shown then."""
        return wait_until(lambda: (lambda check: check if (check["verdict"], check.get("reason", "")) == (verdict, reason)
                                   and check["runs"] else None)(shown(daemon)[name]),
                          lambda: f"{name} to be {verdict} {reason}: {shown(daemon)[name]}", 60)


class EveryKindTest(HostTest):
    def test_each_measures_this_host(self):
        daemon = self.start({kind: {"probe": kind} for kind in KINDS})
        wait_until(lambda: all(check["runs"] >= 3 for check in shown(daemon).values()), lambda: f"three runs: {shown(daemon)}", 60)
        checks = shown(daemon)
        for kind, check in checks.items():
            if check["outcome"] == "answered":
                self.assertTrue(check["samples"], check)
            else:  # a host without that, or a clock that nothing keeps, is told as such
                self.assertTrue(check["reason"] and check["remedy"], check)
        for name in ("busy", "user", "system", "iowait", "steal"):
            busy = sample(checks["cpu"], name)
            if busy is not None:  # a container with a quota has only the first
                self.assertTrue(0 <= busy <= 1, checks["cpu"])
        self.assertIsNotNone(sample(checks["cpu"], "busy"), checks["cpu"])
        used, _, maximum = Path("/proc/sys/fs/file-nr").read_text(encoding="ascii").split()
        self.assertEqual(sample(checks["file-descriptors"], "maximum"), float(maximum))
        self.assertGreater(sample(checks["file-descriptors"], "used"), 0)
        self.assertEqual(sample(checks["load"], "load_1m") / sample(checks["cpu"], "cores"), sample(checks["load"], "per_core_1m"))
        self.assertEqual(sample(checks["oom"], "kills"), 0, checks["oom"])
        interfaces = {row["labels"]["interface"] for row in checks["network"]["samples"] if "labels" in row}
        self.assertLessEqual(interfaces, set(os.listdir("/sys/class/net")))
        self.assertNotIn("lo", interfaces)


class OutOfMemoryTest(HostTest):
    LIMIT = 24 << 20

    def group(self):
        """A memory control group with a limit, v2 or v1, or a reason to skip."""
        for root, limit in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max")):
            folder = root / f"vitald-test-{os.getpid()}"
            try:
                folder.mkdir()
            except OSError:
                continue
            self.addCleanup(folder.rmdir)
            try:
                (folder / limit).write_text(str(self.LIMIT), encoding="ascii")
            except OSError:
                continue
            return folder
        self.skipTest("no memory control group of our own is to be had")

    def test_the_victim_is_named(self):
        if any(line.startswith("SwapTotal:") and line.split()[1] != "0"
               for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines()):
            self.skipTest("there is swap, into which a group over its limit grows")
        group = self.group()
        with Receiver() as receiver:
            daemon = self.start({"oom": {"probe": "oom", "severity": "P1"}}, receivers={"hook": {"webhook": {"url": receiver.webhook_url}}},
                                escalations={"P1": [{"notify": ["hook"]}]})
            wait_until(lambda: shown(daemon)["oom"]["runs"], "a first run")
            self.assertEqual(shown(daemon)["oom"]["verdict"], "ok")
            script = f"echo $$ > {group}/cgroup.procs && exec {sys.executable} -c 'bytearray({4 * self.LIMIT})'"
            victim = subprocess.Popen(["sh", "-c", script], stdin=subprocess.DEVNULL)
            self.assertEqual(victim.wait(60), -9, "nothing killed it")
            check = self.verdict(daemon, "oom", "critical")
            message = wait_until(receiver.requests, lambda: f"a message: {daemon.log()}", 30)[0].json()
            said = json.dumps(message)
            if not os.access("/dev/kmsg", os.R_OK):
                self.assertIn("vitald may not read the kernel log", said)
                return
            self.assertRegex(said, rf"python[0-9.]* \(pid {victim.pid}, held [0-9.]+ MiB, in /vitald-test-{os.getpid()}\)", check)

    def test_without_the_right_the_kill_is_told_all_the_same(self):
        # The right is to read /dev/kmsg: here there is none.
        group = self.group()
        world = self.world("mount --bind /dev/null /dev/kmsg", "-m")
        daemon = self.start({"oom": {"probe": "oom"}}, wrapper=world.enter)
        wait_until(lambda: shown(daemon)["oom"]["runs"], "a first run")
        script = f"echo $$ > {group}/cgroup.procs && exec {sys.executable} -c 'bytearray({4 * self.LIMIT})'"
        if subprocess.run(["sh", "-c", script], stdin=subprocess.DEVNULL, timeout=60, check=False).returncode != -9:
            self.skipTest("there is swap, into which a group over its limit grows")
        self.assertRegex(self.verdict(daemon, "oom", "critical")["why"], "kill")


class NetworkTest(HostTest):
    def test_a_link_that_goes_down_and_comes_back(self):
        if not shutil.which("ip"):
            self.skipTest("there is no ip")
        world = self.world("mount -t sysfs sysfs /sys && ip link add v0 type veth peer name v1 && ip link set lo up && "
                           "ip link set v0 up && ip link set v1 up", "-m", "-n")
        daemon = self.start({"named": {"probe": "network", "interfaces": ["v0"]}, "guest": {"probe": "network"},
                             "absent": {"probe": "network", "interfaces": ["v0", "eth9"]}}, wait=False, wrapper=world.enter)
        names = ("named", "guest", "absent")

        def ask(name):
            # Its page is on the loopback of another network, its control socket is not.
            done = daemon.command("probe", name, "--json")
            return json.loads(done.stdout) if done.stdout.startswith("{") else {}

        def until(name, reason):
            return wait_until(lambda: (lambda report: report if report and report.get("reason", "") == reason else None)(ask(name)),
                              lambda: f"{name} to say {reason!r}: {ask(name)}; it said:\n{daemon.log()}", 60)

        until("named", "")
        report = until("guest", "")
        self.assertEqual(report["summary"], "up: v1, v0" if report["summary"].startswith("up: v1") else "up: v0, v1")
        self.assertEqual(sample(report, "up", interface="v0"), 1)
        self.assertGreaterEqual(sample(report, "received", interface="v0"), 0)
        self.assertEqual(until("absent", "no_interface")["summary"], "there is no interface eth9")
        world.run("ip", "link", "set", "v1", "down")
        report = until("named", "no_link")
        self.assertRegex(report["summary"], "^v0 has no link")
        self.assertEqual(sample(report, "up", interface="v0"), 0)
        self.assertIn(until("guest", "no_link")["verdict"], ("critical",))
        world.run("ip", "link", "set", "v0", "down")
        self.assertEqual(until("named", "switched_off")["remedy"], "run: ip link set v0 up")
        world.run("ip", "link", "set", "v0", "up")
        world.run("ip", "link", "set", "v1", "up")
        for name in names[:2]:
            until(name, "")


class ProcessTest(HostTest):
    def spawn(self, pidfile):
        process = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        pidfile.write_text(f"{process.pid}\n", encoding="ascii")
        return process

    def test_a_process_that_is_killed_and_comes_back(self):
        folder = self.folder()
        pidfile = folder / "it.pid"
        process = self.spawn(pidfile)
        daemon = self.start({"by-file": {"probe": "process", "pidfile": str(pidfile), "name": "sleep"},
                             "by-number": {"probe": "process", "pidfile": str(pidfile)},
                             "by-command": {"probe": "process", "command": f"vitald .*{daemon_mark(folder)}", "expect": {"max": 0, "min": 0}}})
        check = self.verdict(daemon, "by-file", "ok")
        self.assertRegex(check["summary"], rf"^sleep \(pid {process.pid}\) runs, ")
        self.assertEqual(sample(check, "running"), 1)
        self.assertGreaterEqual(sample(check, "open_files"), 3)
        self.assertEqual(sample(check, "threads"), 1)
        self.verdict(daemon, "by-command", "ok")
        process.kill()
        process.wait()
        check = self.verdict(daemon, "by-file", "critical", "not_running")
        self.assertEqual(check["summary"], f"{pidfile} names process {process.pid}, which does not run any more")
        self.assertIn(f"pid {process.pid}", json.dumps(check["evidence"]))
        self.verdict(daemon, "by-number", "critical", "not_running")
        again = self.spawn(pidfile)
        check = self.verdict(daemon, "by-file", "ok")
        self.assertIn(f"pid {again.pid}", check["summary"])
        # A file that is older than the process whose number it holds, as after a reboot.
        os.utime(pidfile, (1, 1))
        self.verdict(daemon, "by-number", "critical", "pid_reused")
        self.verdict(daemon, "by-file", "ok")
        pidfile.unlink()
        self.verdict(daemon, "by-file", "critical", "no_pidfile")

    def test_many_that_end_are_counted(self):
        folder = self.folder()
        script = f"import time; '{folder}'; time.sleep(600)"
        processes = []
        for _ in range(3):
            processes.append(subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.DEVNULL))
            self.addCleanup(lambda process=processes[-1]: (process.kill(), process.wait()))
        daemon = self.start({"workers": {"probe": "process", "command": str(folder), "expect": {"min": 2},
                                         "limits": {"ended": {"warning": 2}}}})
        check = self.verdict(daemon, "workers", "ok")
        wait_until(lambda: sample(shown(daemon)["workers"], "running") == 3, "three of them")
        for process in processes[:2]:
            process.kill()
            process.wait()
        check = self.verdict(daemon, "workers", "critical", "too_few")
        self.assertEqual(sample(check, "running"), 1)
        self.assertRegex(check["summary"], "^1 instead of at least 2: process with a command line like")

    def test_what_is_hidden_is_unknown(self):
        if not shutil.which("setpriv"):
            self.skipTest("there is no setpriv")
        world = self.world("mount -t proc -o hidepid=2 proc /proc", "-m")
        folder = self.folder()
        folder.chmod(0o777)
        daemon = Daemon({"it": {"probe": "process", "name": "cat"}, "own": {"probe": "process", "name": "vitald"}}, folder=folder)
        for each in (daemon.state, daemon.runtime):
            os.chown(each, 65534, 65534)
        daemon.file.chmod(0o644)
        binary = folder / "vitald"  # the tree may stand where nobody else may look
        shutil.copy(daemon.binary, binary)
        reports = {}
        for name in ("it", "own"):
            command = [*world.enter, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(binary), "probe", name,
                       "--local", "--json", "--config", str(daemon.file)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
            self.assertTrue(done.stdout.startswith("{"), done.stdout + done.stderr)
            reports[name] = json.loads(done.stdout)
        self.assertEqual((reports["it"]["verdict"], reports["it"]["reason"]), ("unknown", "hidden"), reports["it"])
        self.assertIn("hidepid=", reports["it"]["remedy"])
        self.assertEqual(reports["own"]["verdict"], "ok", reports["own"])


def daemon_mark(folder):
    """A word that stands in no command line."""
    return folder.name[::-1]


class DiskTest(HostTest):
    def test_a_file_system_that_fills_up(self):
        folder = self.folder()
        world = self.world(f"mount -t tmpfs -o size=8m tmpfs {folder}", "-m")
        daemon = self.start({"disk": {"probe": "disk", "mount": str(folder)}}, wrapper=world.enter)
        self.verdict(daemon, "disk", "ok")
        world.run("dd", "if=/dev/zero", f"of={folder}/file", "bs=1M", "count=7")
        check = self.verdict(daemon, "disk", "warning")
        self.assertRegex(check["summary"], f"^{folder}: 87.5 % used, 1 MiB available")
        subprocess.run([*world.enter, "dd", "if=/dev/zero", f"of={folder}/more", "bs=1M", "count=2"], capture_output=True, check=False)
        self.verdict(daemon, "disk", "critical")
        world.run("rm", f"{folder}/file", f"{folder}/more")
        self.verdict(daemon, "disk", "ok")
        world.run("umount", folder)
        self.verdict(daemon, "disk", "critical", "not_mounted")

    def test_one_that_hangs_leaves_the_others_their_schedule(self):
        if not shutil.which("strace"):
            self.skipTest("there is no strace")
        dead, alive = self.folder(), self.folder()
        # Of a type that is not known to answer at once, as a network file system's is.
        world = self.world(f"mount -t sysfs sysfs {dead} && mount -t sysfs sysfs {alive}", "-m")
        disk = {"probe": "disk", "timeout": "250ms"}
        daemon = self.start({"dead": {**disk, "mount": str(dead)}, "alive": {**disk, "mount": str(alive), "timeout": "5s"},
                             "memory": {"probe": "memory"}}, wrapper=world.enter, binary=release_binary())
        for name in ("dead", "alive"):
            self.verdict(daemon, name, "ok")
        helper = children(daemon.process.pid)[0]
        tracer = subprocess.Popen(["strace", "-f", "-q", "-p", str(helper), "-o", "/dev/null", "-P", str(dead), "-e", "trace=statfs",
                                   "-e", "inject=statfs:delay_enter=60s"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (tracer.kill(), tracer.wait(), tracer.stderr.close()))
        check = wait_until(lambda: (lambda check: check if check.get("reason") == "mount_stuck" else tracer.poll() and None)
                           (shown(daemon)["dead"]), lambda: f"the mount to be stuck: {shown(daemon)['dead']}", 60)
        self.assertEqual(check["verdict"], "critical")
        self.assertRegex(check["summary"], f"^{dead} hangs: the file system did not answer")
        before = shown(daemon)
        most = 0

        def rounds():
            nonlocal most
            most = max(most, len(children(helper)))
            now = shown(daemon)
            return now if all(now[name]["runs"] >= before[name]["runs"] + 10 for name in now) else None

        after = wait_until(rounds, lambda: f"ten more runs each: {shown(daemon)}", 60)
        for name in ("alive", "memory"):
            self.assertEqual((after[name]["verdict"], after[name]["missed_slots"]), ("ok", before[name]["missed_slots"]), after[name])
        self.assertEqual(after["dead"]["reason"], "mount_stuck")
        self.assertLessEqual(most, 2, "more than one call is out for the dead mount, beside one for the other")
        tracer.terminate()  # lets go of the call as well
        tracer.wait()
        self.verdict(daemon, "dead", "ok")


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


class AloneTest(unittest.TestCase):
    def test_one_run_says_what_it_can(self):
        report, _ = run_alone({"probe": "cpu"})
        self.assertEqual(report["verdict"], "ok", report)
        self.assertRegex(report["summary"], "the next run tells how busy$")
        report, _ = run_alone({"probe": "process", "name": "no-such-program"})
        self.assertEqual((report["verdict"], report["reason"]), ("critical", "not_running"), report)

    def test_a_filter_on_system_calls_makes_the_clock_unknown(self):
        if not shutil.which("strace"):
            self.skipTest("there is no strace")
        daemon = Daemon({"it": {"probe": "clock"}}, binary=release_binary())
        self.addCleanup(daemon.close)
        done = subprocess.run(["strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=adjtimex,clock_adjtime", "-e",
                               "inject=adjtimex,clock_adjtime:error=EPERM", str(daemon.binary), "probe", "it", "--local", "--json",
                               "--config", str(daemon.file)], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        self.assertTrue(done.stdout.startswith("{"), done.stdout + done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "denied:adjtimex"), report)
        self.assertIn("SystemCallFilter=adjtimex clock_adjtime", report["remedy"])


if __name__ == "__main__":
    unittest.main()
