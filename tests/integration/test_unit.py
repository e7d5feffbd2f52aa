"""systemd/vitald.service: well formed, little exposed, and without rights that amount to root."""

import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import repository

UNIT = repository / "systemd" / "vitald.service"
THRESHOLD = 20  # tenths: at most 2.0
ROOT_BY_ANOTHER_NAME = {"root", "docker", "sudo", "wheel", "disk", "shadow", "lxd", "libvirt", "kvm"}


def settings(text):
    """Every Name=value in order; a name may come several times."""
    return re.findall(r"^([A-Za-z]+)=(.*)$", text, re.MULTILINE)


def rights_of_root(text):
    """What a unit asks for that would make its user as good as root."""
    found = []
    for name, value in settings(text):
        if name in ("SupplementaryGroups", "Group"):
            found += sorted(set(value.split()) & ROOT_BY_ANOTHER_NAME)
        if name in ("CapabilityBoundingSet", "AmbientCapabilities"):
            found += value.split()
        if name == "User" and value in ("root", "0"):
            found.append("user root")
    return found


def exposure(unit):
    return subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={THRESHOLD}", str(unit)],
                          capture_output=True, text=True, check=False)


class UnitTest(unittest.TestCase):
    def setUp(self):
        self.text = UNIT.read_text(encoding="utf-8")
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-unit-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def changed(self, before, after):
        self.assertIn(before, self.text)
        unit = self.folder / "vitald.service"
        unit.write_text(self.text.replace(before, after), encoding="utf-8")
        return unit

    def test_is_well_formed(self):
        unit = self.changed("/usr/sbin/vitald", "/bin/true")  # the program need not be installed for this
        verdict = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True,
                                 check=False)
        self.assertEqual((verdict.returncode, verdict.stderr), (0, ""))

    def test_a_misspelt_setting_is_seen(self):
        unit = self.changed("WatchdogSec=30", "WatchdogSeconds=30\nExecStartPre=/bin/true")
        verdict = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True,
                                 check=False)
        self.assertIn("WatchdogSeconds", verdict.stderr)

    def test_exposure_stays_under_the_threshold(self):
        verdict = exposure(UNIT)
        self.assertEqual(verdict.returncode, 0, verdict.stdout[-300:])

    def test_the_threshold_catches_a_laxer_unit(self):
        self.assertNotEqual(exposure(self.changed("User=vitald\n", "User=root\n")).returncode, 0)
        self.assertNotEqual(exposure(self.changed("SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n",
                                                  "")).returncode, 0)

    def test_asks_for_nothing_that_amounts_to_root(self):
        self.assertEqual(rights_of_root(self.text), [])

    def test_such_rights_would_be_seen(self):
        self.assertEqual(rights_of_root("SupplementaryGroups=adm docker\nAmbientCapabilities=CAP_SYS_PTRACE\nUser=root\n"),
                         ["docker", "CAP_SYS_PTRACE", "user root"])

    def test_does_not_blind_the_probes(self):
        values = dict(settings(self.text))
        for name in ("PrivateTmp", "ProcSubset", "ProtectProc", "PrivateNetwork", "PrivateUsers", "IPAddressDeny"):
            self.assertNotIn(name, values)
        self.assertEqual(values["ProtectHome"], "read-only")

    def test_keeps_what_is_owed_over_a_restart(self):
        values = dict(settings(self.text))
        self.assertEqual(values["RuntimeDirectoryPreserve"], "yes")
        self.assertEqual(values["Restart"], "always")
        self.assertEqual(values["LimitCORE"], "0")

    def test_the_user_is_the_one_that_sysusers_makes(self):
        values = dict(settings(self.text))
        line = (repository / "systemd" / "vitald.sysusers").read_text(encoding="utf-8").split()
        self.assertEqual(line[:2], ["u", values["User"]])


if __name__ == "__main__":
    unittest.main()
