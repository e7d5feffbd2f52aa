"""The oracle of the simulator: it agrees with real worlds, and it notices when their journals are doctored."""
# time-out: 600

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "sim"))

import oracle  # noqa: E402
from support import paths  # noqa: E402

WORLDS = 40


def setUpModule():
    global folder
    folder = tempfile.TemporaryDirectory(prefix="vitald-sim-")
    program = paths.vitald_binary().parent / "tests" / "sim_tests"
    environment = dict(os.environ, SIM_LOG=folder.name, SEEDS=str(WORLDS))
    subprocess.run([program, "--gtest_filter=*many_seeds"], env=environment, check=True, stdout=subprocess.DEVNULL)


def tearDownModule():
    folder.cleanup()


def journal(seed):
    lines = Path(folder.name, f"{seed}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def judge(happenings):
    return oracle.Oracle([json.dumps(one) for one in happenings])


def taken(happenings, **wanted):
    """Where messages with these members stand."""
    return [index for index, one in enumerate(happenings)
            if one["kind"] == "taken" and all(one[name] == value for name, value in wanted.items())]


class TrueWorlds(unittest.TestCase):
    def test_nothing_is_wrong_with_them(self):
        outages, delays = 0, []
        for seed in range(1, WORLDS + 1):
            judged = judge(journal(seed))
            self.assertEqual(judged.wrong, [], f"seed {seed}")
            outages += judged.outages
            delays += judged.delays
        self.assertGreater(outages, 300)
        self.assertGreater(len(delays), 50)


class DoctoredWorlds(unittest.TestCase):
    """A world of which enough is known: nobody set its clock, and no receiver was removed from it."""

    @classmethod
    def setUpClass(cls):
        for seed in range(1, WORLDS + 1):
            happenings = journal(seed)
            configs = [one["receivers"] for one in happenings if one["kind"] == "config"]
            world = oracle.World([json.dumps(one) for one in happenings])
            single = [index for index in taken(happenings, message="problem", status="critical")
                      if len({happenings[other]["receiver"] for other in
                              taken(happenings, incident=happenings[index]["incident"])}) == 1]
            kept = all(set(receivers) <= set(configs[-1]) for receivers in configs)
            if kept and not world.clock_was_set and len(single) > 20 and judge(happenings).outages > 3:
                cls.happenings = happenings
                return
        raise AssertionError("no world is fit to be doctored")

    def setUp(self):
        self.happenings = [dict(one) for one in self.happenings]

    def pair(self):
        """A problem and the recovery of the same incident, each taken once."""
        for index in taken(self.happenings, message="problem", status="critical"):
            one = self.happenings[index]
            ends = taken(self.happenings, message="recovery", incident=one["incident"], receiver=one["receiver"])
            if len(ends) == 1 and ends[0] > index and one["check"] != "vitald":
                return index, ends[0]
        raise AssertionError("no incident has a beginning and an end")

    def assert_caught(self, rule):
        wrong = judge(self.happenings).wrong
        self.assertTrue(any(what.startswith(rule) for what in wrong), f"{rule} was not noticed: {wrong}")

    def test_undoctored(self):
        self.assertEqual(judge(self.happenings).wrong, [])

    def test_all_that_was_told_of_a_check_is_gone(self):
        told = {one["check"] for one in self.happenings if one["kind"] == "taken"}
        self.happenings = [one for one in self.happenings if one["kind"] != "taken" or one["check"] not in told]
        self.assert_caught("R1")

    def test_a_problem_is_gone(self):
        problem, _ = self.pair()
        del self.happenings[problem]
        self.assert_caught("R5")

    def test_a_recovery_is_gone(self):
        _, recovery = self.pair()
        del self.happenings[recovery]
        self.assert_caught("R1")

    def test_a_message_is_repeated(self):
        _, recovery = self.pair()
        self.happenings[recovery + 1:recovery + 1] = [self.happenings[recovery]] * 50
        self.assert_caught("R4")

    def test_recovery_before_problem(self):
        problem, recovery = self.pair()
        self.happenings[problem], self.happenings[recovery] = self.happenings[recovery], self.happenings[problem]
        self.assert_caught("R5")

    def test_a_recovery_of_another_incident(self):
        _, recovery = self.pair()
        self.happenings[recovery]["incident"] = "0" * 20
        self.assert_caught("R5")

    def test_a_problem_without_a_cause(self):
        problem, _ = self.pair()
        fine = next(one for one in self.happenings if one["kind"] == "clock")["ahead"] + 5
        self.happenings[problem]["opened"] = fine
        self.assert_caught("R14")

    def test_told_after_the_end(self):
        _, recovery = self.pair()
        late = dict(self.happenings[recovery], message="reminder", sequence=self.happenings[recovery]["sequence"] + 1)
        self.happenings.insert(recovery + 1, late)
        self.assert_caught("R1")

    def test_one_number_for_two_messages(self):
        problem, recovery = self.pair()
        self.happenings[recovery]["sequence"] = self.happenings[problem]["sequence"]
        self.assert_caught("R3")

    def test_one_incident_for_two_checks(self):
        _, recovery = self.pair()
        self.happenings[recovery]["check"] = "vitald"
        self.assert_caught("R3")

    def test_told_too_late(self):
        for index in taken(self.happenings):
            self.happenings[index]["decided"] += 3 * 3600
        self.assert_caught("R1")

    def test_taken_before_it_was_decided(self):
        problem, _ = self.pair()
        self.happenings[problem]["t"] -= 60
        self.assert_caught("R2")

    def test_a_storm(self):
        problem, _ = self.pair()
        storm = [dict(self.happenings[problem], sequence=100 + number) for number in range(6)]
        self.happenings[problem + 1:problem + 1] = storm
        wrong = oracle.Oracle([json.dumps(one) for one in self.happenings], storm=True).wrong
        self.assertTrue(any(what.startswith("R11") for what in wrong), wrong)


if __name__ == "__main__":
    unittest.main()
