"""tools/suite.py, which counts: whatever way a test program ends, it must not be counted as passed when it is not."""

import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

from support import repository

GTEST_REPORT = {"testsuites": [{"name": "Suite", "testsuite": [
    {"name": "Good", "status": "RUN", "result": "COMPLETED"},
    {"name": "Bad", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "one is not two"}]},
    {"name": "Left", "status": "RUN", "result": "SKIPPED"},
    {"name": "Off", "status": "NOTRUN", "result": "SUPPRESSED"}]}]}


class SuiteTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-suite-"))
        self.addCleanup(shutil.rmtree, self.folder)
        (self.folder / "programs").mkdir()
        (self.folder / "integration").mkdir()
        shutil.copytree(repository / "tests" / "integration" / "support", self.folder / "integration" / "support")

    def program(self, name, script):
        file = self.folder / "programs" / name
        file.write_text("#!/bin/bash\nreport=${1#--gtest_output=json:}\n" + script, encoding="utf-8")
        file.chmod(0o755)

    def integration(self, name, source):
        (self.folder / "integration" / name).write_text(textwrap.dedent(source), encoding="utf-8")

    def run_suite(self, *options):
        done = subprocess.run(
            [sys.executable, str(repository / "tools" / "suite.py"), "--programs", str(self.folder / "programs"),
             "--integration", str(self.folder / "integration"), "--results", str(self.folder / "results"), *options],
            capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()[-1], done.stdout + done.stderr

    def reporting(self, report, status):
        return f"cat >\"$report\" <<'EOT'\n{json.dumps(report)}\nEOT\nexit {status}\n"

    def test_adds_up_what_gtest_reports(self):
        self.program("a_tests", self.reporting(GTEST_REPORT, 1))
        status, last, text = self.run_suite()
        self.assertEqual((status, last), (1, "1 passed, 1 failed, 2 skipped"))
        self.assertIn("one is not two", text)

    def test_programs_run_beside_each_other_but_for_those_that_must_be_alone(self):
        met = f"touch {self.folder}/$me; until [ -e {self.folder}/$other ]; do sleep 0.05; done\n"
        self.program("a_tests", "me=a other=b; " + met + self.reporting(GTEST_REPORT, 1))
        self.program("b_tests", "me=b other=a; " + met + self.reporting(GTEST_REPORT, 1))
        self.integration("test_alone.py", f"""\
            # alone
            import pathlib, unittest
            class AloneTest(unittest.TestCase):
                def test_comes_last(self):
                    self.assertTrue(pathlib.Path({str(self.folder / "results" / "b_tests.json")!r}).exists())
            """)
        status, last, text = self.run_suite("--timeout", "60", "--jobs", "2")
        self.assertEqual((status, last), (1, "3 passed, 2 failed, 4 skipped"), text)

    def test_a_crash_is_a_failure_beside_what_went_before(self):
        self.program("a_tests", "echo '[       OK ] Suite.Good (0 ms)'\nkill -SEGV $$\n")
        status, last, text = self.run_suite()
        self.assertEqual((status, last), (1, "1 passed, 1 failed, 0 skipped"))
        self.assertIn("died of SIGSEGV", text)

    def test_a_program_that_hangs_is_ended_with_its_children(self):
        self.program("a_tests", f"sleep 600 & echo $! >{self.folder}/child; wait\n")
        status, last, text = self.run_suite("--timeout", "1")
        self.assertEqual((status, last), (1, "0 passed, 1 failed, 0 skipped"))
        self.assertIn("ended after 1 s", text)
        child = Path("/proc") / (self.folder / "child").read_text(encoding="ascii").strip() / "cmdline"
        self.assertFalse(child.exists() and b"sleep" in child.read_bytes())

    def test_a_program_that_says_nothing_is_a_failure(self):
        self.program("a_tests", "exit 0\n")
        self.assertEqual(self.run_suite()[:2], (1, "0 passed, 1 failed, 0 skipped"))

    def test_a_bad_end_after_a_good_report_is_a_failure(self):
        good = {"testsuites": [{"name": "Suite", "testsuite": [{"name": "Good", "status": "RUN", "result": "COMPLETED"}]}]}
        self.program("a_tests", self.reporting(good, 23))  # as LeakSanitizer ends
        self.assertEqual(self.run_suite()[:2], (1, "1 passed, 1 failed, 0 skipped"))

    def test_adds_up_what_unittest_reports(self):
        self.integration("test_a.py", """
            import unittest
            class T(unittest.TestCase):
                def test_good(self): pass
                def test_bad(self): self.assertEqual(1, 2)
                def test_broken(self): raise OSError("no such luck")
                @unittest.skip("not today")
                def test_left(self): pass
                @unittest.expectedFailure
                def test_too_good(self): pass
            """)
        status, last, text = self.run_suite()
        self.assertEqual((status, last), (1, "1 passed, 3 failed, 1 skipped"))
        for part in ("1 != 2", "no such luck", "not today", "expected to fail"):
            self.assertIn(part, text)

    def test_a_test_file_that_cannot_be_read_is_a_failure(self):
        self.integration("test_a.py", "import no_such_module_anywhere")
        status, last, text = self.run_suite()
        self.assertEqual((status, last), (1, "0 passed, 1 failed, 0 skipped"))
        self.assertIn("no_such_module_anywhere", text)

    def test_nothing_to_run_is_a_failure(self):
        self.assertEqual(self.run_suite("--only", "nothing")[:2], (1, "0 passed, 1 failed, 0 skipped"))

    def test_chooses_by_name_and_leaves_out_what_is_slow(self):
        self.integration("test_a.py", "import unittest\nclass T(unittest.TestCase):\n    def test(self): pass\n")
        self.integration("test_b.py", "# slow\nimport unittest\nclass T(unittest.TestCase):\n    def test(self): pass\n")
        self.assertEqual(self.run_suite()[:2], (0, "2 passed, 0 failed, 0 skipped"))
        self.assertEqual(self.run_suite("--quick")[:2], (0, "1 passed, 0 failed, 0 skipped"))
        self.assertEqual(self.run_suite("--only", "test_b*")[:2], (0, "1 passed, 0 failed, 0 skipped"))


if __name__ == "__main__":
    unittest.main()
