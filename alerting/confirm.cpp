#include "alerting/confirm.hpp"

#include <algorithm>
#include <tuple>

#include "config/units.hpp"

namespace vitald::alerting {
namespace {

using std::chrono::seconds;

int failures_needed(const CheckRules& rules) { return rules.passive ? 1 : std::max(1, rules.confirm.failures); }
int successes_needed(const CheckRules& rules) { return rules.passive ? 1 : std::max(1, rules.recover.successes); }

/// From the start of the `counted`-th run of a series to the start of the next.
Duration distance(const CheckRules& rules, int counted) {
  const auto& spread = rules.confirm.spread;
  if (spread.empty()) return seconds(5);
  return spread[std::min(static_cast<std::size_t>(counted) - 1, spread.size() - 1)];
}

/// Counts the run when it started late enough; the first of a series always does.
bool count(int& number, Confirming& state, const CheckRules& rules, Steady started) {
  if (number > 0 && started < state.due) return false;
  if (number == 0) state.first = started;
  ++number;
  state.last = started;
  state.due = started + distance(rules, number);
  return true;
}

std::string span_words(int runs, const Confirming& state) {
  if (runs <= 1) return "";
  return std::to_string(runs) + " probes over " + say_duration(state.last - state.first);
}

void decide(Confirming& state, Status level, int runs, ConfirmStep& step) {
  step.by = span_words(runs, state);
  step.decided = true;
  step.run_at.reset();
  state.level = level;
  state.bad = state.critical = state.good = state.lower = 0;
}

void from_ok(Confirming& state, const CheckRules& rules, Status verdict, const Now& started, ConfirmStep& step) {
  if (verdict == Status::ok) {
    state.bad = state.critical = 0;
    return;
  }
  if (verdict == Status::warning) state.critical = 0;
  if (state.bad == 0) state.opened = started.wall;
  step.run_at = state.due;
  if (!count(state.bad, state, rules, started.steady)) return;
  if (verdict == Status::critical) ++state.critical;
  step.run_at = state.due;
  const int needed = failures_needed(rules);
  if (state.critical >= needed) return decide(state, Status::critical, state.critical, step);
  if (state.bad >= needed) decide(state, Status::warning, state.bad, step);
}

void from_warning(Confirming& state, const CheckRules& rules, Status verdict, const Now& started, ConfirmStep& step) {
  if (verdict == Status::warning) {
    state.critical = state.good = 0;
    return;
  }
  const bool rises = verdict == Status::critical;
  int& number = rises ? state.critical : state.good;
  (rises ? state.good : state.critical) = 0;
  count(number, state, rules, started.steady);
  step.run_at = state.due;
  if (rises && number >= failures_needed(rules)) return decide(state, Status::critical, number, step);
  if (!rises && number >= successes_needed(rules)) decide(state, Status::ok, number, step);
}

void from_critical(Confirming& state, const CheckRules& rules, Status verdict, const Now& started, ConfirmStep& step) {
  if (verdict == Status::critical) {
    state.good = state.lower = 0;
    return;
  }
  const bool fine = verdict == Status::ok;
  if (!fine) state.good = 0;
  const bool counted = count(fine ? state.good : state.lower, state, rules, started.steady);
  if (fine && counted) ++state.lower;
  step.run_at = state.due;
  const int needed = successes_needed(rules);
  if (state.good >= needed) return decide(state, Status::ok, state.good, step);
  // Only a warning confirms the fall to warning: after one warning and one ok the next ok ends the incident instead.
  if (!fine && state.lower >= needed) decide(state, Status::warning, state.lower, step);
}

}  // namespace

std::optional<Confirmation> confirmation_preset(std::string_view name) {
  if (name == "fast") return Confirmation{.failures = 4, .spread = {seconds(2), seconds(4), seconds(8)}};
  if (name == "calm") return Confirmation{.failures = 4, .spread = {seconds(5), seconds(10), seconds(15)}};
  return std::nullopt;
}

Duration confirmation_span(const CheckRules& rules) {
  Duration span{};
  for (int counted = 1; counted < failures_needed(rules); ++counted) span += distance(rules, counted);
  return span;
}

ConfirmStep confirm(Confirming& state, const CheckRules& rules, Status verdict, const Now& started) {
  ConfirmStep step;
  if (verdict == Status::unknown) {
    // The re-probe was used up without an answer. Another one follows, but not for ever: a check that runs every hour
    // must not be run every 15 seconds because vitald cannot measure.
    if (state.undecided() && ++state.unmeasured <= failures_needed(rules)) {
      step.run_at = std::max(state.due, started.steady + distance(rules, 1));
    }
    return step;
  }
  state.unmeasured = 0;
  const auto before = std::tuple(state.bad, state.critical, state.good, state.lower);
  switch (state.level) {
    case Status::ok:
      from_ok(state, rules, verdict, started, step);
      break;
    case Status::warning:
      from_warning(state, rules, verdict, started, step);
      break;
    case Status::critical:
    case Status::unknown:
      from_critical(state, rules, verdict, started, step);
      break;
  }
  step.counted = before != std::tuple(state.bad, state.critical, state.good, state.lower);
  return step;
}

Progress progress(const Confirming& state, const CheckRules& rules) {
  if (state.good > 0) return {state.good, successes_needed(rules)};
  if (state.lower > 0) return {state.lower, successes_needed(rules)};
  const int bad = state.level == Status::ok ? state.bad : state.critical;
  if (bad > 0) return {bad, failures_needed(rules)};
  return {};
}

}  // namespace vitald::alerting
