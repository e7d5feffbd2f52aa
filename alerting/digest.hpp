// Digests: one message a day, or whenever the calendar says, about what is open and what came and went since the last.
//
// What is open is read from the incidents when the digest is made; what is over is kept here until then, in a note
// ("digest:RECEIVER"). A digest that fell due while vitald was down is sent at the start, once, when that is no longer
// than a day ago. Where nothing is open and nothing has been, there is no message.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerting/ids.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

/// What a digest says of one incident.
struct Chapter {
  Severity severity = Severity::p3;
  std::string check;
  std::string summary;
  Wall opened{};
  std::optional<Wall> closed = {};
  std::optional<std::string> acknowledged_by = {};
};

class Digests {
 public:
  /// An incident of `escalation` has ended: every receiver of its digests reads of it.
  void over(const Escalation& escalation, const Chapter& chapter);
  /// The receivers whose time has come. Each must be told with compose() now.
  std::vector<std::string> take_due(Turn& turn);
  /// Nothing where there is nothing to say. `open` are the ones that its severities cover. What was over is forgotten.
  std::optional<Notification> compose(Turn& turn, const std::string& receiver, std::vector<Chapter> open,
                                      IdSource& ids);
  static bool covers(const Escalation& escalation, const std::string& receiver);

  void restore(const NoteRecord& note);
  /// Digests that came and went with the rules.
  void adopt_rules(Turn& turn);
  void write(Turn& turn);
  /// When to look again: at the next one, and no later than in an hour, since the wall clock may be set.
  std::optional<Steady> wake_at(const Now& now) const;

 private:
  struct Desk {
    std::vector<Chapter> over = {};
    std::size_t more = 0;  // over as well, and not kept
    Wall last{};           // the digest before, or since when there is one
    Wall next{};
    bool touched = false;
  };
  static void plan(const Rules& rules, const std::string& receiver, Desk& desk);

  std::map<std::string, Desk> desks_;  // by receiver
};

}  // namespace vitald::alerting
