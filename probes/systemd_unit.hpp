// One unit as systemd describes it: out of its properties, and in words. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/now.hpp"
#include "probes/systemd_bus.hpp"

namespace vitald::probes::systemd {

/// Of a .timer unit.
struct Timer {
  std::string triggers;      // the unit that it starts
  std::optional<Wall> last;  // when it last did, as far as systemd knows
  std::optional<Wall> next;  // by the calendar; an interval's next time has no date
  bool repeats = false;      // by a calendar or after each run of its unit; not once after the boot alone
  Duration slack{};          // how much later than `next` it may start it (AccuracySec, RandomizedDelaySec)

  friend bool operator==(const Timer&, const Timer&) = default;
};

struct UnitState {
  std::string name;
  std::string load;    // loaded, not-found, bad-setting, error, masked
  std::string active;  // active, reloading, inactive, failed, activating, deactivating, maintenance
  std::string sub;     // running, dead, auto-restart, elapsed, …
  std::string result;  // success, exit-code, signal, …; "" for kinds of unit that have none
  std::string load_error;
  std::string status;                     // what a service says of itself (STATUS=)
  bool oneshot = false;                   // runs and ends; being inactive is its normal state
  bool changed_on_disk = false;           // and not reloaded
  int exit_code = 0;                      // CLD_EXITED and its like; 0: its main process runs, or never did
  int exit_status = 0;                    // of the process, or the number of the signal
  std::optional<Wall> since;              // in this state
  std::optional<Wall> started;            // active since
  std::optional<Wall> starting;           // left the inactive state, or lost the active one, last
  std::optional<Wall> ended;              // when its main process last ended
  std::optional<std::uint64_t> restarts;  // by systemd on its own, since somebody last started it
  std::optional<std::uint64_t> memory, memory_most, tasks, tasks_most;
  std::optional<Timer> timer;

  friend bool operator==(const UnitState&, const UnitState&) = default;
};

/// `asked` stands for the name where systemd does not tell one.
UnitState read_unit(const std::string& asked, const Properties& properties);

/// When a calendar's time came and went without the timer starting its unit: it was in the book at an earlier run,
/// since systemd forgets a time as soon as it computes the next.
struct TimerBook {
  std::optional<Wall> missed;  // this one
  std::optional<Wall> due;     // what to look out for at the next run
};
TimerBook keep_book(const Timer& timer, std::optional<Wall> due, Wall now);

bool is_up(const UnitState& unit);              // active, reloading
bool waits_for_restart(const UnitState& unit);  // ended, and systemd will start it again

/// How it ended: "exit code 1 (exit-code)", "killed by SIGKILL (signal)", "took too long to start or stop (timeout)".
std::string say_end(const UnitState& unit);
/// "active (running) for 3 d 4 h".
std::string say_state(const UnitState& unit, Wall now);
/// "2026-11-28 02:00:00 UTC, 15 h ago", "02:00:00 UTC, in 9 h".
std::string say_when(Wall at, Wall now);

}  // namespace vitald::probes::systemd
