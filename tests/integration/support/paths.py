"""Where things are: the tree and the binaries under test, which run-tests names in the environment."""

import os
import unittest
from pathlib import Path

repository = Path(__file__).resolve().parents[3]


def _first_there(candidates, what):
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise unittest.SkipTest(f"there is no {what}; ./run-tests builds it")


def vitald_binary():
    """The daemon under test: the one with sanitizers where run-tests runs us. Skips the test where none is built."""
    presets = [repository / "build" / preset / "vitald" for preset in ("asan", "debug", "release")]
    return _first_there([os.environ.get("VITALD_BIN"), *presets], "daemon to test")


def release_binary():
    """The daemon without sanitizers, for tests that trace or measure it: LeakSanitizer refuses to run under ptrace."""
    return _first_there([os.environ.get("VITALD_RELEASE_BIN"), repository / "build" / "release" / "vitald"],
                        "release daemon")
