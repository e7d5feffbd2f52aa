# time-out: 600
"""The exec probe with monitoring-plugins' own check_* programs, and with programs that do their worst: whatever they do,
the daemon goes on, says what happened, and no process is left."""

import json
import os
import shutil
import signal
import socket
import tempfile
import unittest
import uuid
from pathlib import Path

from support import Daemon, ReportTest, free_port, run_alone, sample, wait_until
from support.one_run import Run, evidence

PLUGINS = Path("/usr/lib/nagios/plugins")


def probe(*command, **check):
    """What one run on its own finds."""
    return run_alone({"probe": "exec", "command": [str(word) for word in command], **check})[0]


def plugin(name, *arguments, **check):
    return probe(PLUGINS / name, *arguments, **check)


def state_of(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def marked(mark):
    """Processes, zombies among them, that have `mark` in their environment, by pid."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark.encode() in (entry / "environ").read_bytes():
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found


class ExecTest(ReportTest):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-exec-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.mark = f"vitald-test-{uuid.uuid4()}"
        self.addCleanup(self.end_all)

    def end_all(self):
        """For a test that failed: what is ours by the mark in its environment, by pid."""
        for pid in marked(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def script(self, text, name="script", interpreter="/bin/sh"):
        path = self.folder / name
        fresh = path.with_suffix(".new")
        fresh.write_text(f"#!{interpreter}\n{text}", encoding="utf-8")
        fresh.chmod(0o755)
        fresh.rename(path)
        return path

    def run_script(self, text, interpreter="/bin/sh", **check):
        return probe(self.script(text, interpreter=interpreter), environment={"MARK": self.mark}, **check)

    def assert_nothing_left(self):
        wait_until(lambda: not marked(self.mark), lambda: f"all processes to be gone: {marked(self.mark)}", 20)


@unittest.skipUnless((PLUGINS / "check_dummy").exists(), "monitoring-plugins-basic is not installed")
class PluginsTest(ExecTest):
    def test_dummy(self):
        self.assert_report(plugin("check_dummy", 0, "all is well"), "ok", "", "^OK: all is well$")
        self.assert_report(plugin("check_dummy", 1, "hm"), "warning", "", "^WARNING: hm$")
        self.assert_report(plugin("check_dummy", 2, "no"), "critical", "", "^CRITICAL: no$")
        self.assert_report(plugin("check_dummy", 3, "who knows"), "unknown", f"plugin_unknown:{PLUGINS}/check_dummy",
                           "^UNKNOWN: who knows$")
        self.assert_report(plugin("check_dummy"), "unknown", f"plugin_unknown:{PLUGINS}/check_dummy", "arguments")

    def test_limits_of_the_check_replace_the_plugins_words(self):
        report = plugin("check_dummy", 1, "hm", limits={"exit_status": {"critical": 1}})
        self.assert_report(report, "critical", "", "^WARNING: hm$")
        report = plugin("check_dummy", 1, "hm", limits={"exit_status": {"critical": 2}})
        self.assertEqual(report["verdict"], "ok", report)

    def test_load(self):
        report = plugin("check_load", "-w", "10000,10000,10000", "-c", "20000,20000,20000")
        self.assert_report(report, "ok", "", "load average")
        for name in ("load1", "load5", "load15"):
            self.assertIsNotNone(sample(report, name), report)
        self.assertIn("critical above 20000", evidence(report, "load1"))
        report = plugin("check_load", "-w", "0,0,0", "-c", "20000,20000,20000")
        self.assertIn(report["verdict"], ("warning", "ok"), report)

    def test_disk(self):
        report = plugin("check_disk", "-w", "1%", "-c", "0%", "-p", "/")
        self.assert_report(report, "ok", "", "^DISK OK")
        self.assertGreater(sample(report, "/"), 1024 * 1024)
        report = plugin("check_disk", "-w", "100%", "-c", "100%", "-p", "/")
        self.assert_report(report, "critical", "", "^DISK CRITICAL")
        limited = {"/": {"warning": 1}}
        report = plugin("check_disk", "-w", "1%", "-c", "0%", "-p", "/", limits=limited)
        self.assertEqual(report["verdict"], "warning", report)
        report = plugin("check_disk", "-w", "1%", "-c", "0%", "-p", "/", limits={"/srv": {"warning": 1}})
        self.assert_report(report, "unknown", "limit_without_figure", "limits name '/srv'")

    def test_procs(self):
        report = plugin("check_procs", "-w", "1:100000", "-c", "1:200000")
        self.assert_report(report, "ok", "", "^PROCS OK")
        self.assertGreater(sample(report, "procs"), 0)
        self.assert_report(plugin("check_procs", "-c", "100000:"), "critical", "", "^PROCS CRITICAL")

    def test_tcp(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            report = plugin("check_tcp", "-H", "127.0.0.1", "-p", server.getsockname()[1])
            self.assert_report(report, "ok", "", "^TCP OK")
            self.assertLess(sample(report, "time"), 10)
        report = plugin("check_tcp", "-H", "127.0.0.1", "-p", free_port())
        self.assert_report(report, "critical", "", "refused")

    def test_a_plugin_whose_target_never_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            report = plugin("check_http", "-H", "127.0.0.1", "-p", server.getsockname()[1], "-t", 60, timeout="1s")
        self.assert_report(report, "critical", "timeout", "did not end within 1 s")

    def test_through_a_link_and_negated(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            report = plugin("check_ftp", "-H", "127.0.0.1", "-p", server.getsockname()[1], "-t", 1, timeout="8s")
        self.assertRegex(report["summary"], "^CRITICAL|^FTP")
        self.assert_report(plugin("negate", PLUGINS / "check_dummy", 2, "down"), "ok", "", "CRITICAL: down")

    def test_metrics(self):
        checks = {"load": {"probe": "exec", "command": [str(PLUGINS / "check_load"), "-w", "9,9,9", "-c", "9,9,9"],
                           "every": "1s"}}
        with Daemon(checks) as daemon:
            wait_until(lambda: 'vitald_query_value{check="load",column="load1"}' in str(daemon.metrics()).replace(
                ',probe="exec"', "").replace('probe="exec",', ""), lambda: f"the figures: {daemon.get('/metrics')[1]}")
            self.assertTrue([name for name in daemon.metrics() if name.startswith("vitald_exec_exit_status{")])


class VerdictTest(ExecTest):
    def test_a_plain_program(self):
        self.assert_report(self.run_script("echo fine", nagios=False), "ok", "", "^fine$")
        report = self.run_script("echo working; echo 'db-1: no route to host' >&2; exit 1", nagios=False)
        self.assert_report(report, "critical", "exit_status", "^exit status 1: db-1: no route to host$")
        self.assertEqual(evidence(report, "output"), "working")

    def test_odd_ends(self):
        self.assert_report(self.run_script("exit 77"), "unknown", f"exit_status:{self.folder}/script", "exit status 77")
        self.assert_report(self.run_script("kill -SEGV $$"), "unknown", f"signal:{self.folder}/script", "SIGSEGV")
        self.assert_report(self.run_script("kill -KILL $$", nagios=False), "unknown", f"killed:{self.folder}/script",
                           "SIGKILL")
        self.assert_report(self.run_script("no-such-command"), "unknown", f"exit_status:{self.folder}/script",
                           "exit status 127.*not found")

    def test_secrets(self):
        secret = self.folder / "token"
        secret.write_text("canary-7f3c91d2\n", encoding="utf-8")
        secret.chmod(0o600)
        report = probe(self.script('test "$TOKEN" = canary-7f3c91d2 && echo "OK $TOKEN"; echo "$TOKEN" >&2'),
                       environment={"TOKEN": {"file": str(secret)}, "MARK": self.mark})
        self.assert_report(report, "ok", "", r"^OK \*\*\*$")
        self.assertNotIn("canary", json.dumps(report))
        report = probe(self.script("exit 0"), environment={"TOKEN": {"file": str(self.folder / "none")}})
        self.assertEqual(report["verdict"], "unknown", report)
        self.assertRegex(report["reason"], "^secret_missing")

    def test_nothing_is_inherited(self):
        report = self.run_script('env | grep -v -e ^MARK= -e ^PWD= -e ^_= | sort | tr "\\n" " "; ls /proc/self/fd | tr "\\n" " "')
        self.assertRegex(report["summary"], r"^LANG=C.UTF-8 PATH=\S+ 0 1 2 3$")

    def test_what_cannot_be_run(self):
        missing = self.folder / "missing"
        self.assert_report(probe(missing), "unknown", f"missing:{missing}", "is not there")
        path = self.script("exit 0")
        path.chmod(0o777)
        report = probe(path)
        self.assert_report(report, "unknown", f"unsafe:{path}", "may be written by others")
        self.assertEqual(report["remedy"], f"run: chmod go-w {path}")
        path.chmod(0o644)
        self.assert_report(probe(path), "unknown", f"denied:{path}", "may not execute")
        path.chmod(0o4755)
        self.assert_report(probe(path), "unknown", f"setuid:{path}", "setuid")


class WorstTest(ExecTest):
    def test_a_gigabyte_of_output(self):
        def run(*command):
            return Run({"probe": "exec", "command": list(command), "timeout": "60s"}).result()

        _, small = run("/bin/true")
        report, large = run("/usr/bin/head", "-c", "1G", "/dev/zero")
        self.assert_report(report, "unknown", "flooded:/usr/bin/head", "more than 64 MiB")
        print(f"memory: {small // 1024} KiB without output, {large // 1024} KiB with", flush=True)
        self.assertLess(large - small, 4 * 1024 * 1024)
        report, large = run("/usr/bin/head", "-c", "60M", "/dev/zero")
        self.assertEqual(report["verdict"], "ok", report)
        self.assertLess(large - small, 4 * 1024 * 1024)

    def test_one_that_ignores_sigterm(self):
        report = self.run_script("trap '' TERM; echo here; while :; do sleep 1; done", timeout="1s", kill_after="500ms")
        self.assert_report(report, "critical", "timeout", "did not end within 1 s")
        self.assertEqual(evidence(report, "it said"), "here")
        self.assert_nothing_left()

    def test_a_good_status_on_sigterm_does_not_count(self):
        report = self.run_script("trap 'echo OK; exit 0' TERM; while :; do sleep 0.1; done", timeout="1s")
        self.assert_report(report, "critical", "timeout", "did not end")
        self.assert_nothing_left()

    def test_grandchildren_that_hold_the_pipe(self):
        report = self.run_script("sleep 1000 & sleep 1000 & echo OK - done", timeout="30s")
        self.assert_report(report, "ok", "", "^OK - done$")
        self.assertRegex(evidence(report, "left behind"), "2 processes")
        self.assert_nothing_left()

    def test_daemons_that_forked_twice(self):
        text = ("import os, time\n"
                "for _ in range(20):\n"
                "  if os.fork() == 0:\n"
                "    os.setsid()\n"
                "    if os.fork() == 0: time.sleep(1000)\n"
                "    os._exit(0)\n"
                "for _ in range(20): os.wait()\n"
                "print('OK - twenty')\n")
        report = self.run_script(text, interpreter="/usr/bin/python3", timeout="30s")
        self.assert_report(report, "ok", "", "^OK - twenty$")
        self.assertRegex(evidence(report, "left behind"), "20 processes")
        self.assert_nothing_left()

    def test_a_storm_of_zombies(self):
        text = ("import os\n"
                "for _ in range(500):\n"
                "  if os.fork() == 0: os._exit(0)\n"
                "print('OK - stormed')\n")
        report = self.run_script(text, interpreter="/usr/bin/python3", timeout="60s")
        self.assert_report(report, "ok", "", "^OK - stormed$")
        self.assert_nothing_left()

    def test_the_daemon_is_killed(self):
        pids = self.folder / "pids"
        path = self.script(f"trap '' TERM; sleep 1000 & echo $$ $! > {pids}.new; mv {pids}.new {pids}; sleep 1000")
        checks = {"it": {"probe": "exec", "command": [str(path)], "timeout": "10m", "kill_after": "200ms",
                         "environment": {"MARK": self.mark}}}
        with Daemon(checks) as daemon:
            wait_until(pids.exists, "the program to run")
            wait_until(lambda: len(marked(self.mark)) >= 3, lambda: f"its processes: {marked(self.mark)}")
            daemon.kill()
            self.assert_nothing_left()

    def test_a_reload_and_a_shutdown_end_programs(self):
        pids = self.folder / "pids"
        path = self.script(f"echo $$ > {pids}.new; mv {pids}.new {pids}; exec sleep 1000")
        check = {"probe": "exec", "command": [str(path)], "timeout": "10m", "environment": {"MARK": self.mark}}
        with Daemon({"it": check}) as daemon:
            wait_until(pids.exists, "the program to run")
            self.assertEqual(daemon.stop(), 0)
            self.assert_nothing_left()

    def test_what_a_run_leaves_in_the_daemon_is_nothing(self):
        text = "sleep 1000 & (setsid sleep 1000 &) ; echo 'OK | a=1'"
        checks = {f"it-{i}": {"probe": "exec", "command": [str(self.script(text)), str(i)], "every": "200ms",
                              "environment": {"MARK": self.mark}, "confirm": {"failures": 1}} for i in range(5)}

        def runs(daemon):
            return sum(value for name, value in daemon.metrics().items() if name.startswith("vitald_check_runs_total{"))

        def processes(daemon):
            mine, parents = {daemon.process.pid}, {}
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit() and (fields := state_of(entry.name)):
                    parents[int(entry.name)] = int(fields[1])
            while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
                mine |= more
            return mine

        with Daemon(checks) as daemon:
            wait_until(lambda: runs(daemon) >= 10, "the first runs", 60)
            before = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
            wait_until(lambda: runs(daemon) >= 100, "a hundred runs", 60)
            daemon.configure({})
            daemon.reload()
            wait_until(lambda: not marked(self.mark), "all programs to be gone", 20)
            wait_until(lambda: len(processes(daemon)) == 2, lambda: f"the daemon and its helper alone: {processes(daemon)}")
            self.assertLessEqual(len(os.listdir(f"/proc/{daemon.process.pid}/fd")), before)
        self.assert_nothing_left()

    def test_the_program_is_swapped_between_runs(self):
        path = self.script("echo OK - first")
        checks = {"it": {"probe": "exec", "command": [str(path)], "every": "100ms", "confirm": {"failures": 1}}}

        def summary(daemon):
            return json.loads(daemon.command("probe", "it", "--json").stdout)["summary"]

        with Daemon(checks) as daemon:
            self.assertEqual(summary(daemon), "OK - first")
            self.script("echo OK - second")
            self.assertEqual(summary(daemon), "OK - second")
            self.folder.chmod(0o777)
            self.assertRegex(summary(daemon), f"^{self.folder} may be written by others")
            self.folder.chmod(0o700)
            self.assertEqual(summary(daemon), "OK - second")

    def test_a_binary_cannot_be_swapped_while_it_is_judged(self):
        """Two files take turns under one name while it runs: one that anybody may write to, one that is fine."""
        good, bad, path, ran = (self.folder / name for name in ("good", "bad", "it", "ran"))
        shutil.copy("/bin/true", good)
        shutil.copy("/bin/mkdir", bad)  # should it ever run, it leaves a trace
        good.chmod(0o755)
        bad.chmod(0o777)
        swapper = self.script(f"while :; do ln {good} {path}.1; mv {path}.1 {path}; ln {bad} {path}.2; mv {path}.2 {path}; done",
                              "swapper")
        os.link(good, path)
        every = {"probe": "exec", "every": "100ms", "timeout": "20s", "confirm": {"failures": 1}, "nagios": False}
        checks = {f"it-{i}": {**every, "command": [str(path), str(ran), str(i)]} for i in range(4)}
        swapping = {"probe": "exec", "command": [str(swapper)], "timeout": "10m", "environment": {"MARK": self.mark}}
        seen = set()

        def enough(daemon):
            series = daemon.metrics()
            seen.update(value for name, value in series.items() if name.startswith('vitald_check_status{check="it-'))
            runs = sum(value for name, value in series.items() if name.startswith('vitald_check_runs_total{check="it-'))
            return runs >= 100 and {0.0, 3.0} <= seen

        with Daemon({"swapper": swapping, **checks}) as daemon:
            wait_until(lambda: enough(daemon), lambda: f"both files to be met often: {seen}", 100)
        self.assertFalse(ran.exists(), "the file that was refused has run")
        self.assertLessEqual(seen, {0.0, 3.0})
        self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
