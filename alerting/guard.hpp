// The own-network guard: while this host is cut off, the silence of remote targets says nothing about them.
//
// It believes that the host is cut off from when the uplink check turns bad until that is good again. When a remote
// target answers all the same, the uplink is asked once more; if it is still bad, the anchors are to blame, not the
// network. While the host is cut off, the silence of a remote check counts as unknown, for ten minutes at most. After
// that it counts as what it is, but as a part of the uplink's incident: the cause stage treats the uplink as something
// that every remote check depends on.
//
// Nothing of this happens without an uplink check.
#pragma once

#include <string>

#include "alerting/checks.hpp"
#include "alerting/event.hpp"
#include "alerting/incident.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

class Guard {
 public:
  static constexpr Duration longest_hold = std::chrono::minutes(10);

  explicit Guard(Checks& checks) : checks_(checks) {}

  void adopt_rules(const Rules& rules);
  /// Before anything else is done about an observation. True: it counts as unknown, since the host is cut off.
  bool holds(Turn& turn, CheckState& check, const Observed& event);
  /// After the uplink check was measured.
  void uplink_measured(Turn& turn, CheckState& uplink, const Observed& event);

  /// For how long an incident of `check` that opens now tells nobody: nothing could be delivered anyway, and a short
  /// cut is told in one message when it is over.
  Duration quiet(const CheckState& check, Steady now) const;
  /// The uplink's incident ends: what those are told who heard nothing of it yet; "" where there is nothing to tell.
  std::string concluded(Turn& turn, CheckState& uplink, const Incident& incident);

 private:
  void release(Turn& turn, const CheckState& uplink);

  Checks& checks_;
  std::string uplink_;
};

/// The cause stage's question: whether the uplink, being bad, is why `check` is bad.
bool uplink_explains(const CheckState& uplink, const CheckState& check);

}  // namespace vitald::alerting
