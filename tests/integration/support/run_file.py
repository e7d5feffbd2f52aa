"""Runs one unittest file and writes what happened as JSON: run_file.py TEST_FILE REPORT."""

import importlib.util
import json
import sys
import unittest
from pathlib import Path


class Counting(unittest.TextTestResult):
    """Counts the passed ones too."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def main():
    path, report = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Counting).run(suite)
    failures = [{"test": str(test), "text": text} for test, text in result.failures + result.errors]
    failures += [{"test": str(test), "text": "passed although it is expected to fail"}
                 for test in result.unexpectedSuccesses]
    skips = [{"test": str(test), "reason": reason} for test, reason in result.skipped]
    report.write_text(json.dumps({"passed": result.passed, "skips": skips, "failures": failures}), encoding="utf-8")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
