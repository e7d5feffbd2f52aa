#include "alerting/explain.hpp"

#include <algorithm>

#include "alerting/confirm.hpp"
#include "alerting/engine_state.hpp"
#include "alerting/explain_words.hpp"
#include "alerting/facts.hpp"
#include "alerting/reasons.hpp"
#include "alerting/records.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

using words::when;

/// Adds a paragraph unless it is empty.
void put(Explanation& all, std::string about, std::vector<std::string> says) {
  if (!says.empty()) all.paragraphs.push_back({std::move(about), std::move(says)});
}

std::string standing(const CheckState& check) {
  const std::string why = check.why.empty() ? "" : ": " + check.why;
  if (!check.observed) return "It has not run yet";
  if (check.verdict == Status::unknown && !check.unmeasured.active) return "It has not been measured yet" + why;
  return "Its latest run says " + std::string(to_string(check.verdict)) + why;
}

std::vector<std::string> now_of(const CheckState& check, const Rules& rules, const Now& now) {
  std::vector<std::string> says{standing(check)};
  if (check.settled != Status::ok) {
    says.push_back("It counts as " + std::string(to_string(check.settled)) + " since " + when(check.since, now));
  } else if (check.verdict != Status::ok && check.observed) {
    says.push_back("It still counts as good: nothing bad is confirmed");
  } else if (check.since != Wall{}) {
    says.push_back("It counts as good since " + when(check.since, now));
  }
  if (check.unmeasured.active) {
    const Steady told = check.unmeasured.since + rules.unknown_after;
    says.push_back("vitald cannot measure it since " + when(check.unmeasured.opened, now) +
                   ", so nobody knows how it stands; this neither confirms nor ends anything");
    if (told > now.steady) says.push_back("People are told that it cannot be measured " + words::due(told, now));
  }
  return says;
}

std::vector<std::string> confirmation_of(const CheckState& check, const Now& now) {
  const CheckRules& rules = *check.rules;
  std::vector<std::string> says;
  const Progress counted = progress(check.confirm, rules);
  if (counted.needed > 0) {
    const bool recovers = check.confirm.good > 0 || check.confirm.lower > 0;
    says.push_back(std::to_string(counted.seen) + " of the " + std::to_string(counted.needed) +
                   (recovers ? " good runs that it takes to be believed again" : " bad runs that it takes to count"));
    says.push_back("The next run that counts is due " + words::due(check.confirm.due, now));
  } else {
    says.push_back(words::takes(rules));
  }
  if (const auto release = next_release(check.limits, now.steady))
    says.push_back("An event holds it: " + check.limits.event_why + "; it lets go " + words::due(*release, now));
  return says;
}

/// Those that it depends on, and whether they explain anything.
std::vector<std::string> cause_of(const CheckState& check, const Checks& checks, const Incidents& incidents,
                                  const Now& now) {
  std::vector<std::string> says;
  if (const Incident* cause = incidents.find_exact(check.placing.cause); cause != nullptr)
    says.push_back("It belongs to the incident of " + name_of(*cause) + ", so it has no messages of its own");
  if (check.placing.until && *check.placing.until > now.steady) {
    says.push_back(std::string(check.placing.second_look ? "Its cause has ended, and it is looked at again"
                                                         : "It waits for what it depends on, which may be the cause") +
                   "; people are told of it " + words::due(*check.placing.until, now) + " if it is still bad");
  }
  std::vector<std::string> names;
  for (const std::string& name : check.rules->depends_on) {
    const CheckState* above = checks.find(name);
    if (above == nullptr) continue;
    names.push_back(name + " (" + (above->settled == Status::ok ? "good" : std::string(to_string(above->settled))) +
                    ")");
  }
  if (!names.empty()) says.push_back("It depends on " + words::list(names));
  return says;
}

std::vector<std::string> not_told(const CheckState& check) {
  if (!check.placing.cause.empty()) return {};
  if (check.settled != Status::ok) return {"Nobody is told of it yet"};
  if (check.verdict == Status::ok) return {};
  if (check.unmeasured.active) return {"Nobody is told that it is bad, since nobody knows"};
  return {"Nobody is told: a glitch is no incident, and this one may be no more"};
}

void put_incident(Explanation& all, const Incident& incident, const Rules& rules, const Now& now) {
  all.incident = incident.facts.id.incident;
  put(all, "told", words::told(incident, now));
  if (incident.closed) return;
  put(all, "not told", words::not_told(incident, rules, now));
  put(all, "next", words::next(incident, rules, now));
}

Explanation of_incident(const Incident& incident, const Now& now) {
  Explanation all;
  all.subject = all.incident = incident.facts.id.incident;
  all.check = incident.facts.check;
  put(all, "now", words::state(incident, now));
  if (!incident.facts.cause.empty()) put(all, "cause", {incident.facts.cause});
  if (!incident.facts.affected.empty()) put(all, "also affected", {words::list(incident.facts.affected)});
  all.reasons = incident.timeline.reasons();
  return all;
}

/// Two chains as one, in the order of time.
std::vector<Reason> merged(const std::vector<Reason>& one, const std::vector<Reason>& other) {
  std::vector<Reason> all = one;
  all.insert(all.end(), other.begin(), other.end());
  std::stable_sort(all.begin(), all.end(), [](const Reason& a, const Reason& b) { return a.at < b.at; });
  return all;
}

}  // namespace

void Engine::State::keep_proof(CheckState& check, const Observed& event) {
  if (check.verdict == Status::ok) {
    if (check.first_bad.at != Wall{} && check.settled == Status::ok && !check.confirm.undecided()) check.first_bad = {};
    return;
  }
  if (!check.incident.empty()) return incidents.saw(check.incident, sighting_of(check, event));
  if (check.first_bad.at == Wall{}) check.first_bad = sighting_of(check, event);
}

Result<Explanation> Engine::explanation(const Now& now, std::string_view name) const {
  const State& state = *state_;
  const CheckState* check = state.checks.find(name);
  if (check == nullptr) {
    const auto id = state.incidents.find(name);
    if (!id) return id.failure();
    const Incident& incident = *state.incidents.find_exact(*id);
    Explanation all = of_incident(incident, now);
    put_incident(all, incident, *state.rules, now);
    return all;
  }
  Explanation all;
  all.subject = all.check = check->name;
  put(all, "now", now_of(*check, *state.rules, now));
  put(all, "confirmation", confirmation_of(*check, now));
  put(all, "cause", cause_of(*check, state.checks, state.incidents, now));
  const Incident* own = state.incidents.find_exact(check->incident);
  const Incident* shared = own;
  if (shared == nullptr) shared = state.incidents.find_exact(check->placing.cause);
  if (shared == nullptr && check->unmeasured.active)
    shared = state.incidents.find_subject("unknown:" + check->unmeasured.reason);
  if (shared != nullptr) {
    put_incident(all, *shared, *state.rules, now);
  } else {
    put(all, "not told", not_told(*check));
  }
  all.reasons = own == nullptr ? check->trace.reasons() : merged(check->trace.reasons(), own->timeline.reasons());
  return all;
}

std::optional<IncidentRecord> Engine::incident(const Now& now, const IncidentId& id) const {
  const Incident* incident = state_->incidents.find_exact(id);
  if (incident == nullptr) return std::nullopt;
  return to_record(*incident, now);
}

std::optional<Explanation> explain_record(const IncidentRecord& record, const Now& now) {
  const auto incident = incident_from_record(record, now);
  if (!incident) return std::nullopt;
  Explanation all = of_incident(*incident, now);
  put(all, "told", words::told(*incident, now));
  return all;
}

}  // namespace vitald::alerting
