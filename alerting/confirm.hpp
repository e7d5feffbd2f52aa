// The confirm stage: how many runs in a row, and how far apart, it takes until a level counts.
//
// A bad verdict is counted when its run started no earlier than the next step is due; a regular run in between may end
// the series but does not lengthen it, so that a short burst of loss is not counted twice. Recovery and a fall from
// critical to warning are confirmed the same way, by `recover.successes`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "alerting/rules.hpp"

namespace vitald::alerting {

/// `fast` (4 failures over 14 s) or `calm` (4 failures over 30 s); docs/decisions/0005 has the measurements.
std::optional<Confirmation> confirmation_preset(std::string_view name);

struct Confirming {
  Status level = Status::ok;  // confirmed: ok, warning or critical
  int bad = 0, critical = 0;  // counted in a row: at least warning, critical
  int good = 0, lower = 0;    // counted in a row: ok, less than critical
  int unmeasured = 0;         // in a row, while something is being confirmed
  Steady due{};               // a run that started before this does not count
  Steady first{}, last{};     // when the first and the latest counted run started
  Wall opened{};              // when the first bad run of this series, or of the confirmed level, started

  bool undecided() const { return bad + critical + good + lower > 0; }
};

struct ConfirmStep {
  bool counted = false;               // some count differs from before
  bool decided = false;               // `level` differs from before
  std::optional<Steady> run_at = {};  // the check should run again then
  std::string by = {};                // when decided: "4 probes over 30 s", or ""
};

/// `verdict` is the run's level: ok, warning or critical; unknown changes no count.
ConfirmStep confirm(Confirming& state, const CheckRules& rules, Status verdict, const Now& started);

/// From the first bad run to the last that it takes, as far as the distances decide it; zero where one run is enough.
Duration confirmation_span(const CheckRules& rules);

/// How far the current series has come: "2 of 4"; 0 of 0 when nothing is being confirmed.
struct Progress {
  int seen = 0, needed = 0;
};
Progress progress(const Confirming& state, const CheckRules& rules);

}  // namespace vitald::alerting
