"""Reads what a process costs from /proc and perf or strace, and what arrived when from the target's log."""

import os
import re
import shutil
import signal
import statistics
import struct
import subprocess
import time
from collections import defaultdict

REQUEST, HOOK, FAIL_SENT, OK_SENT = 1, 2, 3, 4
RECORD = struct.Struct("=QII")


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def family(pid):
    """The process and its children: the daemon keeps a helper process for what could block."""
    children = [int(word) for word in _read(f"/proc/{pid}/task/{pid}/children").split()]
    return [pid] + [one for child in children for one in family(child)]


def own_cpu_us(pid):
    """Processor time of all threads of one process, also of those that have ended, by the process's own clock: to the
    nanosecond, where ticks would be 10 ms. The clock's number is made as clock_getcpuclockid(3) makes it."""
    return time.clock_gettime_ns((~pid << 3) | 2) / 1000


def cpu_us(pid):
    """The same with the process's children."""
    return sum(own_cpu_us(one) for one in family(pid))


def wake_ups(pid):
    total = 0
    for one in family(pid):
        for thread in os.listdir(f"/proc/{one}/task"):
            found = re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", _read(f"/proc/{one}/task/{thread}/status"))
            total += int(found.group(1)) if found else 0
    return total


def memory(pid):
    """In MB, the helper process included: resident; private to it; and of that what it wrote, since pages of the program
    count as private only while no second daemon runs."""
    rss = private = dirty = 0
    for one in family(pid):
        for line in _read(f"/proc/{one}/smaps_rollup").splitlines():
            name, _, size = line.partition(":")
            if name == "Rss":
                rss += int(size.split()[0])
            if name.startswith("Private_") and name != "Private_Hugetlb":
                private += int(size.split()[0])
            if name == "Private_Dirty":
                dirty += int(size.split()[0])
    sizes = {"rss_mb": rss, "private_mb": private, "dirty_mb": dirty}
    return {name: round(size / 1024, 1) for name, size in sizes.items()}


def calls(pid, seconds):
    """System calls for each new connection, and of what kind where strace had to tell."""
    if shutil.which("perf"):
        counted = _calls_by_perf(pid, seconds)
        if counted:
            return counted
    return calls_by_strace(pid, seconds)


def _calls_by_perf(pid, seconds):
    events = "raw_syscalls:sys_enter,syscalls:sys_enter_socket"
    done = subprocess.run(["perf", "stat", "-x", ",", "-e", events, "-p", str(pid), "--", "sleep", str(seconds)],
                          capture_output=True, text=True)
    found = {line.split(",")[2]: line.split(",")[0] for line in done.stderr.splitlines() if line.count(",") > 2}
    total, sockets = found.get("raw_syscalls:sys_enter", ""), found.get("syscalls:sys_enter_socket", "")
    if not (total.isdigit() and sockets.isdigit() and int(sockets) > 0):
        return None
    return {"by": "perf", "calls": int(total) / int(sockets)}


def calls_by_strace(pid, seconds):
    if not shutil.which("strace"):
        return {"by": "nothing", "calls": None}
    tracer = subprocess.Popen(["strace", "-c", "-f", "-q", "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    tracer.send_signal(signal.SIGINT)
    _, table = tracer.communicate(timeout=30)
    counts = {}
    for line in table.splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit():
            counts[words[-1]] = int(words[3])
    counts.pop("total", None)
    sockets = counts.get("socket", 0)
    if sockets == 0:
        return {"by": "strace", "calls": None}
    each = {name: round(count / sockets, 2) for name, count in sorted(counts.items(), key=lambda item: -item[1])}
    return {"by": "strace", "calls": sum(counts.values()) / sockets, "each": each}


def share(values, part):
    """The value below which `part` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else None


def records(log, since, until):
    """The log's records of a time, in seconds."""
    with open(log, "rb") as file:
        raw = file.read()
    for at_ns, number, event in RECORD.iter_unpack(raw[: len(raw) // RECORD.size * RECORD.size]):
        at = at_ns / 1e9
        if since <= at <= until:
            yield at, number, event


def jitter(log, every, since, until, wanted=lambda number: True):
    """How far each interval between two runs of a check, as the target saw them, is from the one that was asked for."""
    arrivals = defaultdict(list)
    for at, number, event in records(log, since, until):
        if event == REQUEST and wanted(number):
            arrivals[number].append(at)
    off, missed = [], 0
    for times in arrivals.values():
        for before, after in zip(times, times[1:]):
            slots = max(1, round((after - before) / every))
            missed += slots - 1
            off.append(abs(after - before - slots * every) * 1000)
    if not off:
        return {"checks": len(arrivals), "intervals": 0}
    return {"checks": len(arrivals), "intervals": len(off), "missed": missed, "p50_ms": round(statistics.median(off), 3),
            "p99_ms": round(share(off, 0.99), 3), "max_ms": round(max(off), 3)}


def delays_to_webhook(log, since, until):
    """Milliseconds from the answer that settled it to the first byte of the message that tells of it."""
    settled, seen = {}, []
    last = {}
    for at, number, event in records(log, since, until):
        if event in (FAIL_SENT, OK_SENT):
            if last.get(number, event) != event:
                settled[number] = at
            last[number] = event
        if event == HOOK and number in settled:
            seen.append((at - settled.pop(number)) * 1000)
    return seen


def fdatasync_ms(folder, times):
    """The median time that this disk takes to make 4 KiB safe."""
    took = []
    with open(os.path.join(folder, "sync"), "wb") as file:
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    return {"median_ms": round(statistics.median(took), 3), "p99_ms": round(share(took, 0.99), 3)}


def buckets(metrics, name):
    """Counts of a histogram by upper bound, not cumulated."""
    found = re.findall(rf'^{name}_bucket{{le="([^"]+)"}} (\S+)$', metrics, re.M)
    counts, before = {}, 0.0
    for bound, count in found:
        counts[float(bound.replace("+Inf", "inf"))] = float(count) - before
        before = float(count)
    return counts


def highest(after, before):
    """The bound in ms below which everything lies that was added between two readings of a histogram."""
    added = [bound for bound, count in after.items() if count > before.get(bound, 0)]
    return max(added) * 1000 if added else None
