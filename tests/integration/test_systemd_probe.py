# time-out: 600
"""The systemd probe on a real systemd: units that run, failed, restart over and over, are masked or not there, and timers
that missed their time. Skipped where a systemd cannot be booted."""

import json
import shutil
import textwrap
import unittest

from support import ReportTest, sample, vitald_binary, wait_until
from support.booted_systemd import BootedSystemd
from support.one_run import evidence

UNITS = {
    "good.service": "[Service]\nExecStart=/bin/sleep infinity\n",
    "broken.service": "[Service]\nExecStart=/bin/sh -c 'echo no such table: jobs; exit 3'\n",
    "killed.service": "[Service]\nExecStart=/bin/sh -c 'kill -KILL $$$$'\n",
    "no-program.service": "[Service]\nExecStart=/bin/sh-that-is-not-there\n",
    "bad-file.service": "[Service]\nExecStart=not/absolute\n",
    "looping.service": "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sh -c 'echo boom; exit 1'\n"
                       "Restart=always\nRestartSec=100ms\n",
    "resting.service": "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1h\n",
    "starting.service": "[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=/bin/sleep infinity\n",
    "job.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo disk is full; exit 7'\n",
    "job.timer": "[Timer]\nOnCalendar=*-*-* 02:00\n",
    "fine.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "fine.timer": "[Timer]\nOnCalendar=*-*-* 02:00\n",
    "orphan.timer": "[Timer]\nOnCalendar=*-*-* 02:00\nUnit=nowhere.service\n",
    "never.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "never.timer": "[Timer]\nOnUnitActiveSec=1h\n",
    "late.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
}

# The daemon, as a user with no rights at all.
DAEMON = """
[Service]
Type=notify
User=nobody
StateDirectory=watch
RuntimeDirectory=watch
ExecStart=/mnt/shared/vitald run --config /mnt/shared/watch.yaml
"""

WATCH = """
instance: systemd-test
state: /var/lib/watch
runtime: /run/watch
listen: { http: "127.0.0.1:9643" }
checks:
  late: { probe: systemd, unit: late.timer, every: 1s, confirm: fast }
  looping: { probe: systemd, unit: looping, every: 1s, confirm: fast }
"""

GET = "import sys, urllib.request as u; print(u.urlopen('http://127.0.0.1:9643' + sys.argv[1], timeout=5).read().decode())"


class SystemdProbeTest(ReportTest):
    @classmethod
    def setUpClass(cls):
        binary = vitald_binary()
        cls.systemd = BootedSystemd()
        cls.addClassCleanup(cls.systemd.close)
        cls.shared = cls.systemd.shared
        cls.shared.chmod(0o755)
        shutil.copy(binary, cls.shared / "vitald")
        (cls.shared / "watch.yaml").write_text(textwrap.dedent(WATCH), encoding="utf-8")
        units = {**UNITS, "watch.service": DAEMON}
        (cls.shared / "units").mkdir()
        for name, text in units.items():
            (cls.shared / "units" / name).write_text(text, encoding="utf-8")
        cls.systemd.run("sh", "-ec", """
            cp /mnt/shared/units/* /etc/systemd/system/
            ln -s /dev/null /etc/systemd/system/hidden.service
            systemctl daemon-reload
            systemctl start --no-block good looping resting starting job.timer fine.timer orphan.timer never.timer
            systemctl start broken killed no-program job || true
            """)
        cls.wait_for_bus()
        for unit, state in (("broken", "failed"), ("killed", "failed"), ("no-program", "failed"), ("job", "failed"),
                            ("resting", "activating"), ("starting", "activating"), ("good", "active")):
            wait_until(lambda name=unit, wanted=state: cls.systemd.properties(name, "ActiveState")["ActiveState"] == wanted,
                       f"{unit} to be {state}")

    @classmethod
    def wait_for_bus(cls):
        """The bus starts when somebody first connects, and systemd joins it a moment later."""
        wait_until(lambda: cls.systemd.run("busctl", "status", "org.freedesktop.systemd1", check=False).returncode == 0,
                   "systemd to be on the bus", 30)

    def probe(self, user="root", **check):
        """What one run on its own finds, inside."""
        document = {"instance": "systemd-test", "checks": {"it": {"probe": "systemd", "timeout": "30s", **check}}}
        file = self.shared / "one.yaml"
        file.write_text(json.dumps(document), encoding="utf-8")
        who = [] if user == "root" else ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"]
        done = self.systemd.run(*who, "/mnt/shared/vitald", "probe", "it", "--local", "--json", "--config",
                                "/mnt/shared/one.yaml", check=False)
        self.assertIn(done.returncode, range(4), done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_one_that_runs(self):
        report = self.probe(unit="good")
        self.assert_report(report, "ok", "", r"good\.service: active \(running\) for ")
        self.assertEqual(sample(report, "restarts", unit="good.service"), 0)
        self.assertGreater(sample(report, "uptime", unit="good.service"), 0)

    def test_one_that_failed_with_its_last_words(self):
        report = self.probe(unit="broken")
        self.assert_report(report, "critical", "failed", r"^broken\.service failed: exit code 3 \(exit-code\)$")
        journal = evidence(report, "journal of broken.service")
        self.assertIn("no such table: jobs", journal)
        self.assertIn("code=exited, status=3", journal, "what systemd said of it")

    def test_other_ways_to_fail(self):
        self.assert_report(self.probe(unit="killed"), "critical", "failed", r"killed by SIGKILL \(signal\)")
        self.assert_report(self.probe(unit="no-program"), "critical", "failed", "exit code 203: its program cannot be executed")

    def test_a_user_without_rights_sees_the_unit_but_not_its_journal(self):
        report = self.probe(user="nobody", unit="broken")
        self.assert_report(report, "critical", "failed", "exit code 3")
        self.assertRegex(evidence(report, "journal of broken.service"), "may not read the journal.*systemd-journal")

    def test_one_that_waits_to_be_restarted(self):
        self.assert_report(self.probe(unit="resting"), "critical", "restarting",
                           r"resting\.service ended: exit code 1 \(exit-code\); it waits to be started again")

    def test_a_loop_is_counted(self):
        def restarts():
            return sample(self.probe(unit="looping"), "restarts", unit="looping.service")
        first = restarts()
        wait_until(lambda: restarts() > first, "looping.service to be restarted")

    def test_one_that_is_still_starting(self):
        report = self.probe(unit="starting")
        self.assert_report(report, "ok", "", "activating")
        self.assertIsNotNone(sample(report, "starting", unit="starting.service"))
        report = self.probe(unit="starting", limits={"starting": {"critical": "1ms"}})
        self.assertEqual(report["verdict"], "critical", report)
        self.assertIn("starting.service has been starting for ", json.dumps(report))

    def test_one_that_cannot_be(self):
        self.assert_report(self.probe(unit="hidden"), "critical", "masked", "hidden.service is masked")
        self.assert_report(self.probe(unit="nginx-typo"), "critical", "not_found", "there is no unit nginx-typo.service")
        self.assert_report(self.probe(unit="bad-file"), "critical", "bad_setting", "cannot use the file of bad-file.service")
        self.assert_report(self.probe(unit="no*such"), "critical", "not_found", r"matches no\*such")

    def test_one_that_is_stopped(self):
        self.assert_report(self.probe(unit="debug-shell"), "critical", "inactive", "debug-shell.service is stopped")
        self.assert_report(self.probe(unit="debug-shell", expect="inactive"), "ok", "", "inactive")
        self.assert_report(self.probe(unit="good", expect="inactive"), "critical", "still_active", "must not run")

    def test_any_failed_unit(self):
        report = self.probe(failed="any")
        self.assert_report(report, "critical", "failed", "and [0-9]+ other units in trouble")
        self.assertGreaterEqual(sample(report, "failed"), 4)
        self.assert_report(self.probe(failed="any", exclude="*"), "ok", "", "no unit has failed")

    def test_a_pattern(self):
        self.assert_report(self.probe(unit=["goo*", "systemd-journald"]), "ok", "", "2 units, all as they should be")

    def test_timers(self):
        report = self.probe(unit="fine.timer")
        self.assert_report(report, "ok", "", r"fine\.timer: has not started fine\.service yet; next time .*02:00:00 UTC, in ")
        self.assertIsNotNone(sample(report, "since_trigger", unit="fine.timer"))
        report = self.probe(unit="job.timer")
        self.assert_report(report, "critical", "triggered_failed", r"job\.service failed: exit code 7.*job\.timer starts it")
        self.assertIn("disk is full", evidence(report, "journal of job.service"))
        self.assert_report(self.probe(unit="never.timer"), "critical", "timer_elapsed", "no next time")
        # systemd does not start a timer whose unit is not there.
        self.assertIn(self.probe(unit="orphan.timer")["reason"], ("triggered_not_found", "inactive", "failed"))

    def test_without_a_bus_nothing_is_measured(self):
        self.systemd.run("systemctl", "stop", "dbus.socket", "dbus.service")
        try:
            report = self.probe(unit="good")
        finally:
            self.systemd.run("systemctl", "start", "dbus.socket")
            self.wait_for_bus()
        self.assertEqual(report["verdict"], "unknown", report)
        self.assertIn(report["reason"], ("bus_missing", "bus_down"))

    # With a memory from run to run

    def get(self, path):
        return json.loads(self.systemd.run("python3", "-c", GET, path).stdout)

    def verdict(self, check):
        return next(each["verdict"] for each in self.get("/api/v1/checks")["checks"] if each["check"] == check)

    def incident(self, check):
        """The open incident of a check, once there is one."""
        return next((each for each in self.get("/api/v1/incidents")["incidents"] if each["check"] == check), None)

    def until(self, condition, what):
        return wait_until(condition, lambda: f"{what}; the journal:\n{self.systemd.journal('watch')}", 60, every=0.2)

    def test_a_timer_that_missed_its_time_and_a_loop_are_incidents(self):
        # Due in a few seconds; stopped before and started after that, as a host that was down would have it.
        second, when = self.systemd.run("date", "--utc", "-d", "+6 seconds", "+%s %H:%M:%S").stdout.split()
        (self.shared / "late.timer").write_text(f"[Timer]\nOnCalendar=*-*-* {when} UTC\nAccuracySec=100ms\n", encoding="utf-8")
        self.systemd.run("sh", "-ec", "cp /mnt/shared/late.timer /etc/systemd/system/; systemctl daemon-reload; "
                                      "systemctl start late.timer; systemctl start watch")
        self.addCleanup(self.systemd.run, "systemctl", "stop", "watch", check=False)
        self.until(lambda: self.verdict("late") == "ok",
                   "the check of late.timer to be ok")
        self.systemd.run("systemctl", "stop", "late.timer")
        self.assertNotIn("Finished", self.systemd.journal("late.service"), "it fired before the test could stop it")
        self.systemd.run("sh", "-c", f"until [ $(date +%s) -gt {second} ]; do sleep 0.1; done")
        self.systemd.run("systemctl", "start", "late.timer")
        self.until(lambda: "did not start late.service at" in json.dumps(self.incident("late") or {}), "the missed time")
        self.until(lambda: self.incident("looping"), "an incident for the loop")
        self.assertRegex(json.dumps(self.incident("looping")),
                         r"restarts of looping\.service is [0-9]+ in 1 h|looping\.service ended: .* waits to be started again")


if __name__ == "__main__":
    unittest.main()
