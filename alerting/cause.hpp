// The cause stage: a check that turns bad while something that it depends on is bad belongs to that one's incident, as
// one of those that are also affected, and nobody gets a message of its own about it.
//
// The order in which the two are noticed does not matter. When a check turns bad, everything that it depends on is run
// at once; if its own verdict is confirmed before theirs, it waits for them, no longer than their confirmation takes.
// Checks of one group (CheckRules::group) that cannot connect for the same reason at about the same time are one
// failure as well: the first that is confirmed leads, the others belong to its incident. When the cause has ended and
// the check is still bad after its own second look, it becomes an incident of its own.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alerting/checks.hpp"
#include "alerting/incident.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

class Causes {
 public:
  Causes(Checks& checks, Incidents& incidents, const Hush& hush)
      : checks_(checks), incidents_(incidents), hush_(hush) {}

  /// Who depends on whom, after the checks were adopted. Those whose cause is no longer open look for another.
  void adopt_rules(Turn& turn);
  /// The check turned bad with this run: what it depends on is run now.
  void ask_above(Turn& turn, CheckState& check);
  /// It was asked for and has not run since, or it is being confirmed or is bad: others may wait for what becomes of
  /// it.
  static bool is_in_doubt(const CheckState& check);
  /// A check that was in doubt is found good: who waited for it to be the cause need not wait any longer.
  void cleared(Turn& turn, const CheckState& check);

  enum class Place { own, joined, waits };
  /// Where a check that is bad and has no incident belongs; joins it there. `own` until it has been given one.
  Place place(Turn& turn, CheckState& check);
  /// The check is not bad any more.
  void leave(Turn& turn, CheckState& check);

  /// What an incident of `check` says of those that belong to it, or will in a moment: their names, and a severity that
  /// is no less than theirs.
  void add_followers(const CheckState& check, Notification& facts) const;
  /// `check` has an incident now: those that waited for it join, those that did not wait learn their cause.
  void take_in(Turn& turn, CheckState& check);
  /// A check that is not muted any more makes its cause's incident as severe as it is itself.
  void weigh(Turn& turn);
  /// It has an incident of its own: others of its group may belong to it.
  void lead(const CheckState& check);
  /// The incident has been closed: those that belonged to it have to be looked at again.
  void release(Turn& turn, const IncidentId& incident);

  /// The check belongs to an open incident though it is not bad itself: it could not be measured because of it.
  void attach(Turn& turn, CheckState& check, const IncidentId& incident) { join(turn, check, incident); }

 private:
  using Index = std::size_t;  // into checks_.all()

  Index index_of(const CheckState& check) const { return static_cast<Index>(&check - checks_.all().data()); }
  /// All that it depends on, or that depend on it, nearest first.
  std::vector<CheckState*> reach(const CheckState& check, const std::vector<std::vector<Index>>& edges) const;
  IncidentId incident_above(const CheckState& check) const;
  IncidentId incident_beside(const CheckState& check) const;
  bool belongs_beside(const CheckState& check) const;
  bool may_turn_bad(const CheckState& above, Steady asked) const;
  std::vector<const CheckState*> doubtful(const CheckState& check) const;
  std::vector<CheckState*> followers(const CheckState& check) const;
  void join(Turn& turn, CheckState& check, const IncidentId& incident);
  void forget(Turn& turn, CheckState& check);
  void look_again(Turn& turn, CheckState& check);
  /// What it adds to the severity of an incident; nothing while it is muted, since nobody is to be woken for it.
  std::optional<Severity> weight(const CheckState& check) const;

  Checks& checks_;
  Incidents& incidents_;
  const Hush& hush_;
  std::vector<std::vector<Index>> above_, below_;  // by index of the check
  std::map<IncidentId, std::set<std::string>, std::less<>> members_;
  std::map<std::pair<std::string, std::string>, Index> leaders_;  // by group and reason: the latest with an incident
};

}  // namespace vitald::alerting
