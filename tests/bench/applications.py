"""What a check of a process manager costs the host, beside the command that a person would type, in the same minute.
The manager's own processor time counts on both sides."""

import os
import resource
import statistics
import subprocess
import sys
import unittest

import gauge
from databases import run_cost
from stage import Trouble

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integration"))

TIMES = 5  # the command


def _children_us():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e6


def _command(words, environment, server):
    """Processor microseconds of one command, and of the server for it."""
    mine, theirs = _children_us(), gauge.own_cpu_us(server)
    for _ in range(TIMES):
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Trouble(f"{words} ended with {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}")
    return (_children_us() - mine) / TIMES, (gauge.own_cpu_us(server) - theirs) / TIMES


def _cost(stage, plan, name, check, server, command, words, environment=None, aim=""):
    rounds = []
    for _ in range(plan.rounds):
        before = _command(words, environment, server)
        mine = run_cost(stage, check, plan.cost_s, server)
        after = _command(words, environment, server)
        theirs = [statistics.mean(each) for each in zip(before, after)]
        rounds.append((sum(mine), mine[1], sum(theirs), theirs[1], sum(theirs) / sum(mine)))
    middle = [round(statistics.median(each), 1) for each in zip(*rounds)]
    names = ("check_us", "server_us", "command_us", "command_server_us", "times")
    return {"name": name, "command": command, "aim": aim, **dict(zip(names, middle))}


def _pm2(stage, plan):
    from support.pm2_daemon import Pm2
    with Pm2() as pm2:
        apps = {f"app{number}": ("setInterval(() => {}, 1000)", {}) for number in range(5)}
        pm2.run_apps(**apps)
        yield _cost(stage, plan, "pm2, five apps", {"probe": "pm2", "home": str(pm2.home)}, pm2.process.pid, "pm2 jlist",
                    pm2.command_line("jlist"), pm2.environment, aim="less than 1/50")


def _supervisor(stage, plan):
    from support.supervisor import Supervisor
    programs = {f"program{number}": "sleep 100000" for number in range(5)}
    with Supervisor(**programs) as supervisor:
        for name in programs:
            supervisor.wait_for(name, "RUNNING")
        words = ["supervisorctl", "-c", str(supervisor.file), "status"]
        yield _cost(stage, plan, "supervisor, five programs", {"probe": "supervisor", "socket": str(supervisor.socket)},
                    supervisor.process.pid, "supervisorctl status", words)


def all_costs(stage, plan):
    for name, part in (("pm2", _pm2), ("supervisor", _supervisor)):
        try:
            yield from part(stage, plan)
        except unittest.SkipTest as why:
            yield {"name": name, "skipped": str(why)}
