#include "alerting/unknown.hpp"

#include "alerting/facts.hpp"
#include "alerting/limit_words.hpp"

namespace vitald::alerting {
namespace {

std::string reason_of(const Observation& observation) {
  return observation.reason.empty() ? "unmeasured" : bounded(observation.reason, 200);
}

}  // namespace

const Incident* UnknownGroups::incident_of(const std::string& reason) const {
  return incidents_.find_subject("unknown:" + reason);
}

/// Two reasons that take turns would end one incident and open the other at every run: where people have been told of
/// one, the other must have lasted as long as it takes to be told.
bool UnknownGroups::moves(const Turn& turn, Unmeasured& unmeasured, const std::string& reason) const {
  if (!unmeasured.active) return true;
  if (unmeasured.reason == reason) {
    unmeasured.other.clear();
    return false;
  }
  if (incident_of(unmeasured.reason) == nullptr) return true;
  if (unmeasured.other != reason) {
    unmeasured.other = reason;
    unmeasured.other_since = turn.now.steady;
  }
  return turn.now.steady - unmeasured.other_since >= turn.rules.unknown_after;
}

bool UnknownGroups::enter(Turn& turn, CheckState& check, const Observation& observation) {
  Unmeasured& unmeasured = check.unmeasured;
  const std::string reason = reason_of(observation);
  const bool moved = moves(turn, unmeasured, reason);
  if (moved) {
    // Another reason goes on counting the same time: for the check nothing has become better.
    if (unmeasured.active) remove(turn, check, "vitald cannot measure it for another reason now");
    if (!unmeasured.active) {
      unmeasured.since = turn.now.steady;
      unmeasured.opened = turn.now.wall;
    }
    unmeasured.active = true;
    unmeasured.reason = reason;
    explain(turn, check, "vitald cannot measure it: " + observation.summary);
    unmeasured.other.clear();
    groups_[reason].members.insert(
        {unmeasured.since, check.name, bounded(observation.summary, 300), unmeasured.opened});
  }
  if (unmeasured.reason != reason) return false;
  Group& group = groups_[reason];
  if (group.remedy != observation.remedy) group.remedy = bounded(observation.remedy, 1000);
  if (moved) {
    list_members(turn, reason, group);
  } else if (!group.alarm) {
    arm(turn, reason, group);
  }
  return moved;
}

bool UnknownGroups::leave(Turn& turn, CheckState& check, const std::string& summary) {
  if (!check.unmeasured.active) return false;
  explain(turn, check, summary);
  remove(turn, check, summary);
  check.unmeasured = {};
  return true;
}

void UnknownGroups::remove(Turn& turn, const CheckState& check, const std::string& summary) {
  const std::string& reason = check.unmeasured.reason;
  const auto found = groups_.find(reason);
  if (found == groups_.end()) return;
  Group& group = found->second;
  group.members.erase(Member{check.unmeasured.since, check.name, "", {}});
  if (!group.members.empty()) return list_members(turn, reason, group);
  alarms_.set(reason, group.alarm, std::nullopt);
  if (const Incident* incident = incident_of(reason))
    incidents_.close(turn, IncidentId(incident->facts.id.incident), summary);
  groups_.erase(found);
}

void UnknownGroups::restore(const CheckState& check) {
  if (!check.unmeasured.active) return;
  groups_[check.unmeasured.reason].members.insert(
      {check.unmeasured.since, check.name, check.why, check.unmeasured.opened});
}

void UnknownGroups::arm(const Turn& turn, const std::string& reason, Group& group) {
  std::optional<Steady> wanted;
  if (incident_of(reason) == nullptr) wanted = group.members.begin()->since + turn.rules.unknown_after;
  alarms_.set(reason, group.alarm, wanted);
}

/// Who joins or leaves an open incident does so silently; its next message names them.
void UnknownGroups::list_members(Turn& turn, const std::string& reason, Group& group) {
  arm(turn, reason, group);
  if (const Incident* incident = incident_of(reason)) {
    incidents_.set_affected(turn, IncidentId(incident->facts.id.incident), listed(group.members, &Member::check));
  }
}

void UnknownGroups::elapse(Turn& turn) {
  for (const std::string& reason : alarms_.take_due(turn.now.steady)) {
    Group& group = groups_.at(reason);
    group.alarm.reset();
    open(turn, reason, group);
  }
}

void UnknownGroups::open(Turn& turn, const std::string& reason, const Group& group) {
  const Member& first = *group.members.begin();
  Notification facts;
  facts.severity = Severity::p2;
  facts.status = Status::unknown;
  facts.check = "vitald";
  facts.probe = "vitald";
  facts.summary = "vitald cannot measure " + first.check + ": " + first.summary;
  facts.remedy = group.remedy;
  facts.opened = first.opened;
  facts.affected = listed(group.members, &Member::check);
  incidents_.open(turn, "unknown:" + reason, std::move(facts));
}

void UnknownGroups::rename(Turn& turn, const CheckState& check, const std::string& from) {
  if (!check.unmeasured.active) return;
  Group& group = groups_[check.unmeasured.reason];
  auto member = group.members.extract(Member{check.unmeasured.since, from, "", {}});
  if (member.empty()) return;
  member.value().check = check.name;
  group.members.insert(std::move(member));
  list_members(turn, check.unmeasured.reason, group);
}

void UnknownGroups::adopt_rules(Turn& turn) {
  for (const Incident* incident : incidents_.open_ones()) {
    if (!incident->subject.starts_with("unknown:") || groups_.contains(incident->subject.substr(8))) continue;
    incidents_.close(turn, IncidentId(incident->facts.id.incident),
                     "no check that it concerned is configured any more");
  }
  for (auto& [reason, group] : groups_) {
    if (group.alarm) arm(turn, reason, group);
  }
}

}  // namespace vitald::alerting
