// What digests read of incidents.
#include "alerting/incident.hpp"

namespace vitald::alerting {
namespace {

Chapter chapter_of(const Incident& incident) {
  return {incident.facts.severity, incident.facts.check, incident.facts.summary,
          incident.facts.opened,   incident.closed,      incident.facts.acknowledged_by};
}

const Escalation& escalation_of(const Turn& turn, const Incident& incident) {
  return escalation_for(turn.rules, incident.facts.check, incident.facts.labels, incident.facts.severity);
}

/// A storm is a way of telling: its members stand in the digest themselves.
bool is_news(const Incident& incident) { return !Storms::is_one(incident.subject); }

}  // namespace

void Incidents::end_chapter(Turn& turn, const Incident& incident) {
  if (is_news(incident)) digests_.over(escalation_of(turn, incident), chapter_of(incident));
}

void Incidents::elapse_digests(Turn& turn) {
  for (const std::string& receiver : digests_.take_due(turn)) {
    std::vector<Chapter> open;
    for (const Incident* incident : open_ones()) {
      if (is_news(*incident) && Digests::covers(escalation_of(turn, *incident), receiver))
        open.push_back(chapter_of(*incident));
    }
    if (auto digest = digests_.compose(turn, receiver, std::move(open), ids_))
      turn.effects.outbox.push_back(std::move(*digest));
  }
}

}  // namespace vitald::alerting
