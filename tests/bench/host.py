"""What it costs to watch the host itself: every kind that does, on the real /proc and /sys of this one."""

import os
import time

import gauge

EVERY = 10  # seconds, that the aim is stated for
AIM = "0.5 % of one core"
CHECKS = {
    **{kind: {"probe": kind} for kind in ("cpu", "load", "memory", "pressure", "oom", "swap", "disk", "network", "file-descriptors",
                                          "clock", "reboot-required")},
    "process by name": {"probe": "process", "name": "sh", "expect": {"min": 0}},
    "process by command": {"probe": "process", "command": "php-fpm: master", "expect": {"min": 0}},
}


def _microseconds(daemon, seconds):
    """Processor time for each run over a time."""
    def runs():
        return sum(float(line.rsplit(" ", 1)[1]) for line in daemon.get("/metrics").splitlines()
                   if line.startswith("vitald_check_runs_total{"))

    ran, cpu = runs(), gauge.cpu_us(daemon.pid)
    time.sleep(seconds)
    cpu = gauge.cpu_us(daemon.pid) - cpu
    return cpu / max(1, runs() - ran)


def _watched(stage, checks, every, seconds):
    with stage.daemon([{**check, "every": f"{every * 1000:g}ms", "timeout": f"{min(every, 5) * 1000:g}ms"} for check in checks]) as daemon:
        time.sleep(1.5)
        return _microseconds(daemon, seconds)


def cost(stage, plan):
    """All of them together, ten times as often as the aim says; then each kind alone, twenty checks of it."""
    all_of_them = list(CHECKS.values())
    mean = _watched(stage, all_of_them, EVERY / 10, 3 * plan.cost_s)
    each = {name: _watched(stage, [check] * 20, 0.4, plan.bare_s) for name, check in CHECKS.items()}
    return {"checks": len(all_of_them), "percent": round(mean * len(all_of_them) / EVERY / 1e4, 4), "cpu_us": round(mean, 1),
            "processes": sum(name.isdigit() for name in os.listdir("/proc")),
            "each": {name: round(one, 1) for name, one in each.items()}}
