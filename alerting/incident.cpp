#include "alerting/incident.hpp"

#include <algorithm>

#include "alerting/reasons.hpp"
#include "alerting/records.hpp"

namespace vitald::alerting {
namespace {

const Escalation& escalation_of(const Turn& turn, const Incident& incident) {
  return escalation_for(turn.rules, incident.facts.check, incident.facts.labels, incident.facts.severity);
}

bool may_use(const Turn& turn, const Incident& incident, const std::string& receiver) {
  return receiver != incident.except && is_configured(turn.rules, receiver);
}

bool knows(const Incident& incident, const std::string& receiver) {
  if (incident.storms.contains(receiver)) return true;
  const auto told = incident.told.find(receiver);
  return told != incident.told.end() && !told->second.refused;
}

bool waits_for(const Incident& incident, const std::string& receiver) {
  return std::any_of(incident.out.begin(), incident.out.end(), [&](const auto& row) { return row.second == receiver; });
}

/// When it opened, as the wall clock of today would put it: a clock that was set meanwhile must not make it last for
/// years, or less than nothing.
Wall opened_by(const Incident& incident, const Now& now) {
  const Wall derived = now.wall - (now.steady - incident.opened);
  const Duration off = derived - incident.facts.opened;
  return off > std::chrono::minutes(1) || off < -std::chrono::minutes(1) ? derived : incident.facts.opened;
}

bool acknowledged(const Incident& incident) { return incident.facts.acknowledged_by.has_value(); }

}  // namespace

const Incident& Incidents::open(Turn& turn, std::string subject, Notification facts, std::string except,
                                Duration quiet) {
  facts.id = {ids_.next(), 0, ""};
  facts.instance = turn.rules.instance;
  Incident& incident = all_[facts.id.incident];
  incident.facts = std::move(facts);
  incident.subject = std::move(subject);
  incident.except = std::move(except);
  incident.opened = turn.now.steady - std::max(turn.now.wall - incident.facts.opened, Duration::zero());
  open_by_subject_[incident.subject] = incident.facts.id.incident;
  ++open_counts_[static_cast<std::size_t>(incident.facts.severity)];
  explain_opened(turn, incident);
  incident.muted = hush_.mutes(incident.facts.check, incident.facts.labels);
  if (incident.muted) explain_muted(turn, incident);
  begin(turn, incident, quiet);
  return incident;
}

/// The escalation begins now, for those who do not know of it yet.
void Incidents::begin(Turn& turn, Incident& incident, Duration quiet) {
  incident.course = begin_course(std::max(turn.now.steady + quiet, incident.course.begun));
  if (Storms::is_one(incident.subject)) incident.course.done = all_steps;  // its members escalate
  tell_steps(turn, incident, take_due(escalation_of(turn, incident), incident.course, acknowledged(incident), turn.now),
             false);
  if (!incident.except.empty() && incident.told.empty() && !incident.muted) {
    for (const std::string& receiver : turn.rules.receivers) {
      if (receiver != incident.except) tell(turn, incident, NotificationKind::problem, receiver);
    }
  }
  if (incident.told.empty() && incident.storms.empty() && !incident.muted)
    explain(turn, incident, "nobody is told yet: no step of its escalation is due");
  touch(incident);
  arm(turn, incident);
}

void Incidents::change(Turn& turn, const IncidentId& id, Notification facts) {
  Incident* incident = open_incident(id);
  if (incident == nullptr) return;
  const Severity before = incident->facts.severity;
  facts.id = incident->facts.id;
  facts.instance = incident->facts.instance;
  facts.opened = incident->facts.opened;
  facts.acknowledged_by = incident->facts.acknowledged_by;
  if (facts.severity < before) facts.acknowledged_by.reset();
  std::swap(incident->facts, facts);
  explain_change(turn, *incident, facts);
  change_storms(turn, *incident);
  tell_told(turn, *incident, NotificationKind::update);
  if (incident->facts.severity != before) {
    --open_counts_[static_cast<std::size_t>(before)];
    ++open_counts_[static_cast<std::size_t>(incident->facts.severity)];
    begin(turn, *incident);
  }
  touch(*incident);
  arm(turn, *incident);
}

void Incidents::close(Turn& turn, const IncidentId& id, const std::string& summary, const std::string& digest) {
  Incident* incident = open_incident(id);
  if (incident == nullptr) return;
  --open_counts_[static_cast<std::size_t>(incident->facts.severity)];
  open_by_subject_.erase(incident->subject);
  incident->closed = turn.now.wall;
  explain(turn, *incident, "over: " + summary);
  if (!digest.empty()) tell_instead(turn, *incident, digest);
  recover(turn, *incident, summary);
  leave_storms(turn, *incident);
  end_chapter(turn, *incident);
  alarms_.set(id, incident->alarm, std::nullopt);
  touch(*incident);
  closed_.push_back(id);
  forget_oldest_closed();
}

void Incidents::saw(const IncidentId& id, Sighting seen) {
  Incident* incident = open_incident(id);
  if (incident == nullptr) return;
  (incident->first_bad.at == Wall{} ? incident->first_bad : incident->last_bad) = std::move(seen);
}

void Incidents::set_affected(Turn& turn, const IncidentId& id, std::vector<std::string> affected) {
  Incident* incident = open_incident(id);
  if (incident == nullptr || incident->facts.affected == affected) return;
  incident->facts.affected = std::move(affected);
  explain_affected(turn, *incident);
  touch(*incident);
  arm(turn, *incident);
}

void Incidents::delivered(Turn& turn, const Delivered& event) {
  turn.effects.settled.push_back(event.id);
  const auto found = all_.find(event.id.incident);
  if (found == all_.end()) return;
  Incident& incident = found->second;
  if (incident.out.erase({event.id.sequence, event.id.receiver}) == 0) return;
  Told& told = incident.told[event.id.receiver];
  if (!event.handle.empty()) told.handle = event.handle;
  if (event.accepted) incident.reached.insert(event.id.receiver);
  // Who took the problem and choked on an update knows of the incident, and is owed its end.
  told.refused = !event.accepted && !incident.reached.contains(event.id.receiver);
  explain_delivered(turn, incident, event);
  untell(turn, incident, event);
  touch(incident);
}

void Incidents::elapse(Turn& turn) {
  for (const IncidentId& id : alarms_.take_due(turn.now.steady)) {
    Incident& incident = all_.at(id);
    incident.alarm.reset();
    if (incident.muted) {
      heed_hush(turn, incident);
      continue;
    }
    const bool first = incident.told.empty();
    const DueSteps due = take_due(escalation_of(turn, incident), incident.course, acknowledged(incident), turn.now);
    tell_steps(turn, incident, due, true);
    if (first && !incident.told.empty()) {
      incident.course.reminded = turn.now.steady;
    } else if (due.remind) {
      remind(turn, incident);
    }
    touch(incident);
    arm(turn, incident);
  }
  elapse_storms(turn);
  elapse_digests(turn);
}

void Incidents::rename(Turn& turn, const std::string& from, const std::string& to, const std::string& check) {
  const auto found = open_by_subject_.find(from);
  if (found == open_by_subject_.end()) return;
  Incident& incident = all_.at(found->second);
  open_by_subject_.erase(found);
  incident.subject = to;
  explain(turn, incident, "the check " + incident.facts.check + " is called " + check + " now");
  incident.facts.check = check;
  open_by_subject_[to] = incident.facts.id.incident;
  touch(incident);
  arm(turn, incident);
}

void Incidents::adopt_rules(Turn& turn) {
  adopt_storms(turn);
  digests_.adopt_rules(turn);
  for (auto& entry : all_) {
    Incident& incident = entry.second;
    std::erase_if(incident.out, [&](const auto& row) {
      if (is_configured(turn.rules, row.second)) return false;
      turn.effects.settled.push_back({incident.facts.id.incident, row.first, row.second});
      touch(incident);
      return true;
    });
    if (incident.closed) continue;
    const bool anyone = std::any_of(incident.told.begin(), incident.told.end(), [&](const auto& told) {
      return !told.second.refused && may_use(turn, incident, told.first);
    });
    const bool gathered = std::any_of(incident.storms.begin(), incident.storms.end(),
                                      [&](const auto& storm) { return may_use(turn, incident, storm.first); });
    if (!anyone && !gathered && !Storms::is_one(incident.subject)) {
      // Only the steps that were already taken are taken again: a restart or a reload escalates nothing by itself.
      DueSteps again;
      const Escalation& escalation = escalation_of(turn, incident);
      for (std::size_t index = 0; index < escalation.steps.size() && index < 64; ++index) {
        if ((incident.course.done >> index & 1) != 0) again.steps.push_back(&escalation.steps[index]);
      }
      tell_steps(turn, incident, again, false);
    }
    arm(turn, incident);
  }
}

void Incidents::touch_open() {
  for (auto& [id, incident] : all_) {
    if (!incident.closed) touch(incident);
  }
}

void Incidents::write(Turn& turn) {
  for (const IncidentId& id : touched_) {
    const auto found = all_.find(id);
    if (found == all_.end()) continue;
    Incident& incident = found->second;
    incident.touched = false;
    turn.effects.incidents.push_back(to_record(incident, turn.now));
    if (!incident.closed || !incident.out.empty()) continue;
    all_.erase(found);
    std::erase(closed_, id);
  }
  touched_.clear();
  storms_.write(turn);
  digests_.write(turn);
}

void Incidents::restore(Incident incident) {
  const IncidentId id = incident.facts.id.incident;
  if (incident.closed) {
    closed_.push_back(id);
  } else {
    open_by_subject_[incident.subject] = id;
    ++open_counts_[static_cast<std::size_t>(incident.facts.severity)];
  }
  all_[id] = std::move(incident);
}

Incident* Incidents::open_incident(const IncidentId& id) {
  const auto found = all_.find(id);
  return found == all_.end() || found->second.closed ? nullptr : &found->second;
}

void Incidents::tell(Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver) {
  if (passes(turn, incident, kind, receiver)) send(turn, incident, kind, receiver);
}

void Incidents::send(Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver) {
  Notification message = incident.facts;
  message.id.sequence = ++incident.facts.id.sequence;
  message.id.receiver = receiver;
  message.kind = kind;
  message.at = turn.now.wall;
  message.opened = opened_by(incident, turn.now);
  if (kind == NotificationKind::reminder) message.reminder = incident.course.reminders;
  explain_told(turn, incident, message);
  Told& told = incident.told[receiver];
  told.refused = false;
  if (++told.messages == 1) told.first = message.at;
  told.last = message.at;
  incident.out.emplace(message.id.sequence, receiver);
  turn.effects.outbox.push_back(std::move(message));
  touch(incident);
}

/// `again` tells those of a later step too who know of it already: that is what the step is for.
void Incidents::tell_steps(Turn& turn, Incident& incident, const DueSteps& due, bool again) {
  if (incident.muted) return;
  std::set<std::string> now_told;
  for (const EscalationStep* step : due.steps) {
    const bool later = step->after > Duration::zero();
    for (const std::string& receiver : step->notify) {
      if (!may_use(turn, incident, receiver) || (!(again && later) && knows(incident, receiver))) continue;
      if (!now_told.insert(receiver).second) continue;
      tell(turn, incident, later ? NotificationKind::escalation : NotificationKind::problem, receiver);
    }
  }
}

void Incidents::tell_told(Turn& turn, Incident& incident, NotificationKind kind) {
  if (incident.muted && kind != NotificationKind::recovery) return;
  std::vector<std::string> receivers;
  for (const auto& [receiver, told] : incident.told) {
    if (told.refused || !may_use(turn, incident, receiver) || incident.instead.contains(receiver)) continue;
    // A reminder behind messages that could not be delivered yet would only lengthen the queue.
    if (kind == NotificationKind::reminder && waits_for(incident, receiver)) continue;
    receivers.push_back(receiver);
  }
  for (const std::string& receiver : receivers) tell(turn, incident, kind, receiver);
}

void Incidents::recover(Turn& turn, Incident& incident, const std::string& summary) {
  say_over(incident, summary, [&] { tell_told(turn, incident, NotificationKind::recovery); });
}

void Incidents::arm(const Turn& turn, Incident& incident) {
  const auto due = [&] {
    if (incident.muted) return incident.doubt;
    return next_due(escalation_of(turn, incident), incident.course, acknowledged(incident), turn.now);
  };
  alarms_.set(incident.facts.id.incident, incident.alarm, due());
}

void Incidents::touch(Incident& incident) {
  if (incident.touched) return;
  incident.touched = true;
  touched_.insert(incident.facts.id.incident);
}

void Incidents::forget_oldest_closed() {
  while (closed_.size() > closed_max) {
    all_.erase(closed_.front());
    closed_.pop_front();
  }
}

}  // namespace vitald::alerting
