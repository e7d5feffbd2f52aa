#include "alerting/cause.hpp"

#include <algorithm>
#include <array>

#include "alerting/facts.hpp"
#include "alerting/guard.hpp"
#include "alerting/limit_words.hpp"
#include "alerting/reasons.hpp"

namespace vitald::alerting {
namespace {

using std::chrono::seconds;

constexpr std::size_t reach_max = 10'000;  // checks that one check can drag along
constexpr Duration longest_wait = std::chrono::minutes(3);
constexpr Duration for_the_runs = seconds(10);  // beyond the distances of a confirmation: the runs take time as well

bool is_bad(const CheckState& check) { return check.settled != Status::ok; }
bool is_homeless(const CheckState& check) { return is_bad(check) && check.incident.empty(); }

/// Reasons that are those of the way to the target, or of its host, rather than of what it answers.
bool is_of_the_connection(std::string_view reason) {
  constexpr std::array reasons = {"connect_refused", "connect_timeout", "connection_reset", "closed_early",
                                  "no_route",        "name_not_found",  "socket_missing",   "socket_refused",
                                  "timeout",         "tls_closed",      "tls_handshake"};
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

/// A slow database explains slow pages, but not dead ones; one that is only held open explains nothing.
bool explains(const CheckState& above, const CheckState& check) {
  const bool uplink = check.rules->remote && above.rules->probe == "uplink";
  if (uplink && !uplink_explains(above, check)) return false;
  return is_bad(above) && !above.flapping.resting && worse(above.settled, check.settled) == above.settled;
}

}  // namespace

void Causes::adopt_rules(Turn& turn) {
  std::vector<CheckState>& all = checks_.all();
  above_.assign(all.size(), {});
  below_.assign(all.size(), {});
  for (const CheckState& check : all) {
    for (const std::string& name : check.rules->depends_on) {
      const CheckState* parent = checks_.find(name);
      if (parent == nullptr || parent == &check) continue;
      above_[index_of(check)].push_back(index_of(*parent));
      below_[index_of(*parent)].push_back(index_of(check));
    }
    const CheckState* uplink = check.rules->remote ? checks_.find(turn.rules.uplink) : nullptr;
    if (uplink == nullptr || uplink == &check) continue;
    above_[index_of(check)].push_back(index_of(*uplink));
    below_[index_of(*uplink)].push_back(index_of(check));
  }
  members_.clear();
  leaders_.clear();
  for (CheckState& check : all) {
    if (is_bad(check) && !check.incident.empty()) lead(check);
    if (check.placing.cause.empty()) continue;
    const Incident* incident = incidents_.find_exact(check.placing.cause);
    if (incident != nullptr && !incident->closed && is_homeless(check)) {
      members_[check.placing.cause].insert(check.name);
    } else {
      check.placing.cause.clear();
      checks_.write_now(check);
      if (is_homeless(check)) look_again(turn, check);
    }
  }
}

std::vector<CheckState*> Causes::reach(const CheckState& check, const std::vector<std::vector<Index>>& edges) const {
  std::vector<CheckState*> found;
  const Index start = index_of(check);
  if (start >= edges.size() || edges[start].empty()) return found;
  std::set<Index> seen{start};
  std::vector<Index> queue = edges[start];
  for (std::size_t at = 0; at < queue.size() && found.size() < reach_max; ++at) {
    if (!seen.insert(queue[at]).second) continue;
    found.push_back(&checks_.all()[queue[at]]);
    queue.insert(queue.end(), edges[queue[at]].begin(), edges[queue[at]].end());
  }
  return found;
}

void Causes::ask_above(Turn& turn, CheckState& check) {
  check.placing.asked = turn.now.steady;
  for (CheckState* above : reach(check, above_)) {
    if (is_in_doubt(*above) || above->rules->passive) continue;
    above->asked = turn.now.steady;
    turn.effects.requests.push_back({above->name, turn.now.steady});
  }
}

bool Causes::is_in_doubt(const CheckState& check) {
  return is_bad(check) || check.confirm.bad > 0 || check.asked > check.ran;
}

void Causes::cleared(Turn& turn, const CheckState& check) {
  for (CheckState* below : reach(check, below_)) {
    if (!is_homeless(*below) || !below->placing.until || below->placing.second_look) continue;
    turn.effects.requests.push_back({below->name, turn.now.steady});
  }
}

/// Of the nearest that is bad enough; what that one belongs to itself, where it belongs to another's.
IncidentId Causes::incident_above(const CheckState& check) const {
  for (const CheckState* above : reach(check, above_)) {
    if (!explains(*above, check)) continue;
    const IncidentId& id = above->incident.empty() ? above->placing.cause : above->incident;
    if (!id.empty()) return id;
  }
  return "";
}

/// Of the one that leads its group, when it fails in the same way and began to about when this one did.
IncidentId Causes::incident_beside(const CheckState& check) const {
  const auto found = leaders_.find({check.rules->group, check.reason});
  if (found == leaders_.end() || found->second >= checks_.all().size()) return "";
  const CheckState& leader = checks_.all()[found->second];
  if (&leader == &check || leader.incident.empty() || !explains(leader, check)) return "";
  // It may have been looked at a whole interval later.
  const Duration apart = std::max(confirmation_span(*check.rules), check.rules->every) + for_the_runs;
  const Duration between = check.confirm.opened - leader.confirm.opened;
  return between <= apart && between >= -apart ? leader.incident : "";
}

/// It has joined the one that leads its group, which is not over.
bool Causes::belongs_beside(const CheckState& check) const {
  const Incident* incident = check.placing.cause.empty() ? nullptr : incidents_.find_exact(check.placing.cause);
  const CheckState* leader = incident == nullptr || incident->closed ? nullptr : checks_.find(incident->facts.check);
  return leader != nullptr && !check.rules->group.empty() && leader->rules->group == check.rules->group &&
         leader->incident == check.placing.cause;
}

void Causes::lead(const CheckState& check) {
  if (!check.rules->group.empty() && is_of_the_connection(check.reason))
    leaders_[{check.rules->group, check.reason}] = index_of(check);
}

/// It is being confirmed, it waits itself, or it has not been looked at since it was asked.
bool Causes::may_turn_bad(const CheckState& above, Steady asked) const {
  if (is_bad(above)) return is_homeless(above) && above.placing.cause.empty();
  return above.confirm.bad > 0 || (above.ran < asked && above.asked > above.ran);
}

std::vector<const CheckState*> Causes::doubtful(const CheckState& check) const {
  std::vector<const CheckState*> found;
  for (const CheckState* above : reach(check, above_)) {
    if (may_turn_bad(*above, check.placing.asked)) found.push_back(above);
  }
  return found;
}

Causes::Place Causes::place(Turn& turn, CheckState& check) {
  if (const IncidentId incident = incident_above(check); !incident.empty()) {
    join(turn, check, incident);
    return Place::joined;
  }
  if (belongs_beside(check)) return Place::joined;
  if (!check.placing.cause.empty()) forget(turn, check);
  const auto doubt = doubtful(check);
  if (!check.placing.until && !doubt.empty()) {
    Duration patience{};
    for (const CheckState* above : doubt) patience = std::max(patience, confirmation_span(*above->rules));
    check.placing.until = turn.now.steady + std::min(patience + for_the_runs, longest_wait);
    explain_wait(turn, check, doubt);
    checks_.write_now(check);
  }
  const bool waits = check.placing.until && turn.now.steady < *check.placing.until;
  if (waits && (check.placing.second_look || !doubt.empty())) return Place::waits;
  const IncidentId beside = incident_beside(check);
  if (beside.empty()) return Place::own;
  join(turn, check, beside);
  return Place::joined;
}

void Causes::join(Turn& turn, CheckState& check, const IncidentId& incident) {
  const bool known = check.placing.cause == incident;
  if (!known) {
    if (!check.placing.cause.empty()) forget(turn, check);
    check.placing.cause = incident;
    check.placing.until.reset();
    check.placing.second_look = false;
    checks_.write_now(check);
    members_[incident].insert(check.name);
  }
  const Incident* joined = incidents_.find_exact(incident);
  if (joined == nullptr) return;
  if (!known) explain(turn, check, "belongs to the incident of " + name_of(*joined) + ": no message of its own");
  // Who is paged for the check must not sleep because what it depends on is less urgent by itself.
  const auto severity = weight(check);
  if (severity && *severity < joined->facts.severity) {
    Notification facts = joined->facts;
    facts.severity = *severity;
    facts.affected = listed(members_[incident]);
    incidents_.change(turn, incident, std::move(facts));
  } else if (!known) {
    incidents_.set_affected(turn, incident, listed(members_[incident]));
  }
}

void Causes::forget(Turn& turn, CheckState& check) {
  const auto found = members_.find(check.placing.cause);
  if (found != members_.end()) {
    found->second.erase(check.name);
    incidents_.set_affected(turn, check.placing.cause, listed(found->second));
    if (found->second.empty()) members_.erase(found);
  }
  check.placing.cause.clear();
  checks_.write_now(check);
}

void Causes::leave(Turn& turn, CheckState& check) {
  if (!check.placing.cause.empty()) forget(turn, check);
  check.placing = {};
}

std::vector<CheckState*> Causes::followers(const CheckState& check) const {
  std::vector<CheckState*> found;
  for (CheckState* below : reach(check, below_)) {
    if (is_homeless(*below) && below->placing.cause.empty() && explains(check, *below)) found.push_back(below);
  }
  return found;
}

void Causes::add_followers(const CheckState& check, Notification& facts) const {
  std::set<std::string> names;
  const auto known = members_.find(check.incident);
  if (known != members_.end()) names = known->second;
  for (const CheckState* below : followers(check)) names.insert(below->name);
  for (const std::string& name : names) {
    const CheckState* below = checks_.find(name);
    if (below != nullptr) facts.severity = std::min(facts.severity, weight(*below).value_or(facts.severity));
  }
  facts.affected = listed(names);
}

std::optional<Severity> Causes::weight(const CheckState& check) const {
  if (!is_bad(check) || hush_.mutes(check.name, check.rules->labels)) return std::nullopt;
  return severity_of(*check.rules, check.settled);
}

void Causes::weigh(Turn& turn) {
  for (const auto& [id, names] : members_) {
    const Incident* incident = incidents_.find_exact(id);
    if (incident == nullptr || incident->closed) continue;
    Notification facts = incident->facts;
    for (const std::string& name : names) {
      const CheckState* check = checks_.find(name);
      if (check != nullptr) facts.severity = std::min(facts.severity, weight(*check).value_or(facts.severity));
    }
    if (facts.severity < incident->facts.severity) incidents_.change(turn, id, std::move(facts));
  }
}

void Causes::take_in(Turn& turn, CheckState& check) {
  check.placing = {.asked = check.placing.asked};
  lead(check);
  for (CheckState* below : followers(check)) join(turn, *below, check.incident);
  const Incident* incident = incidents_.find_exact(check.incident);
  if (incident == nullptr) return;
  // What was told of before has been asked about the uplink, and that was good then.
  if (check.rules->probe == "uplink") return;
  // Those that people have been told of already keep their incident, and people learn why.
  const Steady about_then = incident->opened - longest_wait;
  for (CheckState* below : reach(check, below_)) {
    const Incident* own = below->incident.empty() ? nullptr : incidents_.find_exact(below->incident);
    if (own == nullptr || own->opened < about_then || !own->facts.cause.empty() || !explains(check, *below)) continue;
    Notification facts = own->facts;
    facts.cause = bounded(check.name + " - " + incident->facts.summary, 400);
    incidents_.change(turn, below->incident, std::move(facts));
  }
}

void Causes::release(Turn& turn, const IncidentId& incident) {
  const auto found = members_.find(incident);
  if (found == members_.end()) return;
  const std::set<std::string> names = std::move(found->second);
  members_.erase(found);
  for (const std::string& name : names) {
    CheckState* check = checks_.find(name);
    if (check == nullptr) continue;
    check->placing.cause.clear();
    checks_.write_now(*check);
    if (is_homeless(*check)) look_again(turn, *check);
  }
}

/// What comes back up needs a moment: its dependants get as long as it takes to confirm that they are bad.
void Causes::look_again(Turn& turn, CheckState& check) {
  const Duration span = confirmation_span(*check.rules);
  check.placing.second_look = true;
  explain(turn, check, "what it was put down to has ended: it is looked at again before people are told of it");
  check.placing.until = turn.now.steady + std::min(span + for_the_runs, longest_wait);
  checks_.write_now(check);
  checks_.wake(check, check.placing.until);
  turn.effects.requests.push_back({check.name, turn.now.steady});
}

}  // namespace vitald::alerting
