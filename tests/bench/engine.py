"""How many observations the engine judges in a second of one core (bench_engine), beside a bare loop of lookups."""

import json
import os
import statistics
import subprocess

KINDS = (("quiet", "that change nothing", "300,000"),
         ("counts", "that change a count, with its record", "30,000"),
         ("incidents", "that open or end an incident, told and delivered", "30,000"))


def rates(stage, plan, checks):
    """The median of the rounds, each figure by itself."""
    program = os.path.join(stage.programs, "bench_engine")
    found = []
    for _ in range(plan.rounds):
        done = subprocess.run([program, str(checks), str(plan.engine_s)], capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    return {name: statistics.median(one[name] for one in found) for name in found[0]}
