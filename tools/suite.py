#!/usr/bin/env python3
"""Runs the test programs, one or several at a time, and adds up what they report.

Every gtest binary reports through --gtest_output=json, every tests/integration/test_*.py through support/run_file.py.
A program that crashes, is ended by its time-out or writes no report counts as one failed test, on top of what it said
before. Programs that say "# alone" in their first lines measure how late something is: they run one at a time when all
others have ended. Progress and failures go to standard error, the closing line to standard output.
"""

import argparse
import fnmatch
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_TIMEOUT = 900  # seconds; an integration test may ask for another in its first lines: "# time-out: 600"


@dataclass
class Program:
    name: str
    command: list
    report: Path
    log: Path
    timeout: int
    alone: bool = False


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)  # sentences for people
    skips: list = field(default_factory=list)


def head_of(path):
    with path.open(encoding="utf-8") as source:
        return [source.readline() for _ in range(8)]


def find_programs(options, results):
    programs = []
    for index, folder in enumerate(options.programs):
        for binary in sorted(folder.glob("*_tests")):
            if binary.is_file() and os.access(binary, os.X_OK):
                name = binary.name if index == 0 else f"{binary.name}-{folder.parent.name}"
                report = results / f"{name}.json"
                programs.append(Program(name, [str(binary), f"--gtest_output=json:{report}"], report,
                                        results / f"{name}.log", options.timeout))
    runner = options.integration / "support" / "run_file.py"
    for script in sorted(options.integration.glob("test_*.py")):
        head = "".join(head_of(script))
        if options.quick and "# slow" in head:
            continue
        wanted = re.search(r"^# time-out: (\d+)", head, re.MULTILINE)
        report = results / f"{script.name}.json"
        programs.append(Program(script.name, [sys.executable, "-B", str(runner), str(script), str(report)], report,
                                results / f"{script.name}.log", int(wanted[1]) if wanted else options.timeout,
                                alone="# alone" in head))
    return [program for program in programs if fnmatch.fnmatchcase(program.name, options.only)]


def run(program):
    """The exit status, or None when the time ran out. A program gets a process group of its own, ended as a whole."""
    with program.log.open("wb") as log:
        child = subprocess.Popen(program.command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                 start_new_session=True)
        try:
            return child.wait(program.timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            end_group(child)


def end_group(child):
    """Whatever a test left behind in its group ends with it."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def read_gtest(report):
    outcome = Outcome()
    for suite in report["testsuites"]:
        for test in suite["testsuite"]:
            if test["status"] != "RUN" or test.get("result") == "SKIPPED":
                outcome.skipped += 1
                outcome.skips.append(f"{suite['name']}.{test['name']}")
            elif test.get("failures"):
                outcome.failed += 1
                outcome.failures.append(f"{suite['name']}.{test['name']}\n" + "\n".join(
                    failure["failure"] for failure in test["failures"]))
            else:
                outcome.passed += 1
    return outcome


def read_unittest(report):
    return Outcome(report["passed"], len(report["failures"]), len(report["skips"]),
                   [f"{failure['test']}\n{failure['text']}" for failure in report["failures"]],
                   [f"{skip['test']}: {skip['reason']}" for skip in report["skips"]])


def read_log(text):
    """What a gtest program that died had finished until then."""
    return Outcome(passed=len(re.findall(r"^\[       OK \]", text, re.MULTILINE)),
                   failed=len(re.findall(r"^\[  FAILED  \] .* \(\d+ ms\)$", text, re.MULTILINE)),
                   skipped=len(re.findall(r"^\[  SKIPPED \] .* \(\d+ ms\)$", text, re.MULTILINE)))


def tail(text, lines=40):
    return "\n".join(text.splitlines()[-lines:])


def judge(program, status):
    text = program.log.read_text(encoding="utf-8", errors="replace")
    outcome = Outcome()
    if program.report.exists():
        report = json.loads(program.report.read_text(encoding="utf-8"))
        outcome = read_gtest(report) if "testsuites" in report else read_unittest(report)
    else:
        outcome = read_log(text)
    ended_badly = None
    if status is None:
        ended_badly = f"was ended after {program.timeout} s"
    elif status < 0:
        ended_badly = f"died of {signal.Signals(-status).name}"
    elif not program.report.exists():
        ended_badly = f"wrote no report (exit status {status})"
    elif status != 0 and outcome.failed == 0:
        ended_badly = f"reported no failure but ended with exit status {status}"
    if ended_badly:
        outcome.failed += 1
        outcome.failures.append(f"the program {ended_badly}; the end of {program.log}:\n{tail(text)}")
    return outcome


def show(text):
    print(text, file=sys.stderr, flush=True)


def run_and_judge(program):
    """The outcome and the seconds that it took."""
    start = time.monotonic()
    outcome = judge(program, run(program))
    return program, outcome, time.monotonic() - start


def outcomes_of(programs, jobs):
    """In their order, those that have to be alone last."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(run_and_judge, [program for program in programs if not program.alone])
    yield from map(run_and_judge, [program for program in programs if program.alone])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, action="append",
                        help="folder of the gtest binaries; may be given again, for those of another build")
    parser.add_argument("--integration", type=Path, required=True, help="folder of the test_*.py")
    parser.add_argument("--results", type=Path, required=True, help="folder for reports and logs")
    parser.add_argument("--only", default="*", help="shell pattern of program names")
    parser.add_argument("--timeout", type=int, default=DEFAULT_TIMEOUT, help="seconds for each program")
    parser.add_argument("--jobs", type=int, default=1, help="programs that run at the same time")
    parser.add_argument("--quick", action="store_true", help="leave out integration tests that say '# slow'")
    options = parser.parse_args()
    results = options.results.absolute()
    results.mkdir(parents=True, exist_ok=True)
    for stale in results.iterdir():
        stale.unlink()

    total = Outcome()
    for program, outcome, seconds in outcomes_of(find_programs(options, results), options.jobs):
        show(f"   {program.name:<28} {outcome.passed:5} passed {outcome.failed:3} failed {outcome.skipped:3} skipped"
             f"  {seconds:6.1f} s")
        for skip in outcome.skips:
            show(f"      skipped: {skip}")
        for failure in outcome.failures:
            show("\n".join("      " + line for line in ("FAILED: " + failure).splitlines()))
            total.failures.append(f"{program.name}: {failure.splitlines()[0]}")
        total.passed += outcome.passed
        total.failed += outcome.failed
        total.skipped += outcome.skipped
    if total.passed + total.failed + total.skipped == 0:
        show("   no test ran")
        total.failed = 1
    for failure in total.failures:
        print(f"FAILED  {failure}")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
