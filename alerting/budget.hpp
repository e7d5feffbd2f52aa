// How many messages one receiver may get, so that the storm bound holds by counting (docs/guarantees.md R11,
// docs/decisions/0015): never more than 5 in a minute and 20 in an hour about what was told to it in that time.
//
// A problem costs two, since its recovery is owed from then on and never waits. What storms do not say costs at most 12
// in any hour, and together with a storm's one message at most 5 in any minute; a storm speaks 8 times in an hour.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "alerting/json_fields.hpp"
#include "config/now.hpp"

namespace vitald::alerting {

class Budget {
 public:
  /// A problem, or an escalation to somebody who does not know of it.
  bool takes_problem(Steady now) const;
  /// An update or a reminder of what was told before. It leaves room for a storm's message in the minute, and for two
  /// problems more in the hour.
  bool takes_more(Steady now) const;
  /// The first moment, no earlier than `now`, at which it takes one unless something else comes first.
  Steady more_from(Steady now) const;
  void note_problem(Steady now) { note(now, 2); }
  void note_more(Steady now) { note(now, 1); }

  /// When a storm may speak. What cannot wait may use all of its share, the rest leaves two for that.
  Steady storm_from(bool urgent) const;
  void note_storm(Steady now);

  Json to_json(const Ages& ages) const;
  static Budget from_json(const Json& json, const Ages& ages);

 private:
  struct Spent {
    Steady at;
    int cost;
  };
  int spent(Steady now, Duration window) const;
  void note(Steady now, int cost);

  std::deque<Spent> told_;    // oldest first, of the last hour
  std::deque<Steady> storm_;  // what storms said, no more than count
};

}  // namespace vitald::alerting
