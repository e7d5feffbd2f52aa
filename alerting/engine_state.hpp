// The inside of the engine: its parts, and the stages between them. Shared by engine.cpp, which is the page on which
// the order is read, and engine_adopt.cpp, where a store's snapshot and new rules are taken over.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "alerting/cause.hpp"
#include "alerting/checks.hpp"
#include "alerting/engine.hpp"
#include "alerting/guard.hpp"
#include "alerting/hush.hpp"
#include "alerting/incident.hpp"
#include "alerting/turn.hpp"
#include "alerting/unknown.hpp"

namespace vitald::alerting {

struct Engine::State {
  State(std::shared_ptr<const Rules> first_rules, const std::array<std::uint64_t, 4>& entropy)
      : rules(std::move(first_rules)),
        incidents(IdSource(entropy), hush),
        unknown(incidents),
        causes(checks, incidents, hush),
        guard(checks) {}

  void on(Turn& turn, const Observed& event);
  void on(Turn& turn, const Elapsed& event);
  void on(Turn& turn, const Acknowledged& event);
  void on(Turn& turn, const Delivered& event);
  void on(Turn& turn, const SelfTrouble& event);
  void on(Turn& turn, const SelfRecovered& event);
  void on(Turn& turn, const Reconfigured& event);
  void on(Turn& turn, const Stopping& event);
  void on(Turn& turn, const SilenceAdded& event);
  void on(Turn& turn, const SilenceRemoved& event);

  void measured(Turn& turn, CheckState& check, const Observed& event);
  void not_measured(Turn& turn, CheckState& check, const Observed& event);
  /// It says nothing of the target, since the host is cut off.
  void held_by_guard(Turn& turn, CheckState& check, const Observed& event);
  void remember_probe(Turn& turn, CheckState& check, const Observed& event);
  void count(Turn& turn, CheckState& check, const ConfirmStep& step);
  /// The incident stage: what is confirmed and what events hold, against what was so before. `event` is what brought
  /// the change, or nothing when it was only time.
  void settle(Turn& turn, CheckState& check, Status held, const Observed* event, const std::string& confirmed_by);
  void over(Turn& turn, CheckState& check, const Observed* event);
  /// What a bad run had to show, for the incident that it belongs to or will open.
  void keep_proof(CheckState& check, const Observed& event);
  /// Wakes it when an event lets go of it, or when its wait for a cause ends.
  void wake(const Turn& turn, CheckState& check);

  /// What the store kept, taken over under the rules of today.
  void restore(const Snapshot& snapshot, const Now& now);
  void restore_incidents(const Snapshot& snapshot, const Now& now);
  void join_checks_and_incidents();
  /// Checks that came, went, were renamed or changed, against turn.rules.
  void adopt(Turn& turn);
  void end_without_receiver(Turn& turn, const IncidentId& id, const std::string& receiver);

  /// Time has passed: silences and windows that begin or end with it, and a wall clock that was set.
  void pass(Turn& turn);
  /// What is muted may differ.
  void heed_hush(Turn& turn);
  /// Silences that last until what they match has recovered.
  void look_for_recoveries(Turn& turn);

  /// The records of all that was touched, and the next time to be woken.
  void finish(Turn& turn, bool everything);

  std::shared_ptr<const Rules> rules;
  Checks checks;
  Hush hush;
  Incidents incidents;
  UnknownGroups unknown;
  Causes causes;
  Guard guard;
  std::optional<Duration> wall_ahead;  // of the steady clock, when it was last looked at
  bool settled_changed = false;        // of some check, in this step
  Effects startup;                     // of the constructor; they leave with the first step
};

}  // namespace vitald::alerting
