# time-out: 600
"""The journal probe on a real journald: each entry counted once over restarts and rotation of the journal; what
chooses entries; what a user without rights is told. Skipped where a systemd cannot be booted."""

import json
import shutil
import textwrap
import unittest

from support import sample, vitald_binary, wait_until
from support.booted_systemd import BootedSystemd

# The daemon, as a user with no right but to read the journal.
DAEMON = """
[Service]
Type=notify
User=games
SupplementaryGroups=systemd-journal
StateDirectory=watch
RuntimeDirectory=watch
ExecStart=/mnt/shared/vitald run --config /mnt/shared/watch.yaml
"""

WATCH = """
instance: journal-test
state: /var/lib/watch
runtime: /run/watch
listen: { http: "127.0.0.1:9643" }
checks:
  words: { probe: journal, identifier: words, match: error, every: 1s }
"""

GET = "import sys, urllib.request as u; print(u.urlopen('http://127.0.0.1:9643' + sys.argv[1], timeout=5).read().decode())"


class JournalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        binary = vitald_binary()
        cls.systemd = BootedSystemd()
        cls.addClassCleanup(cls.systemd.close)
        cls.shared = cls.systemd.shared
        cls.shared.chmod(0o755)
        shutil.copy(binary, cls.shared / "vitald")
        (cls.shared / "watch.yaml").write_text(textwrap.dedent(WATCH), encoding="utf-8")
        (cls.shared / "watch.service").write_text(DAEMON, encoding="utf-8")
        (cls.shared / "talker.service").write_text(
            "[Service]\nType=oneshot\nSyslogIdentifier=talker\nExecStart=/bin/sh -c 'echo SQLSTATE 42; exit 1'\n", encoding="utf-8")
        cls.systemd.run("sh", "-ec", "cp /mnt/shared/*.service /etc/systemd/system/; systemctl daemon-reload; "
                                     "systemctl start talker || true")

    def say(self, *lines, identifier="words", priority="info"):
        text = "\n".join(lines)
        self.systemd.run("systemd-cat", "-t", identifier, "-p", priority, "printf", "%s\\n", text)

    def probe(self, user="root", **check):
        document = {"instance": "journal-test", "checks": {"it": {"probe": "journal", "timeout": "30s", **check}}}
        (self.shared / "one.yaml").write_text(json.dumps(document), encoding="utf-8")
        who = [] if user == "root" else ["setpriv", "--reuid", user, "--regid", "nogroup", "--clear-groups"]
        done = self.systemd.run(*who, "/mnt/shared/vitald", "probe", "it", "--local", "--json", "--config",
                                "/mnt/shared/one.yaml", check=False)
        self.assertIn(done.returncode, range(4), done.stdout + done.stderr)
        return json.loads(done.stdout)

    def matches(self, **check):
        return sample(self.probe(since="1h", **check), "matches")

    def test_what_chooses_entries(self):
        self.say("disk error", identifier="chooser", priority="err")
        self.say("all well", identifier="chooser")
        wait_until(lambda: self.matches(match=".", identifier="chooser") == 2, "both entries to be in the journal")
        self.assertEqual(self.matches(match="error", identifier="chooser"), 1)
        self.assertEqual(self.matches(priority="err", identifier="chooser"), 1)
        self.assertEqual(self.matches(match=".", ignore="well", identifier="chooser"), 1)

    def test_a_unit_and_what_systemd_says_of_it(self):
        report = self.probe(since="1h", unit="talker", match="SQLSTATE|status=1")
        self.assertEqual(sample(report, "matches"), 2, report)
        self.assertIn("SQLSTATE 42", json.dumps(report["evidence"]))
        self.assertEqual(report["verdict"], "warning", report)

    def test_a_user_without_rights_is_told_which_one(self):
        report = self.probe(user="nobody", match=".")
        self.assertEqual((report["verdict"], report["reason"]), ("unknown", "journal_denied"))
        self.assertIn("systemd-journal", report["remedy"])

    # Over many runs

    def entries(self):
        """How many entries the daemon has looked at since its check was made."""
        text = self.systemd.run("python3", "-c", GET, "/metrics", check=False).stdout
        found = [line for line in text.splitlines() if line.startswith("vitald_journal_entries_total{")]
        return float(found[0].rsplit(" ", 1)[1]) if found else -1

    def until_seen(self, count):
        wait_until(lambda: self.entries() >= count, lambda: f"{count} entries; it has {self.entries()}, and says "
                   f"{self.systemd.journal('watch')}", 60, every=0.2)
        self.assertEqual(self.entries(), count)

    def test_each_entry_is_counted_once(self):
        self.say("error before anybody looked")
        self.systemd.run("journalctl", "--sync")
        self.systemd.run("systemctl", "start", "watch")
        self.addCleanup(self.systemd.run, "systemctl", "stop", "watch", check=False)
        wait_until(lambda: self.entries() == 0, "a first run, which counts nothing", 60)

        self.say(*(f"line {number}" for number in range(50)), "error of the first kind")
        self.until_seen(51)
        self.systemd.run("systemctl", "stop", "watch")
        self.say(*(f"line {number}" for number in range(50)))
        self.systemd.run("systemctl", "start", "watch")
        self.until_seen(101)
        # Into another file of the journal, while the daemon is away and while it is there.
        self.systemd.run("journalctl", "--rotate")
        self.say(*(f"line {number}" for number in range(20)))
        self.until_seen(121)
        self.systemd.run("systemctl", "stop", "watch")
        self.say(*(f"line {number}" for number in range(20)))
        self.systemd.run("journalctl", "--rotate")
        self.say(*(f"line {number}" for number in range(9)), "error of the last kind")
        self.systemd.run("systemctl", "start", "watch")
        self.until_seen(151)
        text = self.systemd.run("python3", "-c", GET, "/api/v1/checks").stdout
        self.assertIn("error of the first kind", text, "evidence of the last hour")
        self.assertNotIn("before anybody looked", text)


if __name__ == "__main__":
    unittest.main()
