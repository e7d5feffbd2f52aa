# alone
"""The unit under a real systemd: ready, reload, watchdog, stop, state. Skipped where a systemd cannot be booted."""
# time-out: 600

import json
import shutil
import textwrap
import unittest

from support import release_binary, repository, wait_until
from support.booted_systemd import BootedSystemd

CONFIGURATION = """
instance: systemd-test
state: /var/lib/vitald
listen: { http: "127.0.0.1:9642" }
checks:
  memory: { probe: memory, every: 1s }
  nobody-listens:
    probe: tcp
    address: "127.0.0.1:9"
    every: 1s
    confirm: { failures: 2, spread: [ 200ms ] }
    severity: P1
"""

# For the test's sake: a watchdog that bites soon, and a credential.
DROP_IN = """
[Service]
WatchdogSec=2
TimeoutAbortSec=2
RestartSec=100ms
LoadCredential=greeting:/etc/vitald/credentials/greeting
"""

GET = "import sys, urllib.request as u; print(u.urlopen('http://127.0.0.1:9642' + sys.argv[1], timeout=5).read().decode())"


class SystemdTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary = release_binary()
        cls.systemd = BootedSystemd()
        cls.addClassCleanup(cls.systemd.close)
        shared = cls.systemd.shared
        shutil.copy(binary, shared / "vitald")
        for name in ("vitald.service", "vitald.sysusers", "vitald.tmpfiles"):
            shutil.copy(repository / "systemd" / name, shared / name)
        (shared / "vitald.yaml").write_text(textwrap.dedent(CONFIGURATION), encoding="utf-8")
        (shared / "test.conf").write_text(DROP_IN, encoding="utf-8")
        # What cmake --install and docs/install.md do on a host.
        cls.systemd.run("sh", "-ec", """
            cd /mnt/shared
            install -m 755 vitald /usr/sbin/vitald
            install -m 644 vitald.service /etc/systemd/system/vitald.service
            install -D -m 644 test.conf /etc/systemd/system/vitald.service.d/test.conf
            systemd-sysusers $PWD/vitald.sysusers
            systemd-tmpfiles --create $PWD/vitald.tmpfiles
            install -m 644 vitald.yaml /etc/vitald/vitald.yaml
            printf hello | install -m 400 /dev/stdin /etc/vitald/credentials/greeting
            systemctl daemon-reload
            """)

    def setUp(self):
        self.systemd.run("cp", "/mnt/shared/vitald.yaml", "/etc/vitald/vitald.yaml")
        self.systemd.run("systemctl", "restart", "vitald")

    def tearDown(self):
        self.systemd.run("systemctl", "stop", "vitald", check=False)
        self.systemd.run("systemctl", "reset-failed", "vitald", check=False)

    def show(self, *names):
        values = self.systemd.properties("vitald", *names)
        return values[names[0]] if len(names) == 1 else values

    def get(self, path):
        return self.systemd.run("python3", "-c", GET, path).stdout

    def incidents(self):
        """Ids of the incidents of the check that must fail, open or just closed."""
        every = json.loads(self.get("/api/v1/incidents"))["incidents"]
        return [each["id"] for each in every if each["check"] == "nobody-listens"]

    def until(self, condition, what, deadline=30):
        return wait_until(condition, lambda: f"{what}; the journal:\n{self.systemd.journal('vitald')}", deadline, every=0.1)

    def test_is_ready_as_its_own_user(self):
        values = self.show("ActiveState", "User", "StatusText", "NRestarts")
        self.assertEqual((values["ActiveState"], values["User"], values["NRestarts"]), ("active", "vitald", "0"))
        self.assertIn("2 checks", values["StatusText"])
        owner = self.systemd.run("stat", "-c", "%U %a", "/var/lib/vitald", "/run/vitald").stdout.split("\n")
        self.assertEqual(owner[:2], ["vitald 700", "vitald 755"])
        status = self.systemd.run("cat", f"/proc/{self.show('MainPID')}/status").stdout
        self.assertRegex(status, r"CapEff:\s+0+\n")
        self.assertRegex(status, r"NoNewPrivs:\s+1\n")

    def test_checks_work_behind_the_hardening(self):
        def measured():
            text = self.get("/metrics")
            return text if 'vitald_check_status{check="memory"' in text else None
        text = self.until(measured, "the memory check to be measured")
        self.assertRegex(text, r'vitald_check_status\{check="memory"[^}]*\} [012]\n', "memory could not be measured")

    def test_tells_systemd_of_a_reload(self):
        before = self.show("StateChangeTimestampMonotonic")
        # Not through systemctl reload: only RELOADING=1 can make the unit change its state now.
        self.systemd.run("systemctl", "kill", "--kill-who=main", "--signal=HUP", "vitald")
        self.until(lambda: self.show("StateChangeTimestampMonotonic") != before and self.show("ActiveState") == "active",
                   "the unit to reload and be active again")
        self.assertEqual(self.show("NRestarts"), "0")

    def test_a_bad_file_changes_nothing(self):
        self.systemd.run("sh", "-c", "echo 'nonsense: 1' >>/etc/vitald/vitald.yaml")
        self.systemd.run("systemctl", "reload", "vitald")
        self.until(lambda: "vitald_config_last_reload_success 0" in self.get("/metrics"), "the reload to be refused")
        self.assertEqual(self.show("ActiveState"), "active")

    def test_a_bad_file_at_the_start_is_not_tried_again(self):
        self.systemd.run("systemctl", "stop", "vitald")
        self.systemd.run("sh", "-c", "echo 'nonsense: 1' >>/etc/vitald/vitald.yaml")
        self.assertNotEqual(self.systemd.run("systemctl", "start", "vitald", check=False).returncode, 0)
        values = self.show("ActiveState", "ExecMainStatus", "NRestarts")
        self.assertEqual(values, {"ActiveState": "failed", "ExecMainStatus": "78", "NRestarts": "0"})
        self.assertIn("nonsense", self.systemd.journal("vitald"))

    def test_feeds_the_watchdog(self):
        for _ in range(3):
            before = self.show("WatchdogTimestampMonotonic")
            self.until(lambda seen=before: self.show("WatchdogTimestampMonotonic") != seen, "WATCHDOG=1")
        self.assertEqual(self.show("NRestarts"), "0")

    def test_a_hang_ends_in_a_restart_that_remembers(self):
        before = self.until(self.incidents, "an incident")
        pid = self.show("MainPID")
        self.systemd.run("kill", "-STOP", pid)
        self.until(lambda: self.show("NRestarts") == "1" and self.show("ActiveState") == "active", "the watchdog's restart")
        self.assertNotEqual(self.show("MainPID"), pid)
        self.assertIn("Watchdog timeout", self.systemd.journal("vitald"))
        self.assertEqual(self.incidents(), before)

    def test_a_crash_ends_in_a_restart_that_remembers(self):
        before = self.until(self.incidents, "an incident")
        self.systemd.run("systemctl", "kill", "--kill-who=main", "--signal=KILL", "vitald")
        self.until(lambda: self.show("NRestarts") == "1" and self.show("ActiveState") == "active", "the restart")
        self.assertEqual(self.incidents(), before)

    def test_stops_cleanly_and_keeps_what_it_knows(self):
        before = self.until(self.incidents, "an incident")
        self.systemd.run("touch", "/run/vitald/marker")
        self.systemd.run("systemctl", "restart", "vitald")
        self.assertEqual(self.incidents(), before)
        self.systemd.run("test", "-e", "/run/vitald/marker")
        self.systemd.run("systemctl", "stop", "vitald")
        values = self.show("ActiveState", "Result", "ExecMainStatus")
        self.assertEqual(values, {"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"})

    def test_hands_over_credentials(self):
        folder = "/run/credentials/vitald.service"
        listing = self.systemd.run("stat", "-c", "%U %a", f"{folder}/greeting").stdout.strip()
        self.assertIn(listing, ("vitald 400", "root 440"))


if __name__ == "__main__":
    unittest.main()
