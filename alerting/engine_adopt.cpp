// Taking over: what the store kept, and rules that differ from those before.
#include <algorithm>

#include "alerting/engine_state.hpp"
#include "alerting/records.hpp"

namespace vitald::alerting {
namespace {

constexpr std::string_view of_a_check = "check:", of_a_receiver = "self:receiver:";

}  // namespace

void Engine::State::restore(const Snapshot& snapshot, const Now& now) {
  restore_incidents(snapshot, now);
  hush.restore(snapshot.notes, now);
  for (const CheckRecord& record : snapshot.checks) {
    auto check = check_from_record(record, now);
    if (!check) continue;
    unknown.restore(*check);
    checks.restore(std::move(*check));
  }
  Turn turn{now, *rules, startup};
  adopt(turn);
  join_checks_and_incidents();
  for (const CheckState& check : checks.all()) {
    // A restart costs a confirmation no more than the time that vitald was away.
    if (check.confirm.undecided()) startup.requests.push_back({check.name, std::max(check.confirm.due, now.steady)});
  }
}

void Engine::State::restore_incidents(const Snapshot& snapshot, const Now& now) {
  std::map<IncidentId, Incident> restored;
  for (const IncidentRecord& record : snapshot.incidents) {
    if (auto incident = incident_from_record(record, now)) restored[record.id] = std::move(*incident);
  }
  for (const Notification& row : snapshot.outbox) {
    const auto found = restored.find(row.id.incident);
    if (found == restored.end()) continue;
    Incident& incident = found->second;
    incident.out.emplace(row.id.sequence, row.id.receiver);
    incident.told.try_emplace(row.id.receiver);
    incident.facts.id.sequence = std::max(incident.facts.id.sequence, row.id.sequence);
  }
  for (auto& [id, incident] : restored) {
    if (incident.muted && incident.subject.starts_with(of_a_check)) incident.doubt = now.steady + rules->unknown_after;
    if (!incident.closed || !incident.out.empty()) incidents.restore(std::move(incident));
  }
  for (const NoteRecord& note : snapshot.notes) incidents.restore(note, now);
}

/// Where a salvaged store lost one half, the other half decides: an incident without a check's record is recovered from
/// by the check's next good run, a bad check without an incident is confirmed anew.
void Engine::State::join_checks_and_incidents() {
  for (CheckState& check : checks.all()) {
    const Incident* incident = incidents.find_subject(std::string(of_a_check) + check.name);
    if (incident == nullptr) {
      const bool placed = !check.placing.cause.empty() || check.placing.until;
      if (check.settled == Status::ok || placed) continue;
      check.settled = Status::ok;
      check.confirm = {};
      continue;
    }
    check.incident = incident->facts.id.incident;
    causes.lead(check);
    if (check.settled != Status::ok) continue;
    check.settled = check.confirm.level =
        incident->facts.status == Status::warning ? Status::warning : Status::critical;
    check.confirm.opened = incident->facts.opened;
    check.since = incident->facts.opened;
  }
}

void Engine::State::end_without_receiver(Turn& turn, const IncidentId& id, const std::string& receiver) {
  const auto& all = turn.rules.receivers;
  if (std::find(all.begin(), all.end(), receiver) == all.end())
    incidents.close(turn, id, "receiver " + receiver + " was removed");
}

void Engine::State::adopt(Turn& turn) {
  Checks::Adopted adopted = checks.adopt(turn.rules);
  for (const auto& [from, to] : adopted.renamed) {
    CheckState& check = *checks.find(to);
    turn.effects.checks.push_back({from, "", true});
    explain(turn, check, "renamed from " + from + ", with all that was known of it");
    checks.write_now(check);
    incidents.rename(turn, std::string(of_a_check) + from, std::string(of_a_check) + to, to);
    unknown.rename(turn, check, from);
  }
  for (CheckState& check : adopted.removed) {
    turn.effects.checks.push_back({check.name, "", true});
    unknown.leave(turn, check, "check removed from the configuration");
  }
  for (const Incident* incident : incidents.open_ones()) {
    const std::string& subject = incident->subject;
    const IncidentId id = incident->facts.id.incident;
    // Over a restart nobody else remembers that there was such a receiver.
    if (subject.starts_with(of_a_receiver)) end_without_receiver(turn, id, subject.substr(of_a_receiver.size()));
    if (!subject.starts_with(of_a_check)) continue;
    if (const CheckState* check = checks.find(subject.substr(of_a_check.size()))) {
      incidents.relabel(turn, id, check->rules->labels);
    } else {
      incidents.close(turn, id, "check removed from the configuration");
    }
  }
  for (CheckState& check : checks.all()) {
    adopt_limits(check.limits, check.rules->limits);
    if (check.measured) wake(turn, check);
  }
  hush.adopt_rules(turn);
  hush.pass(turn);
  unknown.adopt_rules(turn);
  incidents.adopt_rules(turn);
  guard.adopt_rules(turn.rules);
  causes.adopt_rules(turn);
  settled_changed = settled_changed || !adopted.removed.empty();
  heed_hush(turn);
}

}  // namespace vitald::alerting
