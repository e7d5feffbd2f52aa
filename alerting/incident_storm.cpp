// Storms, as incidents: when one opens, what it says and when, who belongs to it, how it ends.
#include <algorithm>

#include "alerting/incident.hpp"

namespace vitald::alerting {
namespace {

/// vitald's own troubles are never swallowed.
bool is_own_trouble(const Incident& incident) { return incident.subject.starts_with("self:"); }

bool by_urgency(const Incident* a, const Incident* b) {
  if (a->facts.severity != b->facts.severity) return a->facts.severity < b->facts.severity;
  if (a->opened != b->opened) return a->opened < b->opened;
  return a->facts.check < b->facts.check;
}

std::string say_problems(std::size_t count) { return std::to_string(count) + (count == 1 ? " problem" : " problems"); }

}  // namespace

bool Incidents::passes(Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver) {
  if (Storms::is_one(incident.subject)) return passes_storm(turn, incident, kind, receiver);
  if (kind == NotificationKind::recovery) return true;  // paid for with the problem
  Desk& desk = storms_.desk(receiver);
  const Steady now = turn.now.steady;
  const bool gathers = gathering(desk, receiver, now) != nullptr;
  const auto told = incident.told.find(receiver);
  const bool fresh = told == incident.told.end() || told->second.refused;
  bool room = fresh ? !gathers && desk.budget.takes_problem(now) : desk.budget.takes_more(now);
  if (kind == NotificationKind::reminder) room = room && !gathers;
  if (room || answering_ || is_own_trouble(incident)) {
    if (fresh) {
      desk.budget.note_problem(now);
    } else {
      desk.budget.note_more(now);
    }
    desk.touched = true;
    return true;
  }
  if (kind == NotificationKind::reminder) return false;
  if (fresh || gathers || desk.budget.more_from(now) > now + std::chrono::minutes(1)) {
    join_storm(turn, incident, receiver);
  } else {
    desk.late.emplace(incident.facts.id.incident, kind);
    desk.touched = true;
  }
  return false;
}

/// Only speak() and close() tell of a storm; what others want to say of it is said when it may speak.
bool Incidents::passes_storm(const Turn& turn, Incident& incident, NotificationKind kind, const std::string& receiver) {
  Desk& desk = storms_.desk(receiver);
  Storm* storm = desk.find(incident.facts.id.incident);
  if (storm == nullptr) return false;
  desk.touched = true;
  const Steady now = turn.now.steady;
  if (kind == NotificationKind::update) storm->urgent = true;
  if (kind == NotificationKind::update || (kind == NotificationKind::reminder && desk.budget.storm_from(false) > now))
    return false;
  if (kind == NotificationKind::reminder && all_muted(*storm)) return false;
  if (kind == NotificationKind::reminder) {
    describe_members(turn, incident, *storm);
    storm->changed = false;
  }
  desk.budget.note_storm(now);
  storm->spoke = now;
  return true;
}

/// The one that takes in new problems: not one that the receiver has refused to hear of.
Storm* Incidents::gathering(Desk& desk, const std::string& receiver, Steady now) {
  Storm* storm = desk.gathering(now);
  if (storm == nullptr) return nullptr;
  const Incident& incident = all_.at(storm->id);
  const auto told = incident.told.find(receiver);
  return told != incident.told.end() && told->second.refused ? nullptr : storm;
}

void Incidents::join_storm(Turn& turn, Incident& incident, const std::string& receiver) {
  Desk& desk = storms_.desk(receiver);
  desk.touched = true;
  Storm* storm = nullptr;
  if (const auto known = incident.storms.find(receiver); known != incident.storms.end()) {
    storm = desk.find(known->second);
  }
  desk.late.erase(incident.facts.id.incident);
  const bool joins = storm == nullptr;
  if (joins) storm = gathering(desk, receiver, turn.now.steady);
  if (storm == nullptr) storm = &open_storm(turn, incident, receiver);
  if (joins) {
    incident.storms[receiver] = storm->id;
    storm->open.insert(incident.facts.id.incident);
    storm->joined = turn.now.steady;
    ++storm->total;
    explain(turn, incident, "told to " + receiver + " with others: it has had as many messages as it may get");
    touch(incident);
  }
  storm->change(turn.now.steady);
  if (incident.facts.severity < all_.at(storm->id).facts.severity) storm->urgent = true;
}

Storm& Incidents::open_storm(Turn& turn, const Incident& first, const std::string& receiver) {
  Desk& desk = storms_.desk(receiver);
  const IncidentId id = ids_.next();
  Incident& incident = all_[id];
  incident.facts.id = {id, 0, ""};
  incident.facts.instance = turn.rules.instance;
  incident.facts.check = "further checks";
  incident.facts.probe = "vitald";
  incident.facts.severity = first.facts.severity;
  incident.facts.status = first.facts.status;
  incident.facts.summary = first.facts.check + " " + first.facts.summary;
  incident.facts.opened = first.facts.opened;
  incident.opened = first.opened;
  incident.subject = "storm:" + receiver + ":" + std::to_string(++desk.number);
  incident.course = begin_course(turn.now.steady);
  incident.course.done = all_steps;  // its members escalate, each to whom its severity names
  open_by_subject_[incident.subject] = id;
  ++open_counts_[static_cast<std::size_t>(incident.facts.severity)];
  touch(incident);
  arm(turn, incident);
  Storm& storm = desk.storms.emplace_back();
  storm.id = id;
  storm.begun = storm.joined = turn.now.steady;
  return storm;
}

/// The incident says something else than before, to those as well who hear of it through a storm.
void Incidents::change_storms(const Turn& turn, const Incident& incident) {
  for (const auto& [receiver, id] : incident.storms) {
    Desk& desk = storms_.desk(receiver);
    Storm* storm = desk.find(id);
    if (storm == nullptr) continue;
    storm->change(turn.now.steady);
    if (incident.facts.severity < all_.at(id).facts.severity) storm->urgent = true;
    desk.touched = true;
  }
}

void Incidents::leave_storms(const Turn& turn, const Incident& incident) {
  for (auto& entry : storms_.desks()) {
    if (entry.second.late.erase(incident.facts.id.incident) != 0) entry.second.touched = true;
  }
  for (const auto& [receiver, id] : incident.storms) {
    Desk& desk = storms_.desk(receiver);
    Storm* storm = desk.find(id);
    if (storm == nullptr || storm->open.erase(incident.facts.id.incident) == 0) continue;
    storm->change(turn.now.steady);
    desk.touched = true;
  }
}

/// The open ones, where `id` is that of a storm.
std::set<IncidentId> Incidents::members_of(const IncidentId& id) {
  const Incident* incident = find_exact(id);
  if (incident == nullptr || !Storms::is_one(incident->subject)) return {};
  const Storm* storm = storms_.desk(Storms::receiver_of(incident->subject)).find(id);
  return storm == nullptr ? std::set<IncidentId>() : storm->open;
}

void Incidents::acknowledge_members(Turn& turn, const IncidentId& id, const std::string& by) {
  const std::set<IncidentId> members = members_of(id);
  if (members.empty()) return;
  const auto taken = [&](const IncidentId& member) { return all_.at(member).facts.acknowledged_by.has_value(); };
  for (const IncidentId& member : members) {
    if (!taken(member)) acknowledge(turn, member, by);
  }
  // The same failures may be a storm at other receivers: who took them all took those.
  std::vector<IncidentId> others;
  for (const auto& [receiver, desk] : storms_.desks()) {
    for (const Storm& other : desk.storms) {
      if (!other.open.empty() && !taken(other.id) && std::all_of(other.open.begin(), other.open.end(), taken))
        others.push_back(other.id);
    }
  }
  for (const IncidentId& other : others) acknowledge(turn, other, by);
}

/// What its next message says, as of now.
void Incidents::describe_members(const Turn& turn, Incident& incident, const Storm& storm) {
  std::vector<const Incident*> members;
  for (const IncidentId& id : storm.open) {
    if (!all_.at(id).muted) members.push_back(&all_.at(id));
  }
  std::sort(members.begin(), members.end(), by_urgency);
  std::vector<Trouble> troubles;
  for (const Incident* member : members) {
    const Notification& facts = member->facts;
    troubles.push_back({facts.severity, facts.check, facts.summary});
  }
  Notification& facts = incident.facts;
  const StormWords words = describe(troubles);
  facts.evidence = words.evidence;
  if (members.empty()) {
    facts.summary = say_problems(storm.total) + ", over by now";
    return;
  }
  const bool all = members.size() == storm.total;
  facts.summary = (all ? say_problems(storm.total)
                       : std::to_string(members.size()) + " of " + say_problems(storm.total) + " still open") +
                  ": " + words.summary;
  facts.status = Status::warning;
  for (const Incident* member : members) {
    if (member->facts.status == Status::critical) facts.status = Status::critical;
  }
  const Severity before = std::exchange(facts.severity, members.front()->facts.severity);
  // Taken is a storm as long as each of its members is.
  const auto taken = [](const Incident* member) { return member->facts.acknowledged_by.has_value(); };
  if (!std::all_of(members.begin(), members.end(), taken)) facts.acknowledged_by.reset();
  if (facts.severity == before) return;
  --open_counts_[static_cast<std::size_t>(before)];
  ++open_counts_[static_cast<std::size_t>(facts.severity)];
  const std::uint64_t done = incident.course.done;
  incident.course = begin_course(turn.now.steady);
  incident.course.done = done;
}

bool Incidents::all_muted(const Storm& storm) const {
  return !storm.open.empty() && std::all_of(storm.open.begin(), storm.open.end(),
                                            [&](const auto& id) { return all_.at(id).muted.has_value(); });
}

void Incidents::speak(Turn& turn, const std::string& receiver, Storm& storm) {
  Incident& incident = all_.at(storm.id);
  const auto told = incident.told.find(receiver);
  const bool refused = told != incident.told.end() && told->second.refused;
  const bool first = storm.told == 0;
  if (storm.open.empty() && !first) {
    close(turn, IncidentId(storm.id),
          storm.total == 1 ? "it is over" : "all " + say_problems(storm.total) + " are over");
    return;
  }
  storm.urgent = false;
  if (all_muted(storm)) {  // until somebody may be told, it looks again from time to time
    storm.begun = storm.news = turn.now.steady + std::chrono::minutes(1);
    storm.changed = true;
    return;
  }
  describe_members(turn, incident, storm);
  storm.changed = false;
  ++storm.told;
  touch(incident);
  arm(turn, incident);
  if (refused || !is_configured(turn.rules, receiver)) return;
  storm.spoke = turn.now.steady;
  storms_.desk(receiver).budget.note_storm(turn.now.steady);
  send(turn, incident, first ? NotificationKind::problem : NotificationKind::update, receiver);
}

void Incidents::elapse_storms(Turn& turn) {
  if (!storms_.wake_at() || *storms_.wake_at() > turn.now.steady) return;
  for (auto& [receiver, desk] : storms_.desks()) {
    tell_late(turn, receiver, desk);
    for (std::size_t at = 0; at < desk.storms.size();) {
      const auto due = Storms::due(desk, desk.storms[at]);
      if (due && *due <= turn.now.steady) {
        desk.touched = true;
        speak(turn, receiver, desk.storms[at]);
      }
      if (all_.at(desk.storms[at].id).closed) {
        desk.storms.erase(desk.storms.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        ++at;
      }
    }
  }
}

void Incidents::tell_late(Turn& turn, const std::string& receiver, Desk& desk) {
  while (!desk.late.empty() && desk.budget.takes_more(turn.now.steady)) {
    const auto [id, kind] = *desk.late.begin();
    desk.late.erase(desk.late.begin());
    desk.touched = true;
    Incident* incident = open_incident(id);
    if (incident != nullptr && !incident->muted && incident->told.contains(receiver) &&
        !incident->told.at(receiver).refused && is_configured(turn.rules, receiver))
      tell(turn, *incident, kind, receiver);
  }
}

void Incidents::restore(const NoteRecord& note, const Now& now) {
  storms_.restore(note, now);
  digests_.restore(note);
}

std::optional<Steady> Incidents::wake_at(const Now& now) const {
  std::optional<Steady> at;
  for (const auto& wish : {alarms_.first(), storms_.wake_at(), digests_.wake_at(now)}) {
    if (wish && (!at || *wish < *at)) at = wish;
  }
  return at;
}

/// After a restart or a reload: storms of receivers that are gone end, and who belonged to them, or to one that the
/// store lost, is told as if it had never been.
void Incidents::adopt_storms(Turn& turn) {
  find_members(turn);
  std::vector<std::pair<IncidentId, std::string>> untold;
  for (auto& [id, incident] : all_) {
    if (incident.closed) continue;
    std::erase_if(incident.storms, [&](const auto& entry) {
      const auto& [receiver, storm_id] = entry;
      Storm* storm = storms_.desk(receiver).find(storm_id);
      if (storm != nullptr) {
        storm->open.insert(incident.facts.id.incident);
        storm->total = std::max(storm->total, storm->open.size());
        return false;
      }
      touch(incident);
      if (is_configured(turn.rules, receiver) && !incident.told.contains(receiver) && !incident.muted)
        untold.emplace_back(incident.facts.id.incident, receiver);
      return true;
    });
  }
  for (const auto& [id, receiver] : untold) tell(turn, all_.at(id), NotificationKind::problem, receiver);
  std::set<std::string> gone;
  for (const auto& entry : storms_.desks()) {
    if (!is_configured(turn.rules, entry.first)) gone.insert(entry.first);
  }
  for (const std::string& receiver : gone) storms_.forget(turn, receiver);
  storms_.arm(turn.now.steady);
}

/// The storms of those receivers that are there, without their members.
void Incidents::find_members(Turn& turn) {
  std::vector<IncidentId> over;
  for (auto& [id, incident] : all_) {
    if (incident.closed || !Storms::is_one(incident.subject)) continue;
    const std::string receiver = Storms::receiver_of(incident.subject);
    if (!is_configured(turn.rules, receiver)) over.push_back(id);
    Desk& desk = storms_.desk(receiver);
    if (desk.find(id) != nullptr) continue;
    // Its note is lost: what belongs to it is known, and it takes in nothing more.
    Storm& storm = desk.storms.emplace_back();
    storm.id = id;
    storm.begun = storm.joined = storm.spoke = turn.now.steady;
    storm.told = incident.told.empty() ? 0 : 1;
    storm.closing = true;
  }
  for (const IncidentId& id : over) close(turn, id, "the receiver was removed from the configuration");
  for (auto& entry : storms_.desks()) {
    Desk& desk = entry.second;
    std::erase_if(desk.storms, [&](const Storm& storm) {
      const Incident* incident = find_exact(storm.id);
      return incident == nullptr || incident->closed;
    });
    for (Storm& storm : desk.storms) storm.open.clear();
  }
}

}  // namespace vitald::alerting
