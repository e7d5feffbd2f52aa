#include "probes/systemd_unit.hpp"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <chrono>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes::systemd {
namespace {

/// systemd's word for "not known" and "no limit"; also for a time that never comes.
constexpr std::uint64_t nothing = UINT64_MAX;
constexpr std::uint64_t latest = 4'102'444'800'000'000;  // the year 2100; Wall's nanoseconds end in 2262

std::optional<Wall> moment(const Properties& properties, std::string_view name) {
  const std::uint64_t microseconds = properties.number(name);
  if (microseconds == 0 || microseconds > latest) return std::nullopt;
  return Wall{std::chrono::microseconds(microseconds)};
}

std::optional<std::uint64_t> figure(const Properties& properties, const std::string& name) {
  const auto found = properties.numbers.find(name);
  if (found == properties.numbers.end() || found->second == nothing) return std::nullopt;
  return found->second;
}

std::optional<Wall> later(std::optional<Wall> one, std::optional<Wall> other) {
  return one && other ? std::max(one, other) : one ? one : other;
}

Timer read_timer(const Properties& properties) {
  Timer timer;
  timer.triggers = properties.text("Unit");
  timer.last = moment(properties, "LastTriggerUSec");
  timer.next = moment(properties, "NextElapseUSecRealtime");
  const std::string intervals = properties.text("TimersMonotonic");
  timer.repeats = !properties.text("TimersCalendar").empty() || intervals.find("OnUnit") != std::string::npos;
  const auto day = std::uint64_t{24} * 3600 * 1'000'000;
  const std::uint64_t slack =
      std::min(properties.number("AccuracyUSec"), day) + std::min(properties.number("RandomizedDelayUSec"), 30 * day);
  timer.slack = std::chrono::microseconds(slack);
  return timer;
}

/// systemd's own exit codes, for what went wrong before the program itself ran (systemd.exec(5)).
std::string_view own_exit_code(int status) {
  switch (status) {
    case 200:
      return ": its working directory cannot be entered";
    case 203:
      return ": its program cannot be executed";
    case 216:
      return ": its group does not exist";
    case 217:
      return ": its user does not exist";
    case 226:
      return ": its file system namespace cannot be set up";
    case 243:
      return ": its credentials cannot be read";
    default:
      return "";
  }
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name == nullptr ? "signal " + std::to_string(number) : "SIG" + std::string(name);
}

std::string say_process_end(const UnitState& unit) {
  if (unit.exit_code == CLD_KILLED) return "killed by " + signal_name(unit.exit_status);
  if (unit.exit_code == CLD_DUMPED) return "crashed with " + signal_name(unit.exit_status);
  if (unit.exit_code != CLD_EXITED) return "";
  return "exit code " + std::to_string(unit.exit_status) + std::string(own_exit_code(unit.exit_status));
}

/// For results that a process's own end does not explain.
std::string_view say_result(std::string_view result) {
  if (result == "timeout") return "took too long to start or to stop";
  if (result == "watchdog") return "did not report to the watchdog in time";
  if (result == "start-limit-hit") return "ended so often that systemd gave up";
  if (result == "oom-kill") return "killed because memory ran out";
  if (result == "protocol") return "did not do what its Type= promises";
  if (result == "resources") return "systemd could not set it up";
  return "";
}

}  // namespace

UnitState read_unit(const std::string& asked, const Properties& properties) {
  UnitState unit;
  unit.name = properties.text("Id").empty() ? asked : properties.text("Id");
  unit.load = properties.text("LoadState");
  unit.active = properties.text("ActiveState");
  unit.sub = properties.text("SubState");
  unit.result = properties.text("Result");
  unit.load_error = properties.text("LoadError");
  unit.status = properties.text("StatusText");
  unit.changed_on_disk = properties.number("NeedDaemonReload") != 0;
  unit.oneshot = properties.text("Type") == "oneshot" && properties.number("RemainAfterExit") == 0;
  unit.exit_code = static_cast<int>(properties.number("ExecMainCode"));
  unit.exit_status = static_cast<int>(properties.number("ExecMainStatus"));
  unit.since = moment(properties, "StateChangeTimestamp");
  unit.started = moment(properties, "ActiveEnterTimestamp");
  unit.starting = later(moment(properties, "InactiveExitTimestamp"), moment(properties, "ActiveExitTimestamp"));
  unit.ended = moment(properties, "ExecMainExitTimestamp");
  unit.restarts = figure(properties, "NRestarts");
  unit.memory = figure(properties, "MemoryCurrent");
  unit.memory_most = figure(properties, "MemoryMax");
  unit.tasks = figure(properties, "TasksCurrent");
  unit.tasks_most = figure(properties, "TasksMax");
  if (unit.name.ends_with(".timer")) unit.timer = read_timer(properties);
  return unit;
}

TimerBook keep_book(const Timer& timer, std::optional<Wall> due, Wall now) {
  const bool came = due && *due <= now;
  const bool done = came && timer.last && *timer.last >= *due - std::chrono::seconds(1);
  // One that is stopped has no next time; the one in the book stands until it came.
  if (!came) return {.missed = {}, .due = timer.next ? timer.next : due};
  if (done) return {.missed = {}, .due = timer.next};
  const bool may_still_come = now <= *due + timer.slack || (timer.next && *timer.next <= now);
  if (may_still_come) return {.missed = {}, .due = due};
  return {.missed = due, .due = timer.next};
}

bool is_up(const UnitState& unit) { return unit.active == "active" || unit.active == "reloading"; }

bool waits_for_restart(const UnitState& unit) { return unit.sub.starts_with("auto-restart"); }

std::string say_end(const UnitState& unit) {
  const std::string process = say_process_end(unit);
  const std::string_view explained = say_result(unit.result);
  const std::string words = explained.empty() ? process : std::string(explained);
  if (unit.result.empty()) return words;
  return words.empty() ? foreign_text(unit.result) : words + " (" + foreign_text(unit.result) + ")";
}

std::string say_state(const UnitState& unit, Wall now) {
  std::string text = foreign_text(unit.active) + " (" + foreign_text(unit.sub) + ")";
  const std::optional<Wall> since = is_up(unit) && unit.started ? unit.started : unit.since;
  if (since && *since <= now) text += " for " + say_duration(now - *since);
  return text;
}

std::string say_when(Wall at, Wall now) {
  const Duration distance = at > now ? at - now : now - at;
  const std::string text = say_time(at, distance > std::chrono::hours(12)) + ", ";
  return at > now ? text + "in " + say_duration(distance) : text + say_duration(distance) + " ago";
}

}  // namespace vitald::probes::systemd
