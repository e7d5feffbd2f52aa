"""That each mistake of tools/mutations.py can still be made: its text stands exactly once in its file."""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from mutations import MUTATIONS  # noqa: E402


class Mutants(unittest.TestCase):
    def test_each_applies(self):
        for name, _, file, old, new in MUTATIONS:
            with self.subTest(name):
                self.assertEqual((ROOT / file).read_text(encoding="utf-8").count(old), 1)
                self.assertNotEqual(old, new)

    def test_there_are_enough_and_each_has_a_name_of_its_own(self):
        names = [name for name, *_ in MUTATIONS]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names), 25)


if __name__ == "__main__":
    unittest.main()
