#include <algorithm>
#include <chrono>
#include <optional>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/remembered.hpp"
#include "probes/systemd.hpp"

namespace vitald::probes::systemd {
namespace {

constexpr std::size_t most_evidence = 8;
constexpr std::size_t most_read = 3;

std::string shown(const std::string& name) { return foreign_text(name, 255); }

/// A unit that systemd has no file for, or may not start. One that runs nevertheless (its file went) counts as it is.
std::optional<ProbeFailure> load_fault(const UnitState& unit) {
  const std::string name = shown(unit.name);
  if (unit.load == "not-found") {
    return wrong("not_found", "there is no unit " + name + " on this host", "see its name: systemctl list-unit-files");
  }
  if (unit.load == "masked") {
    return wrong("masked", name + " is masked: nothing can start it", "run: systemctl unmask " + name);
  }
  if (unit.load == "bad-setting" || unit.load == "error") {
    return wrong("bad_setting", "systemd cannot use the file of " + name + ": " + foreign_text(unit.load_error, 200),
                 "run: systemd-analyze verify " + name);
  }
  return std::nullopt;
}

std::string because(const UnitState& unit) {
  const std::string end = say_end(unit);
  return end.empty() ? "" : ": " + end;
}

ProbeFailure failed_fault(const UnitState& unit) {
  const std::string name = shown(unit.name);
  return wrong("failed", name + " failed" + because(unit), "run: systemctl restart " + name);
}

ProbeFailure restarting_fault(const UnitState& unit) {
  const std::string name = shown(unit.name);
  const std::string times = unit.restarts ? say_count(static_cast<double>(*unit.restarts), "restart") : "restarts";
  return wrong("restarting", name + " ended" + because(unit) + "; it waits to be started again, after " + times,
               "run: journalctl --unit " + name + " --lines 50");
}

std::optional<ProbeFailure> timer_fault(const UnitState& unit) {
  if (!unit.timer || unit.sub != "elapsed" || !unit.timer->repeats) return std::nullopt;
  const std::string name = shown(unit.name);
  return wrong("timer_elapsed",
               name + " is active, but has no next time: it will not start " + shown(unit.timer->triggers) + " again",
               "run: systemctl restart " + name);
}

/// `expect` is for this unit: one that a timer starts need not be active.
std::optional<ProbeFailure> fault_of(const UnitState& unit, Expect expect, Wall now) {
  const std::string name = shown(unit.name);
  const bool runs = is_up(unit) || unit.active == "activating";
  if (expect == Expect::inactive) {
    if (!runs) return std::nullopt;
    return wrong("still_active", name + " is " + say_state(unit, now) + ", but must not run",
                 "run: systemctl disable --now " + name);
  }
  if (waits_for_restart(unit)) return restarting_fault(unit);
  if (unit.active == "failed") return failed_fault(unit);
  if (is_up(unit)) return timer_fault(unit);
  if (unit.active == "activating") return std::nullopt;  // the limits on `starting` say how long that may take
  if (auto fault = load_fault(unit)) return fault;
  if (expect == Expect::not_failed || unit.oneshot) return std::nullopt;
  if (unit.active == "deactivating") {
    return wrong("stopping", name + " is being stopped: " + say_state(unit, now), "run: systemctl status " + name);
  }
  std::string summary = name + " is stopped: " + say_state(unit, now);
  if (unit.timer) summary = name + " is stopped and starts nothing: " + say_state(unit, now);
  return wrong("inactive", summary, "run: systemctl start " + name);
}

const UnitState* triggered_by(const UnitState& unit, const Facts& facts) {
  if (!unit.timer) return nullptr;
  const auto found = facts.triggered.find(unit.timer->triggers);
  return found == facts.triggered.end() ? nullptr : &found->second;
}

std::optional<Wall> remembered_time(const Remembered& memory, const std::string& key) {
  const auto seconds = memory.number(key);
  if (!seconds || *seconds <= 0) return std::nullopt;
  return Wall{length_of(*seconds)};
}

double seconds_of(Duration length) { return std::chrono::duration<double>(length).count(); }
double seconds_between(Wall from, Wall to) { return std::max(0.0, seconds_of(to - from)); }

void add_figure(const UnitState& unit, const char* name, const std::optional<std::uint64_t>& value,
                const std::optional<std::uint64_t>& most, Observation& seen) {
  if (!value) return;
  Sample sample{.name = name, .value = static_cast<double>(*value), .labels = {{"unit", unit.name}}};
  if (most) sample.maximum = static_cast<double>(*most);
  seen.samples.push_back(std::move(sample));
}

void add_length(const UnitState& unit, const char* name, std::optional<Wall> since, Wall now, std::string says,
                Observation& seen) {
  if (!since) return;
  seen.samples.push_back(
      {.name = name, .value = seconds_between(*since, now), .labels = {{"unit", unit.name}}, .says = std::move(says)});
}

void add_start(const UnitState& unit, Wall now, Observation& seen) {
  if (unit.active != "activating" || waits_for_restart(unit) || !unit.starting) return;
  const std::string length = say_duration(std::max(Duration::zero(), Duration(now - *unit.starting)));
  if (unit.oneshot) {
    add_length(unit, "job_runtime", unit.starting, now, shown(unit.name) + " has been running for " + length, seen);
  } else {
    add_length(unit, "starting", unit.starting, now,
               shown(unit.name) + " has been starting for " + length + " (" + foreign_text(unit.sub) + ")", seen);
  }
}

void add_unit(const UnitState& unit, Wall now, Observation& seen) {
  add_figure(unit, "restarts", unit.restarts, {}, seen);
  add_start(unit, now, seen);
  if (is_up(unit)) add_length(unit, "uptime", unit.started, now, "", seen);
  add_figure(unit, "memory", unit.memory, unit.memory_most, seen);
  add_figure(unit, "tasks", unit.tasks, unit.tasks_most, seen);
}

void add_timer(const UnitState& unit, const Facts& facts, Remembered& memory, Observation& seen) {
  if (!unit.timer) return;
  const auto since = unit.timer->last ? unit.timer->last : unit.started;
  const std::string starts = shown(unit.timer->triggers);
  if (since) {
    add_length(unit, "since_trigger", since, facts.now,
               shown(unit.name) + " has not started " + starts + " since " + say_when(*since, facts.now), seen);
  }
  if (const UnitState* triggered = triggered_by(unit, facts)) add_start(*triggered, facts.now, seen);
  const std::string key = "due:" + unit.name;
  const TimerBook book = keep_book(*unit.timer, remembered_time(Remembered::read(facts.remembered), key), facts.now);
  if (book.due) memory.set(key, seconds_of(book.due->time_since_epoch()));
  Sample sample{.name = "missed", .value = book.missed ? 1.0 : 0.0, .labels = {{"unit", unit.name}}};
  if (book.missed) {
    sample.says = shown(unit.name) + " did not start " + starts + " at " + say_when(*book.missed, facts.now);
    seen.evidence.push_back({"missed", sample.says});
  }
  seen.samples.push_back(std::move(sample));
}

std::string describe_timer(const UnitState& unit, Wall now) {
  std::string text = unit.timer->last
                         ? "last started " + shown(unit.timer->triggers) + " at " + say_when(*unit.timer->last, now)
                         : "has not started " + shown(unit.timer->triggers) + " yet";
  if (unit.timer->next) text += "; next time " + say_when(*unit.timer->next, now);
  return text;
}

std::string describe(const UnitState& unit, Wall now) {
  if (unit.timer && is_up(unit)) return describe_timer(unit, now);
  std::string text = say_state(unit, now);
  if (unit.active == "inactive" && unit.oneshot) {
    text = unit.ended ? "last ran until " + say_when(*unit.ended, now) : "has not run since the host came up";
  }
  if (unit.restarts && *unit.restarts > 0) {
    text += ", " + say_count(static_cast<double>(*unit.restarts), "restart");
  }
  if (unit.memory) text += ", " + say_bytes(static_cast<double>(*unit.memory));
  if (!unit.status.empty()) text += ", says: " + foreign_text(unit.status, 120);
  if (unit.changed_on_disk) text += ", its file changed since systemd read it";
  return text;
}

std::string all_well(const Config& config, const Facts& facts) {
  if (config.any_failed) return "no unit has failed";
  if (facts.units.size() != 1)
    return say_count(static_cast<double>(facts.units.size()), "unit") + ", all as they should be";
  return shown(facts.units.front().name) + ": " + describe(facts.units.front(), facts.now);
}

}  // namespace

std::vector<Trouble> find_trouble(const Config& config, const Facts& facts) {
  std::vector<Trouble> found;
  for (const UnitState& unit : facts.units) {
    if (auto fault = fault_of(unit, config.expect, facts.now)) found.push_back({unit.name, *fault});
    const UnitState* triggered = config.expect == Expect::inactive ? nullptr : triggered_by(unit, facts);
    if (triggered == nullptr) continue;
    if (const auto fault = fault_of(*triggered, Expect::not_failed, facts.now)) {
      found.push_back(
          {triggered->name, wrong("triggered_" + fault->reason,
                                  fault->what() + std::string("; ") + shown(unit.name) + " starts it", fault->remedy)});
    }
  }
  for (const std::string& pattern : facts.unmatched) {
    if (config.expect != Expect::active) continue;
    found.push_back({"", wrong("not_found", "no unit of this host matches " + shown(pattern),
                               "see the names: systemctl list-units --all")});
  }
  return found;
}

std::vector<std::string> worth_reading(const Config& config, const Facts& facts) {
  std::vector<std::string> units;
  for (const Trouble& trouble : find_trouble(config, facts)) {
    const bool ran = trouble.fault.reason.ends_with("failed") || trouble.fault.reason.ends_with("restarting") ||
                     trouble.fault.reason == "inactive" || trouble.fault.reason == "stopping";
    if (ran) units.push_back(trouble.unit);
  }
  const Remembered memory = Remembered::read(facts.remembered);
  for (const UnitState& unit : facts.units) {
    const auto before = memory.number("restarts:" + unit.name);
    const bool known = std::find(units.begin(), units.end(), unit.name) != units.end();
    if (before && unit.restarts && static_cast<double>(*unit.restarts) > *before && !known) units.push_back(unit.name);
  }
  if (units.size() > most_read) units.resize(most_read);
  return units;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  Remembered memory;
  for (const UnitState& unit : facts.units) {
    add_unit(unit, facts.now, seen);
    add_timer(unit, facts, memory, seen);
    if (unit.restarts) memory.set("restarts:" + unit.name, static_cast<double>(*unit.restarts));
    if (seen.evidence.size() < most_evidence) seen.evidence.push_back({shown(unit.name), describe(unit, facts.now)});
  }
  if (config.any_failed) {
    seen.samples.clear();  // of units that come and go; the one figure of this check is how many there are
    seen.samples.push_back({.name = "failed", .value = static_cast<double>(facts.units.size() + facts.left_out)});
  }
  seen.memory = memory.written();
  seen.summary = all_well(config, facts);
  Faults faults;
  for (const Trouble& trouble : find_trouble(config, facts)) faults.push_back(trouble.fault);
  blame(faults, seen, most_evidence);
  if (faults.size() > 1)
    seen.summary += ", and " + say_count(static_cast<double>(faults.size() - 1), "other unit") + " in trouble";
  for (const auto& [unit, lines] : facts.journal) seen.evidence.push_back({"journal of " + shown(unit), lines});
  if (facts.left_out > 0) {
    seen.evidence.push_back(
        {"left out", say_count(static_cast<double>(facts.left_out), "unit") + " more than are looked at"});
  }
  return seen;
}

}  // namespace vitald::probes::systemd
