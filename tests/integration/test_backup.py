# time-out: 600
"""The backup probe on files that gzip and zstd made: whole, cut off, emptied, damaged, deleted, shrunken, still being
written, and such that may not be read."""

import json
import os
import random
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support import Daemon, Receiver, ReportTest, run_alone, sample, vitald_binary, wait_until
from support.one_run import evidence

HOUR, DAY = 3600, 86400
_LINES = random.Random(7)
DUMP = "".join(f"INSERT INTO t VALUES ({_LINES.getrandbits(64)});\n" for _ in range(20_000)).encode()


class BackupTest(ReportTest):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-backups-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, data, age=3 * HOUR):
        path = self.folder / name
        path.write_bytes(data)
        at = time.time() - age
        os.utime(path, (at, at))
        return path

    def pack(self, name, content=DUMP, age=3 * HOUR, program=None):
        command = program or (["gzip", "-c"] if name.endswith("gz") else ["zstd", "-q", "-c"])
        if not shutil.which(command[0]):
            self.skipTest(f"there is no {command[0]}")
        return self.write(name, subprocess.run(command, input=content, capture_output=True, check=True).stdout, age)

    def nightly(self, nights, ending=".sql.gz"):
        return [self.pack(f"db-{nights - night}{ending}", age=3 * HOUR + night * DAY) for night in range(nights)]

    def check(self, **options):
        return {"probe": "backup", "files": str(self.folder / "db-*"), **options}

    def probe(self, **options):
        return run_alone(self.check(**options))[0]

    def test_good_ones(self):
        for ending in (".sql.gz", ".sql.zst"):
            with self.subTest(ending):
                self.nightly(5, ending)
                report = self.probe(files=str(self.folder / f"db-*{ending}"), keep=5, minimum_size="1kB", delete_after="30d")
                self.assert_report(report, "ok", "", rf"db-5{ending}, 3 h( .*)? old, .* kB|KiB; 5 backups in all")
                self.assertEqual(evidence(report, "integrity"), f"db-5{ending} decodes to its end")
                self.assertEqual(sample(report, "kept"), 5)
                self.assertLess(sample(report, "shrink"), 0.01)
                self.assertIn(f"db-4{ending}", evidence(report, "backups"))

    def test_several_members_are_one_file(self):
        one = self.pack("db-1.gz")
        self.write("db-2.gz", one.read_bytes() + one.read_bytes(), age=HOUR)
        self.assert_report(self.probe(), "ok", "", "db-2.gz")

    def test_cut_off(self):
        for name in ("db-1.gz", "db-1.zst"):
            with self.subTest(name):
                path = self.pack(name)
                self.write(name, path.read_bytes()[:-1000])
                self.assert_report(self.probe(files=str(path)), "critical", "corrupt",
                                   f"{name} is corrupt: its end is missing")
                judge = ["gzip", "-t"] if name.endswith("gz") else ["zstd", "-q", "-t"]
                self.assertNotEqual(subprocess.run([*judge, path], capture_output=True, check=False).returncode, 0)

    def test_damaged(self):
        for name in ("db-1.gz", "db-1.zst"):
            with self.subTest(name):
                data = bytearray(self.pack(name).read_bytes())
                data[len(data) // 2] ^= 0x40
                path = self.write(name, bytes(data))
                self.assert_report(self.probe(files=str(path)), "critical", "corrupt", "its data are damaged")
                self.assert_report(self.probe(files=str(path), verify="none"), "ok", "", name)

    def test_another_kind_of_file(self):
        self.write("db-1.gz", b"mysqldump: Got error: 2002\n")
        self.assert_report(self.probe(), "critical", "corrupt", "it is no gzip file")

    def test_empty_outside_and_inside(self):
        self.write("db-1.gz", b"")
        self.assert_report(self.probe(), "critical", "empty", "db-1.gz, .*, is empty")
        self.pack("db-1.gz", b"")  # mysqldump | gzip, when mysqldump fails
        self.assert_report(self.probe(), "critical", "hollow", "there is nothing in it")

    def test_deleted(self):
        path, = self.nightly(1)
        self.assertEqual(self.probe()["verdict"], "ok")
        path.unlink()
        self.assert_report(self.probe(), "critical", "no_backup", f"no file matches {self.folder}/db-")
        self.folder.rmdir()
        self.assert_report(self.probe(), "critical", "no_folder", f"the folder {self.folder} is not there")

    def test_shrunken_and_small(self):
        self.nightly(5)
        self.pack("db-6.sql.gz", DUMP[:len(DUMP) // 3], age=HOUR)
        report = self.probe()
        self.assertEqual(report["verdict"], "warning", report)
        self.assertAlmostEqual(sample(report, "shrink"), 0.667, places=2)
        self.assertIn("smaller than usual", json.dumps(report))
        self.assert_report(self.probe(minimum_size="100MiB"), "critical", "too_small", "expected at least 100 MiB")

    def test_stale(self):
        self.pack("db-1.gz", age=27 * HOUR)
        self.assertEqual(self.probe()["verdict"], "warning")
        self.pack("db-1.gz", age=51 * HOUR)
        self.assertEqual(self.probe()["verdict"], "critical")
        self.assertEqual(self.probe(limits={"age": {"warning": "3d"}})["verdict"], "ok")

    def test_too_few_and_too_old(self):
        self.nightly(3)
        self.assertEqual(self.probe(keep=4)["verdict"], "warning")
        self.pack("db-0.sql.gz", age=93 * DAY)
        self.assertEqual(self.probe(keep=4)["verdict"], "ok")
        report = self.probe(keep=4, delete_after="90d")
        self.assertEqual(report["verdict"], "warning", report)
        self.assertEqual(sample(report, "outlived"), 1)

    def test_one_that_is_being_written(self):
        self.nightly(2)
        whole = self.pack("db-3.sql.gz").read_bytes()
        self.write("db-3.sql.gz", whole[:-1000], age=5)
        report = self.probe()
        self.assert_report(report, "ok", "", "db-2.sql.gz")
        self.assertIn("db-3.sql.gz", evidence(report, "being written"))
        self.write("db-3.sql.gz", whole[:-1000], age=10 * 60)  # whoever wrote it has died
        self.assert_report(self.probe(), "critical", "corrupt", "its end is missing")
        self.assert_report(self.probe(unchanged_for="20m"), "ok", "", "db-2.sql.gz")

    def test_one_that_wants_too_much_memory(self):
        self.pack("db-1.zst", DUMP, program=["zstd", "-q", "-c", "--long=27"])
        report = self.probe()
        self.assert_report(report, "unknown", f"cannot_verify:{self.folder}/db-1.zst", "32 MiB")
        self.assertIn("verify: none", report["remedy"])
        self.assertEqual(self.probe(verify="none")["verdict"], "ok")

    @unittest.skipUnless(os.geteuid() == 0, "it takes root to become somebody who may not look")
    def test_without_the_right_to_look(self):
        self.nightly(1)[0].chmod(0o600)
        daemon = Daemon({"it": self.check()})
        self.addCleanup(daemon.close)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        reachable = subprocess.run([*nobody, "test", "-x", vitald_binary()], check=False).returncode == 0
        if not reachable:
            self.skipTest("nobody but root can run the daemon where it was built")
        daemon.folder.chmod(0o755)
        for each in (daemon.file, daemon.state, daemon.runtime):
            os.chown(each, 65534, 65534)

        def look():
            done = subprocess.run([*nobody, vitald_binary(), "probe", "it", "--local", "--json", "--config", daemon.file],
                                  capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL)
            return json.loads(done.stdout)

        self.folder.chmod(0o700)
        report = look()
        self.assert_report(report, "unknown", f"denied:{self.folder}", "may not look into")
        self.assertEqual(report["remedy"], f"run: setfacl -m u:vitald:rx {self.folder}")
        self.folder.chmod(0o755)
        report = look()
        self.assert_report(report, "unknown", f"denied:{self.folder}/db-1.sql.gz", "may not read")
        self.assertIsNotNone(sample(report, "age"))

    def test_the_daemon_reads_each_file_once_and_tells_of_what_goes_bad(self):
        self.nightly(4)
        with Receiver() as receiver:
            checks = {"dump": self.check(every="1s", confirm={"failures": 2, "spread": ["1s"]})}
            with Daemon(checks, receivers={"ops": {"webhook": {"url": receiver.webhook_url}}},
                        escalations={"P2": [{"notify": "ops"}]}) as daemon:
                wait_until(lambda: self.runs(daemon) >= 1, "the first run")
                before, runs = self.bytes_read(daemon), self.runs(daemon)
                wait_until(lambda: self.runs(daemon) >= runs + 2, "two more runs")
                self.assertLess(self.bytes_read(daemon) - before, (self.folder / "db-4.sql.gz").stat().st_size)
                whole = (self.folder / "db-4.sql.gz").read_bytes()
                self.write("db-5.sql.gz", whole[:-1000], age=HOUR)
                self.wait_for_message(receiver, "db-5.sql.gz is corrupt: its end is missing")
                self.write("db-5.sql.gz", whole, age=HOUR)
                self.wait_for_message(receiver, "db-5.sql.gz, 1 h old")

    def wait_for_message(self, receiver, words):
        def texts():
            return [json.dumps(request.json()) for request in receiver.requests("/hook")]
        wait_until(lambda: any(words in text for text in texts()), lambda: f"'{words}'; it was told {texts()}", 30)

    def runs(self, daemon):
        return daemon.metrics().get('vitald_probe_duration_seconds_count{probe="backup"}', 0)

    def bytes_read(self, daemon):
        text = Path(f"/proc/{daemon.process.pid}/io").read_text(encoding="ascii")
        return int(dict(line.split(": ") for line in text.splitlines())["rchar"])


if __name__ == "__main__":
    unittest.main()
