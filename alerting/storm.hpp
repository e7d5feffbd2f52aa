// The storm stage: who may get how many messages, and which incidents are told together instead of one by one.
//
// A problem beyond a receiver's budget is not told to it by itself: it belongs to that receiver's storm, an incident of
// its own (subject "storm:RECEIVER:N") that lists them all. A storm gathers for a moment before it speaks, speaks again
// at growing distances while something changes, at once when it becomes more urgent, and recovers with its last member.
// When nothing has joined it for a while it takes in nothing new, so that one check that never recovers cannot swallow
// what happens next week. Here is who belongs where and what is due; incident_storm.cpp opens, tells and ends them.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/budget.hpp"
#include "alerting/notification.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

struct Storm {
  IncidentId id;
  std::set<IncidentId> open = {};  // the members that are not over
  std::size_t total = 0;           // that ever joined
  Steady begun{}, joined{};        // the first and the latest
  Steady spoke{};
  int told = 0;          // messages
  bool changed = false;  // since the last of them
  Steady news{};         // when it did
  bool urgent = false;   // and it is more urgent than they said, or somebody took it
  bool closing = false;  // takes in nothing any more, whatever the time

  void change(Steady now) {
    if (!changed) news = now;
    changed = true;
  }
};

/// What is kept of one receiver.
struct Desk {
  Budget budget;
  std::vector<Storm> storms = {};
  int number = 0;  // of the latest storm
  /// What is known to the receiver has changed, and there was no room to say so; it is said within a minute, or by a
  /// storm.
  std::map<IncidentId, NotificationKind> late = {};
  bool touched = false;

  /// The one that takes in new problems.
  Storm* gathering(Steady now);
  Storm* find(std::string_view id);
};

class Storms {
 public:
  static bool is_one(std::string_view subject) { return subject.starts_with("storm:"); }
  /// "storm:ops:3" is the one of "ops".
  static std::string receiver_of(std::string_view subject);

  Desk& desk(const std::string& receiver) { return desks_[receiver]; }
  std::map<std::string, Desk>& desks() { return desks_; }
  void forget(Turn& turn, const std::string& receiver);

  /// When it has something to say; nothing while it has not.
  static std::optional<Steady> due(const Desk& desk, const Storm& storm);
  std::optional<Steady> wake_at() const { return wake_at_; }
  void arm(Steady now);

  void restore(const NoteRecord& note, const Now& now);
  /// The notes of the desks that this step touched.
  void write(Turn& turn);

 private:
  std::map<std::string, Desk> desks_;  // by receiver
  std::optional<Steady> wake_at_;
};

/// What a storm's message says of its members.
struct StormWords {
  std::string summary;             // "412 x connection refused, 586 x timed out"
  std::vector<Evidence> evidence;  // their names, at most 50, by what they say
};
struct Trouble {
  Severity severity;
  std::string check;
  std::string summary;
};
/// `troubles` by urgency.
StormWords describe(const std::vector<Trouble>& troubles);

}  // namespace vitald::alerting
