"""The measurements. Each takes the stage and the plan (how long, how often) and returns plain values for the report."""

import statistics
import threading
import time

import gauge

# What shared hosts do to one run they do to its neighbours: every figure stands beside a bare loop's of the same minute.


def _middle(values):
    return round(statistics.median(values), 2)


def _done(stage, kind):
    return stage.stats()[{"http": "requests", "tcp": "accepts", "tls": "handshakes"}[kind]]


def _window(stage, daemon, kind, seconds):
    """Processor microseconds for each run over a time, and how many ran."""
    runs, cpu = _done(stage, kind), gauge.cpu_us(daemon.pid)
    time.sleep(seconds)
    cpu, runs = gauge.cpu_us(daemon.pid) - cpu, _done(stage, kind) - runs
    return {"cpu_us": cpu / max(1, runs), "rate": runs / seconds}


def cost(stage, plan, kind, rate, count):
    """`count` checks at `rate` a second in all, beside the bare loop at the same pace, before and after."""
    rounds = []
    for number in range(plan.rounds):
        bare = [stage.bare(kind, rate, plan.bare_s)]
        with stage.daemon([stage.check(kind, i, count / rate) for i in range(count)]) as daemon:
            time.sleep(count / 1000 + 1)  # first runs are ramped, a thousand a second
            mine = _window(stage, daemon, kind, plan.cost_s)
            if number == 0:
                counted = gauge.calls(daemon.pid, plan.calls_s)
        bare.append(stage.bare(kind, rate, plan.bare_s))
        limit = statistics.mean(one["cpu_us"] for one in bare)
        rounds.append((mine["cpu_us"], limit, mine["cpu_us"] / limit, mine["rate"]))
    return {"kind": kind, "rate": _middle([one[3] for one in rounds]), "cpu_us": _middle([one[0] for one in rounds]),
            "bare_us": _middle([one[1] for one in rounds]), "ratio": _middle([one[2] for one in rounds]),
            "calls": counted["calls"] and round(counted["calls"], 1), "bare_calls": round(bare[-1]["calls"], 1),
            "each": counted.get("each")}


def flat_out(stage, plan):
    """More than one core can do: how many a second, and what each costs. Slots that it cannot keep are missed."""
    count, every = 2000, 0.1
    bare = stage.bare("http", 0, 0, plan.flat_out_count)
    with stage.daemon([stage.check("http", i, every) for i in range(count)]) as daemon:
        time.sleep(count / 1000 + 1)
        mine = _window(stage, daemon, "http", plan.cost_s)
    return {"asked": count / every, "rate": round(mine["rate"]), "cpu_us": round(mine["cpu_us"], 2),
            "bare_rate": round(bare["rate"]), "bare_us": bare["cpu_us"], "ratio": round(mine["cpu_us"] / bare["cpu_us"], 2)}


def idle(daemon, seconds):
    """A daemon that has nothing to do: processor time a minute, and how often it wakes."""
    cpu, woken = gauge.cpu_us(daemon.pid), gauge.wake_ups(daemon.pid)
    time.sleep(seconds)
    return {"cpu_ms_a_minute": round((gauge.cpu_us(daemon.pid) - cpu) / 1000 * 60 / seconds, 2),
            "wake_ups_a_second": round((gauge.wake_ups(daemon.pid) - woken) / seconds, 2),
            "seconds_to_start": round(daemon.seconds_to_start, 3)}


def start_idle(stage):
    return stage.daemon([stage.check("http", i, 86400) for i in range(10)])


def _observe(stage, daemon, every, seconds, wanted):
    since = time.time()
    cpu = gauge.cpu_us(daemon.pid)
    time.sleep(seconds)
    cpu = gauge.cpu_us(daemon.pid) - cpu
    stage.control()
    return {**gauge.jitter(stage.log, every, since, time.time(), wanted),
            "cpu_percent": round(cpu / seconds / 1e4, 2), **gauge.memory(daemon.pid)}


def load(stage, plan, count, every):
    """Memory and the steadiness of the schedule with `count` checks: all well, then every second target hanging."""
    stage.control("ok")
    timeout = f"{min(5000, round(every * 1000))}ms"
    checks = [stage.check("http", i, every, timeout=timeout) for i in range(count)]
    window = plan.intervals * every + 0.5
    with stage.daemon(checks) as daemon:
        time.sleep(count / 1000 + 1)  # the first runs come early, a thousand a second; from then on it is slots only
        well = _observe(stage, daemon, every, window, lambda number: True)
        pages = scrapes(daemon, plan)
        stage.control("hang", 1, 2)
        time.sleep(every)
        hanging = _observe(stage, daemon, every, window, lambda number: number % 2 == 0)
        stage.control("ok")
        lag = gauge.buckets(daemon.get("/metrics"), "vitald_schedule_lag_seconds")
    return {"count": count, "every_s": every, "well": well, "hanging": hanging, "scrapes": pages,
            "schedule_lag_below_ms": gauge.highest(lag, {})}


def scrapes(daemon, plan):
    """What a scrape costs, and how long the loop is held up: the checks' own timers tell how late they fired.

    The second is a bound: the loop's lag falls into buckets, and other work makes it late as well, which the same time
    without a scrape shows."""
    text = daemon.get("/metrics")
    series = sum(1 for line in text.splitlines() if line and not line.startswith("#"))
    seconds = max(2.0, plan.scrapes * 0.4)
    at_rest = gauge.buckets(text, "vitald_loop_lag_seconds")
    cpu = gauge.cpu_us(daemon.pid)
    time.sleep(seconds)
    quiet_cpu = gauge.cpu_us(daemon.pid) - cpu
    between = gauge.buckets(daemon.get("/metrics"), "vitald_loop_lag_seconds")

    took = []
    began, cpu = time.monotonic(), gauge.cpu_us(daemon.pid)
    for _ in range(plan.scrapes):
        one = time.monotonic()
        daemon.get("/metrics")
        took.append((time.monotonic() - one) * 1000)
        time.sleep(max(0.0, 0.2 - took[-1] / 1000))
    wall = time.monotonic() - began
    each = (gauge.cpu_us(daemon.pid) - cpu - quiet_cpu * wall / seconds) / plan.scrapes / 1000
    after = gauge.buckets(daemon.get("/metrics"), "vitald_loop_lag_seconds")
    return {"series": series, "bytes": len(text), "cpu_ms": round(each, 2), "took_ms": _middle(took),
            "cpu_ms_per_100k": round(each * 100000 / max(1, series), 1), "lag_below_ms": gauge.highest(after, between),
            "lag_below_ms_without": gauge.highest(between, at_rest)}


def verdict(stage, plan):
    """From the answer that settles a verdict to the first byte of its webhook. One bad run confirms, so that the answer
    and the decision are the same moment; every incident is committed to the disk before its message."""
    count, every = plan.incidents, plan.incident_every
    hook = f"http://127.0.0.1:{stage.ports['http']}/hook"
    rules = {"confirm": {"failures": 1}, "recover": {"successes": 1}}
    more = {"receivers": {"hook": {"webhook": {"url": hook}, "pace": "1ms"}},
            "escalations": {"P2": [{"notify": "hook"}]}}
    stage.control("ok")
    with stage.daemon([stage.check("http", i, every, **rules) for i in range(count)], **more) as daemon:
        time.sleep(count / 1000 + 1)
        disk, since = gauge.fdatasync_ms(daemon.folder, 50), time.time()
        for mode in ("fail", "ok"):
            time.sleep(every)  # a run of each answered as before: what it changes to is then seen to change
            stage.control(mode)
            time.sleep(every + 1)
        stage.control()
        after = gauge.fdatasync_ms(daemon.folder, 50)
        seen = gauge.delays_to_webhook(stage.log, since, time.time())
    sync = round(statistics.mean([disk["median_ms"], after["median_ms"]]), 3)
    if not seen:
        return {"messages": 0, "due": 2 * count, "fdatasync_median_ms": sync}
    return {"messages": len(seen), "due": 2 * count, "p50_ms": _middle(seen), "p99_ms": round(gauge.share(seen, 0.99), 2),
            "max_ms": round(max(seen), 2), "fdatasync_median_ms": sync, "fdatasync_p99_ms": after["p99_ms"]}


class Background:
    """Runs one measurement while others run: an idle daemon needs a long look and disturbs nobody."""

    def __init__(self, work, *arguments):
        self.result = None
        self.thread = threading.Thread(target=self._run, args=(work, arguments))
        self.thread.start()

    def _run(self, work, arguments):
        self.result = work(*arguments)

    def wait(self):
        self.thread.join()
        return self.result
