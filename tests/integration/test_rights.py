# time-out: 600
"""systemd/rights: each drop-in fits the unit and gives what it says, and no more; on a real systemd, where one can be booted,
a check sees what it did not see before."""

import json
import re
import shutil
import subprocess
import tempfile
import textwrap
import unittest
from pathlib import Path

from support import release_binary, repository, wait_until
from support.booted_systemd import BootedSystemd

RIGHTS = repository / "systemd" / "rights"
UNIT = repository / "systemd" / "vitald.service"
DROP_INS = sorted(RIGHTS.glob("*.conf"))
OTHER_UNITS = sorted(each for each in RIGHTS.iterdir() if each.suffix != ".conf")
ROOT_BY_ANOTHER_NAME = {"root", "docker", "sudo", "wheel", "disk", "shadow", "lxd", "libvirt", "kvm"}
# CAP_SYSLOG reads the kernel's log. Anything else here would have to be argued for.
HARMLESS_CAPABILITIES = {"CAP_SYSLOG"}


def settings(text):
    return re.findall(r"^([A-Za-z]+)=(.*)$", text, re.MULTILINE)


class DropInTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-rights-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def verdict(self, text):
        """What systemd says of vitald.service with this drop-in; the program need not be installed for it."""
        unit = self.folder / "vitald.service"
        unit.write_text(UNIT.read_text(encoding="utf-8").replace("/usr/sbin/vitald", "/bin/true"), encoding="utf-8")
        (self.folder / "vitald.service.d").mkdir(exist_ok=True)
        (self.folder / "vitald.service.d" / "it.conf").write_text(text, encoding="utf-8")
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
        return done.returncode, done.stderr

    def test_each_fits_the_unit(self):
        self.assertGreaterEqual(len(DROP_INS), 8)
        for each in DROP_INS:
            with self.subTest(each.name):
                self.assertEqual(self.verdict(each.read_text(encoding="utf-8")), (0, ""))

    def test_a_mistake_would_be_seen(self):
        self.assertIn("SupplementaryGroup", self.verdict("[Service]\nSupplementaryGroup=adm\n")[1])

    def test_other_units_are_well_formed(self):
        self.assertEqual([each.name for each in OTHER_UNITS], ["vitald-crontabs.service", "vitald-crontabs.timer"])
        for each in OTHER_UNITS:
            shutil.copy(each, self.folder)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *(str(self.folder / each.name) for each in OTHER_UNITS)],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_none_is_root_by_another_name_but_the_one_that_says_so(self):
        for each in DROP_INS:
            text = each.read_text(encoding="utf-8")
            found = {word for name, value in settings(text) if name in ("SupplementaryGroups", "Group", "User")
                     for word in value.split()} & ROOT_BY_ANOTHER_NAME
            found |= {word for name, value in settings(text) if name.endswith(("Capabilities", "CapabilityBoundingSet"))
                      for word in value.split()} - HARMLESS_CAPABILITIES
            with self.subTest(each.name):
                self.assertEqual(found, {"docker"} if each.name == "docker.conf" else set())
        self.assertIn("AS GOOD AS ROOT", (RIGHTS / "docker.conf").read_text(encoding="utf-8"))

    def test_each_is_in_the_manual(self):
        manual = (repository / "docs" / "rights.md").read_text(encoding="utf-8")
        for each in DROP_INS:
            self.assertIn(f"`{each.name}`", manual)


CONFIGURATION = """
instance: rights-test
state: /var/lib/vitald
listen: { http: "127.0.0.1:9642" }
checks:
  words: { probe: journal, identifier: rights-test, match: ., every: 1s }
"""

GET = "import sys, urllib.request as u; print(u.urlopen('http://127.0.0.1:9642' + sys.argv[1], timeout=5).read().decode())"


class GrantedTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary = release_binary()
        cls.systemd = BootedSystemd()
        cls.addClassCleanup(cls.systemd.close)
        shared = cls.systemd.shared
        shutil.copy(binary, shared / "vitald")
        shutil.copytree(RIGHTS, shared / "rights")
        for name in ("vitald.service", "vitald.sysusers", "vitald.tmpfiles"):
            shutil.copy(repository / "systemd" / name, shared / name)
        (shared / "vitald.yaml").write_text(textwrap.dedent(CONFIGURATION), encoding="utf-8")
        cls.systemd.run("sh", "-ec", """
            cd /mnt/shared
            mount --bind /mnt/shared/vitald /usr/sbin/vitald 2>/dev/null || install -m 755 vitald /usr/sbin/vitald
            install -m 644 vitald.service rights/vitald-crontabs.* /etc/systemd/system/
            systemd-sysusers $PWD/vitald.sysusers
            systemd-tmpfiles --create $PWD/vitald.tmpfiles
            install -m 644 vitald.yaml /etc/vitald/vitald.yaml
            systemctl daemon-reload
            """)

    def check(self):
        every = json.loads(self.systemd.run("python3", "-c", GET, "/api/v1/checks").stdout)["checks"]
        return next(each for each in every if each["check"] == "words")

    def until(self, condition, what):
        return wait_until(condition, lambda: f"{what}; the journal:\n{self.systemd.journal('vitald')}", 60, every=0.2)

    def test_the_journal_is_seen_with_its_drop_in_only(self):
        self.systemd.run("systemctl", "start", "vitald")
        self.addCleanup(self.systemd.run, "systemctl", "stop", "vitald", check=False)
        self.until(lambda: self.check().get("reason") == "journal_denied", "the journal to be denied")
        self.assertEqual(self.check()["verdict"], "unknown")
        self.assertIn("systemd-journal", self.check()["remedy"])

        self.systemd.run("sh", "-ec", """
            install -D -m 644 /mnt/shared/rights/journal.conf /etc/systemd/system/vitald.service.d/journal.conf
            systemctl daemon-reload && systemctl restart vitald
            """)
        self.until(lambda: self.check().get("outcome") == "answered", "the journal to be read")
        self.systemd.run("systemd-cat", "-t", "rights-test", "echo", "seen at last")
        self.until(lambda: "seen at last" in json.dumps(self.check()), "the entry to be found")

    def test_crontabs_are_copied_for_vitald_and_nobody_else(self):
        self.systemd.run("sh", "-ec", """
            mkdir -p /var/spool/cron/crontabs
            printf '0 2 * * * php artisan\\n' >/var/spool/cron/crontabs/games
            chown games /var/spool/cron/crontabs/games
            chmod 600 /var/spool/cron/crontabs/games
            ln -sf /etc/shadow /var/spool/cron/crontabs/sly
            systemctl start vitald-crontabs.timer
            """)
        copy = "/run/vitald-crontabs/games"
        wait_until(lambda: self.systemd.run("test", "-e", copy, check=False).returncode == 0, "the copy")
        self.assertEqual(self.systemd.run("stat", "-c", "%U %G %a", copy).stdout.strip(), "root vitald 640")
        as_vitald = ("setpriv", "--reuid", "vitald", "--regid", "vitald", "--clear-groups", "cat", copy)
        self.assertIn("php artisan", self.systemd.run(*as_vitald).stdout)
        as_nobody = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "cat", copy)
        self.assertNotEqual(self.systemd.run(*as_nobody, check=False).returncode, 0)
        self.assertNotEqual(self.systemd.run("test", "-e", "/run/vitald-crontabs/sly", check=False).returncode, 0)
        self.systemd.run("sh", "-ec", "rm /var/spool/cron/crontabs/games; systemctl start vitald-crontabs.service")
        self.assertNotEqual(self.systemd.run("test", "-e", copy, check=False).returncode, 0, "its original went")


if __name__ == "__main__":
    unittest.main()
