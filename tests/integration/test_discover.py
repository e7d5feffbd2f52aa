# alone: it asks whoever listens on this host, the servers of other tests too
"""vitald discover: what it proposes for this very host is a configuration that check-config takes, and names what runs."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml
from support import Nginx, free_port, vitald_binary


class DiscoverTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vitald-discover-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def vitald(self, *words):
        return subprocess.run([str(vitald_binary()), *words], capture_output=True, text=True, timeout=60, check=False)

    def discover(self, *words):
        done = self.vitald("discover", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_proposes_a_configuration_that_stands(self):
        file = self.folder / "vitald.yaml"
        file.write_text(self.discover(), encoding="utf-8")
        verdict = self.vitald("check-config", "--config", str(file))
        self.assertEqual(verdict.returncode, 0, verdict.stdout + verdict.stderr)
        checks = yaml.safe_load(file.read_text(encoding="utf-8"))["checks"]
        self.assertIn("memory", checks)
        mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
        if "/" in mounted:  # not in a chroot
            self.assertIn("root-fs", checks)

    def test_takes_the_places_that_it_is_given(self):
        document = yaml.safe_load(self.discover("--port", "9777", "--state", "/tmp/s", "--runtime", "/tmp/r"))
        self.assertEqual(document["listen"], {"http": "127.0.0.1:9777"})
        self.assertEqual((document["state"], document["runtime"]), ("/tmp/s", "/tmp/r"))

    def test_the_receivers_to_fill_in_stand_once_the_marks_are_gone(self):
        lines = self.discover().splitlines()
        start = lines.index("#receivers:")
        file = self.folder / "vitald.yaml"
        file.write_text("\n".join(lines[:start] + [line.removeprefix("#") for line in lines[start:]]), encoding="utf-8")
        verdict = self.vitald("check-config", "--config", str(file))
        self.assertEqual(verdict.returncode, 0, verdict.stdout + verdict.stderr)

    def test_finds_a_web_server(self):
        # Ports from 32768 on are the kernel's to hand out, so discovery passes them over.
        with Nginx(port=free_port()) as nginx:
            self.assertIn(f"http-{nginx.port}", yaml.safe_load(self.discover())["checks"])


if __name__ == "__main__":
    unittest.main()
