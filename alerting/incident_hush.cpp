// Incidents that are muted and unmuted, taken and given back: who is told when silence ends.
#include "alerting/incident.hpp"
#include "alerting/reasons.hpp"
#include "config/units.hpp"

namespace vitald::alerting {

void Incidents::heed_hush(Turn& turn) {
  for (auto& [id, incident] : all_) {
    if (!incident.closed) heed_hush(turn, incident);
  }
}

void Incidents::heed_hush(Turn& turn, Incident& incident) {
  if (Storms::is_one(incident.subject)) return;  // no check: its members are muted, or not
  auto muting = hush_.mutes(incident.facts.check, incident.facts.labels);
  if (muting) {
    const bool already = incident.muted.has_value() && incident.muted->by == muting->by;
    incident.muted = std::move(muting);
    if (!already) {
      explain_muted(turn, incident);
      touch(incident);
    }
    if (incident.doubt && *incident.doubt <= turn.now.steady) incident.doubt.reset();
    return arm(turn, incident);
  }
  if (!incident.muted) return;
  // It ended while vitald was away, as a planned reboot does: what the incident says may be long over.
  if (incident.doubt && turn.now.steady < *incident.doubt) {
    const Wall until = turn.now.wall + (*incident.doubt - turn.now.steady);
    incident.muted = Muting{"restart", "", "not looked at since vitald started", until};
    return arm(turn, incident);
  }
  incident.muted.reset();
  incident.doubt.reset();
  explain(turn, incident, "not muted any more");
  // Who knew of it hears that it goes on, or who has it by now; everybody else who is concerned hears of the problem.
  incident.course = begin_course(turn.now.steady);
  const bool taken = incident.facts.acknowledged_by.has_value();
  tell_told(turn, incident, taken ? NotificationKind::update : NotificationKind::reminder);
  begin(turn, incident);
}

void Incidents::seen_bad(Turn& turn, const IncidentId& id) {
  Incident* incident = open_incident(id);
  if (incident == nullptr || !incident->doubt) return;
  incident->doubt.reset();
  heed_hush(turn, *incident);
}

void Incidents::acknowledge(Turn& turn, const IncidentId& id, const std::string& by) {
  Incident* incident = open_incident(id);
  if (incident == nullptr || incident->facts.acknowledged_by == by) return;
  incident->facts.acknowledged_by = by;
  explain(turn, *incident, "acknowledged by " + by);
  answering_ = true;
  tell_told(turn, *incident, NotificationKind::update);
  answering_ = false;
  touch(*incident);
  arm(turn, *incident);
  acknowledge_members(turn, id, by);
}

void Incidents::take_back(Turn& turn, const IncidentId& id) {
  Incident* incident = open_incident(id);
  if (incident == nullptr || !incident->facts.acknowledged_by) return;
  incident->facts.acknowledged_by.reset();
  explain(turn, *incident, "the acknowledgement was taken back");
  incident->course = begin_course(turn.now.steady);
  tell_told(turn, *incident, NotificationKind::reminder);
  begin(turn, *incident);
  for (const IncidentId& member : members_of(id)) take_back(turn, member);
}

void Incidents::remind(Turn& turn, Incident& incident) {
  // While nobody has been told, as at night before office hours, there is nobody to remind and nothing to count.
  const std::uint32_t before = incident.facts.id.sequence;
  ++incident.course.reminders;
  tell_told(turn, incident, NotificationKind::reminder);
  if (incident.facts.id.sequence == before) --incident.course.reminders;
}

void Incidents::clock_was_set(Turn& turn) {
  for (auto& [id, incident] : all_) {
    if (!incident.closed) arm(turn, incident);
  }
}

void Incidents::relabel(Turn& turn, const IncidentId& id, const Labels& labels) {
  Incident* incident = open_incident(id);
  if (incident == nullptr || incident->facts.labels == labels) return;
  incident->facts.labels = labels;
  touch(*incident);
  arm(turn, *incident);
}

}  // namespace vitald::alerting
