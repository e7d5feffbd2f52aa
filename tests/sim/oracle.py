#!/usr/bin/env python3
"""Judges journals of simulated worlds (SIM_LOG) from what was true and what receivers took, and from nothing else.

usage: tests/sim/oracle.py [--storm] JOURNAL...

It has its own idea of what a good monitor does and shares no line with the engine: a journal says how targets, networks
and receivers fared, when the daemon was dead, what the configuration was, and what receivers took. --storm also holds
every receiver to 5 messages in any minute and 20 in any hour. Exit status 1 when something is wrong.
"""

import bisect
import fnmatch
import json
import sys
from collections import Counter, defaultdict

FOREVER = float("inf")
RAISES = ("problem", "escalation")
PROBE = 2.0  # seconds that one run may take
CAUSE = 3 * 60 + 20.0  # how long a check may wait for what it depends on to be judged
STORM = "further checks"  # what a message is about that tells of many at once
GATHERS = 2 * 60.0  # before it does


class Spans:
    """Times at which something is so: sorted spans that do not touch."""

    def __init__(self, pairs=()):
        self.pairs = []
        for begin, end in sorted(pair for pair in pairs if pair[0] < pair[1]):
            if self.pairs and begin <= self.pairs[-1][1]:
                self.pairs[-1][1] = max(end, self.pairs[-1][1])
            else:
                self.pairs.append([begin, end])

    def __or__(self, other):
        return Spans(tuple(pair) for pair in self.pairs + other.pairs)

    def within(self, begin, end):
        first = max(bisect.bisect_right(self.pairs, [begin, FOREVER]) - 1, 0)
        for a, b in self.pairs[first:]:
            if a >= end:
                return
            if b > begin:
                yield max(a, begin), min(b, end)

    def __sub__(self, other):
        left = []
        for begin, end in self.pairs:
            for a, b in other.within(begin, end):
                left.append((begin, a))
                begin = b
            left.append((begin, end))
        return Spans(left)

    def touches(self, begin, end):
        return next(self.within(begin, end), None) is not None

    def covers(self, begin, end):
        return next(self.within(begin, end), None) == (begin, end)


class Switch:
    """Something that has one value at a time."""

    def __init__(self):
        self.times, self.values = [], []

    def set(self, t, value):
        self.times.append(t)
        self.values.append(value)

    def at(self, t):
        index = bisect.bisect_right(self.times, t) - 1
        return self.values[index] if index >= 0 else None

    def spans(self, *wanted):
        ends = self.times[1:] + [FOREVER]
        return Spans((begin, end) for begin, end, value in zip(self.times, ends, self.values) if value in wanted)


class Check:
    """One check through all its names."""

    def __init__(self):
        self.rules, self.condition, self.network = Switch(), Switch(), None
        self.happened = []
        self.cut = None  # spans, once asked for


class World:
    def __init__(self, lines):
        self.checks, self.names = [], {}
        self.networks, self.moods = defaultdict(Switch), defaultdict(Switch)
        self.alive, self.clock = Switch(), Switch()
        self.configs, self.taken, self.deaths, self.mutings, self.answers = [], [], [], [], []
        self.end = 0.0
        for line in lines:
            one = json.loads(line)
            self.end = one["t"]
            getattr(self, "_" + one["kind"])(one["t"], one)
        self.clock_was_set = len(self.clock.times) > 1

    def _config(self, t, one):
        present = set()
        for rules in one["checks"]:
            check = self.names.get(rules["name"]) or self.names.get(rules["was"])
            if check is None:
                check = Check()
                self.checks.append(check)
            self.names[rules["name"]] = check
            present.add(check)
            if check.rules.at(t) != rules:
                check.rules.set(t, rules)
        for check in self.checks:
            if check not in present and check.rules.at(t) is not None:
                check.rules.set(t, None)
        self.configs.append((t, one["receivers"], one["routes"]))
        self.mutings += [(window["checks"], begin, end) for window in one["windows"] for begin, end in window["spans"]]

    def _silence(self, t, one):
        self.mutings.append((one["checks"], t, t + one["lasts"]))

    def _member(self, t, one):
        check = self.names[one["check"]]
        check.network = one["network"]
        if not check.condition.times:
            check.condition.set(t, one["condition"])

    def _target(self, t, one):
        self.names[one["check"]].condition.set(t, one["condition"])

    def _network(self, t, one):
        self.networks[one["network"]].set(t, one["cut"])

    def _event(self, t, one):
        self.names[one["check"]].happened.append(t)

    def _daemon(self, t, one):
        self.alive.set(t, one["alive"])
        if not one["alive"]:
            self.deaths.append(t)

    def _mood(self, t, one):
        self.moods[one["receiver"]].set(t, one["mood"])

    def _clock(self, t, one):
        self.clock.set(t, one["ahead"])

    def _taken(self, t, one):
        self.taken.append(one)

    def _acknowledged(self, t, one):
        self.answers.append(t)

    def _end(self, t, one):
        pass

    def passed(self, wall):
        """The time that had passed when the clock showed this; only where nobody set it."""
        return wall - self.clock.values[0]

    def muted(self, check):
        """When perhaps nothing goes out about it. Where the clock was set, windows are where it put them."""
        names = {rules["name"] for rules in check.rules.values if rules}
        return Spans((begin, FOREVER if self.clock_was_set else end) for pattern, begin, end in self.mutings
                     if any(fnmatch.fnmatchcase(name, pattern) for name in names))

    def parents(self, check):
        return {self.names[name] for rules in check.rules.values if rules for name in rules["depends_on"]}

    def above(self, check):
        found, queue = set(), [check]
        while queue:
            for parent in self.parents(queue.pop()) - found:
                found.add(parent)
                queue.append(parent)
        return found

    def cut(self, check):
        """Nothing reaches it: its part of the network is cut off, or something that it depends on is down."""
        if check.cut is None:
            check.cut = self.networks[check.network].spans(True)
            ends = check.rules.times[1:] + [FOREVER]
            for begin, end, rules in zip(check.rules.times, ends, check.rules.values):
                for name in rules["depends_on"] if rules else ():
                    parent = self.names[name]
                    away = parent.condition.spans("down") | self.cut(parent)
                    check.cut = check.cut | Spans(away.within(begin, end))
        return check.cut

    def away(self, check):
        return (check.condition.spans("down") | self.cut(check)) - check.condition.spans("unmeasurable")

    def perhaps_bad(self, check):
        held = Spans((t, t + max(rules["hold"] for rules in check.rules.values if rules)) for t in check.happened)
        return self.cut(check) | check.condition.spans("down", "slow", "flapping", "lossy") | held


def detection_bound(rules):
    spread = [rules["spread"][min(step, len(rules["spread"]) - 1)] for step in range(rules["failures"] - 1)]
    return rules["every"] + sum(spread) + rules["failures"] * PROBE + 10


class Oracle:
    def __init__(self, lines, storm=False):
        self.world = World(lines)
        self.wrong = []
        self.outages = 0
        self.delays = []  # seconds from an outage to the decision to tell
        self.by_incident = defaultdict(list)
        for message in self.world.taken:
            self.by_incident[message["incident"]].append(message)
        last = self.world.configs[-1][1]
        self.stays = {name for name in last}  # receivers that were never removed
        self.identity()
        self.order_and_repeats()
        self.ends()
        self.truth()
        self.nothing_missed()
        if storm and not self.world.clock_was_set:  # it is about when messages were decided
            self.storm_bound()

    def say(self, rule, text):
        self.wrong.append(f"{rule}: {text}")

    def identity(self):
        """R3: one id is one message, one incident is about one check."""
        contents = {}
        for incident, messages in self.by_incident.items():
            about = {self.world.names.get(message["check"], message["check"]) for message in messages}
            if len(about) > 1:
                self.say("R3", f"{incident} is about several checks")
            for message in messages:
                name = (incident, message["sequence"])
                content = (message["receiver"], message["message"], message["decided"], message["summary"])
                if contents.setdefault(name, content) != content:
                    self.say("R3", f"{name} was used for two messages")

    def order_and_repeats(self):
        """R5: no older message after a newer one, a problem first. R4: a crash or a lost answer repeats one, no more."""
        for incident, messages in self.by_incident.items():
            newest, raised = defaultdict(int), set()
            times = defaultdict(list)
            for message in messages:
                receiver, number = message["receiver"], message["sequence"]
                if number < newest[receiver]:
                    self.say("R5", f"{incident}/{number} came to {receiver} after {newest[receiver]}")
                newest[receiver] = max(number, newest[receiver])
                if message["message"] in RAISES:
                    raised.add(receiver)
                if receiver not in raised:
                    self.say("R5", f"{receiver} heard {message['message']} of {incident} before any problem")
                times[receiver, number].append(message["t"])
            for (receiver, number), when in times.items():
                died = sum(1 for t in self.world.deaths if when[0] <= t <= when[-1])
                lost = sum(1 for t in when if self.world.moods[receiver].at(t) == "answer_lost")
                if len(when) - 1 > died + lost:
                    self.say("R4", f"{incident}/{number} came {len(when)} times to {receiver}")

    def ends(self):
        """Who was told hears the end, once, and nothing afterwards."""
        for incident, messages in self.by_incident.items():
            for receiver in {message["receiver"] for message in messages}:
                ended = None
                for message in messages:
                    if message["receiver"] != receiver:
                        continue
                    if ended is not None and message["sequence"] > ended:
                        self.say("R1", f"{receiver} heard of {incident} after its end")
                    if message["message"] == "recovery":
                        ended = message["sequence"]
                own = messages[0]["check"] == "vitald" and "refuses" in messages[0]["summary"]
                if ended is None and receiver in self.stays and not own:
                    self.say("R1", f"{receiver} never heard the end of {incident} ({messages[0]['check']})")

    def truth(self):
        """Each problem has something really bad behind it, each recovery something that is not."""
        if self.world.clock_was_set:
            return
        for message in self.world.taken:
            opened, decided = self.world.passed(message["opened"]), self.world.passed(message["decided"])
            if decided > message["t"] + 1e-3:
                self.say("R2", f"{message['incident']}/{message['sequence']} was taken before it was decided")
            check = self.world.names.get(message["check"])
            if check is None or message["summary"].startswith("unstable"):
                continue
            if message["message"] == "problem" and not self.world.perhaps_bad(check).touches(opened - 0.1, opened + 0.1):
                self.say("R14", f"{message['check']} was said to be bad at {opened:.1f} when it was not")
            rules = check.rules.at(decided + 0.01)  # nothing, where a reload ends it
            of_an_event = self.by_incident[message["incident"]][0]["summary"].startswith("failed jobs")
            if message["message"] == "recovery" and not of_an_event and rules and rules == check.rules.at(decided - 2 * rules["every"] - 60):
                if self.world.away(check).covers(decided - 2 * rules["every"] - 60, decided):
                    self.say("R14", f"{message['check']} was said to be well at {decided:.1f} when it was not")

    def nothing_missed(self):
        """R1 and R7: an outage longer than it takes to notice was told, by its own incident or by its cause's."""
        told = defaultdict(list)  # check: (problem decided, recovery decided, receiver)
        for messages in self.by_incident.values():
            check = self.world.names.get(messages[0]["check"], messages[0]["check"])
            raised = [self.when(message) for message in messages if message["message"] in RAISES]
            ended = [self.when(message) for message in messages if message["message"] == "recovery"]
            if raised:
                told[check].append((min(raised), max(ended, default=FOREVER)))
        still = [(t, value) for t, value in zip(self.world.alive.times, self.world.alive.values)]
        for check in self.world.checks:
            family = [check, *self.world.above(check)]
            muted = Spans(tuple(pair) for one in family for pair in self.world.muted(one).pairs)
            breaks = {t for one in family for t in one.rules.times} | {t for t, _, _ in self.world.configs}
            breaks |= {t for pair in muted.pairs for t in pair if t < self.world.end}
            breaks = sorted(breaks | {t for t, _ in still} | {0.0, self.world.end})
            for whole in self.world.away(check).pairs:
                for begin, end in zip(breaks, breaks[1:]):
                    if not muted.touches(begin, end):
                        self.one_outage(check, family, told, whole, max(begin, whole[0]), min(end, whole[1]))

    def when(self, message):
        return message["t"] if self.world.clock_was_set else self.world.passed(message["decided"])

    def one_outage(self, check, family, told, whole, begin, end):
        """Nothing changes in this part of an outage but the world."""
        rules = check.rules.at(begin)
        if rules is None or not self.world.alive.at(begin):
            return
        bound = detection_bound(rules)
        if rules["depends_on"]:
            bound += max(CAUSE, bound)
        if end - begin < bound or not self.reaches_somebody(begin):
            return
        self.outages += 1
        latest = FOREVER if self.world.clock_was_set else begin + bound
        found = [raised for one in family for raised, ended in told[one] if raised <= latest and ended > begin]
        among = [raised for raised, ended in told[STORM] if raised <= latest + GATHERS and ended > begin]
        if not found and not among:
            self.say("R1", f"an outage of {rules['name']} from {begin:.0f} to {end:.0f} was told to nobody")
        own = [raised for raised, ended in told[check] if begin <= raised <= latest]
        if own and begin == whole[0] and not self.world.clock_was_set and not rules["depends_on"]:
            self.delays.append(min(own) - begin)

    def reaches_somebody(self, t):
        """Every receiver that may be told at once stays configured until the end."""
        index = bisect.bisect_right([config[0] for config in self.world.configs], t) - 1
        return all(receiver in self.stays for route in self.world.configs[index][2] for receiver in route)

    def storm_bound(self):
        """R11: at most 5 messages in a minute and 20 in an hour to each receiver, by when they were decided. Not counted:
        recoveries of what was told before, answers to an acknowledgement, vitald's own troubles, repeats."""
        decided = defaultdict(dict)
        for incident, messages in self.by_incident.items():
            first = {message["receiver"]: self.when(message) for message in reversed(messages)}
            for message in messages:
                when = self.when(message)
                answer = message["message"] != "problem" and any(-0.01 < when - t < 1 for t in self.world.answers)
                if answer or message["check"] == "vitald":
                    continue
                since = first[message["receiver"]] if message["message"] == "recovery" else when
                decided[message["receiver"]][incident, message["sequence"]] = (when, since)
        for receiver, messages in decided.items():
            for most, span in ((5, 60), (20, 3600)):
                for end, _ in messages.values():
                    if sum(1 for when, since in messages.values() if end - span < since and when <= end) > most:
                        self.say("R11", f"{receiver} was told more than {most} times in {span} s until {end:.0f}")
                        break


def share(values, part):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else float("nan")


def main(arguments):
    storm = "--storm" in arguments
    journals = [argument for argument in arguments if argument != "--storm"]
    if not journals:
        sys.exit(__doc__)
    total, delays, failed = Counter(), [], 0
    for path in journals:
        with open(path, encoding="utf-8") as lines:
            judged = Oracle(lines, storm)
        for what in judged.wrong:
            print(f"{path}: {what}")
        failed += bool(judged.wrong)
        delays += judged.delays
        total.update(messages=len(judged.world.taken), outages=judged.outages, deaths=len(judged.world.deaths))
    print(f"{len(journals)} worlds, {failed} wrong; {total['messages']} messages, {total['deaths']} deaths of the daemon, "
          f"{total['outages']} outages that had to be told; detection p50 {share(delays, 0.5):.0f} s, "
          f"p99 {share(delays, 0.99):.0f} s of {len(delays)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
