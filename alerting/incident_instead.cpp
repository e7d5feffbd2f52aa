// An incident that ends before anybody has heard of it: one message instead of a problem and its recovery.
#include <algorithm>

#include "alerting/incident.hpp"

namespace vitald::alerting {

/// Those who would have been told at once, or were told and have not been reached yet. The queue drops what lies before
/// a digest of the same incident (deliver_prune.cpp).
std::vector<std::string> Incidents::unreached(const Turn& turn, const Incident& incident) const {
  std::vector<std::string> receivers;
  const auto add = [&](const std::string& receiver) {
    const bool listed = std::find(receivers.begin(), receivers.end(), receiver) != receivers.end();
    if (is_configured(turn.rules, receiver) && !listed && receiver != incident.except &&
        !incident.reached.contains(receiver) && !incident.storms.contains(receiver))
      receivers.push_back(receiver);
  };
  for (const auto& [receiver, told] : incident.told) {
    if (!told.refused) add(receiver);
  }
  const Notification& facts = incident.facts;
  for (const EscalationStep& step : escalation_for(turn.rules, facts.check, facts.labels, facts.severity).steps) {
    if (step.after > Duration::zero()) continue;
    for (const std::string& receiver : step.notify) add(receiver);
  }
  return receivers;
}

void Incidents::tell_instead(Turn& turn, Incident& incident, const std::string& digest) {
  if (incident.muted) return;
  say_over(incident, digest, [&] {
    for (const std::string& receiver : unreached(turn, incident)) {
      send(turn, incident, NotificationKind::digest, receiver);
      incident.instead[receiver] = incident.facts.id.sequence;
    }
  });
}

/// The problem was on its way when its incident ended, and has arrived after all: it must be taken back.
void Incidents::untell(Turn& turn, Incident& incident, const Delivered& event) {
  const auto digest = incident.instead.find(event.id.receiver);
  if (!incident.closed || digest == incident.instead.end() || event.id.sequence >= digest->second) return;
  if (!event.accepted || !event.why.empty()) return;  // superseded by the digest
  incident.instead.erase(digest);
  say_over(incident, "it is over", [&] { send(turn, incident, NotificationKind::recovery, event.id.receiver); });
}

}  // namespace vitald::alerting
