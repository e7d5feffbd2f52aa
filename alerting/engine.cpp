// The one page on which the order of the stages is read: see State::measured().
#include <algorithm>
#include <utility>

#include "alerting/engine_state.hpp"
#include "alerting/facts.hpp"
#include "alerting/limit_words.hpp"
#include "alerting/reasons.hpp"
#include "alerting/records.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

constexpr std::size_t probe_memory_max = 60 * 1024;
constexpr std::size_t summary_max = 300;

Status level_of(Outcome outcome, Status by_limits) {
  switch (outcome) {
    case Outcome::answered:
      return by_limits;
    case Outcome::refused:
    case Outcome::wrong:
      return Status::critical;
    case Outcome::unmeasured:
      break;
  }
  return Status::unknown;
}

/// The run says nothing of how the check is.
void nobody_knows(const Turn& turn, CheckState& check, const Observed& event, std::string why) {
  check.measured = false;
  check.ran = std::min(event.started.steady, turn.now.steady);
  check.verdict = Status::unknown;
  check.why = std::move(why);
  look_away(check.flapping);
}

/// An event that let go, or a level that fell without a new observation: what is known of the incident stays.
Notification lesser(const Incident* incident, const CheckState& check, Status settled, const std::string& why) {
  Notification facts = incident != nullptr ? incident->facts : Notification{};
  facts.severity = severity_of(*check.rules, settled);
  facts.status = settled;
  facts.summary = bounded(why, summary_max);
  return facts;
}

void add_words(std::string& sentence, const std::string& more) {
  if (!more.empty()) sentence += ", " + more;
}

void keep_earliest(std::optional<Steady>& at, std::optional<Steady> other) {
  if (other && (!at || *other < *at)) at = other;
}

}  // namespace

// ---- an observation

void Engine::State::on(Turn& turn, const Observed& event) {
  CheckState* check = checks.find(event.check);
  if (check == nullptr) return;  // the last run of a check that a reload has removed
  if (!check->observed) checks.write_soon(*check, turn.now.steady);
  check->observed = true;
  remember_probe(turn, *check, event);
  if (guard.holds(turn, *check, event)) {
    held_by_guard(turn, *check, event);
  } else if (event.observation.outcome == Outcome::unmeasured) {
    not_measured(turn, *check, event);
  } else {
    measured(turn, *check, event);
  }
}

void Engine::State::measured(Turn& turn, CheckState& check, const Observed& event) {
  const CheckRules& rules_of_check = *check.rules;
  const Observation& observation = event.observation;
  const bool answered = observation.outcome == Outcome::answered;
  const Steady at = std::min(event.started.steady, turn.now.steady);

  // limits: what this run says
  const Steady release = turn.now.steady + rules_of_check.hold;
  const Judged judged = judge_limits(rules_of_check.limits, check.limits, observation.samples, answered, at, release);
  const Status level = level_of(observation.outcome, judged.level);
  // As of now, not as of the run's start: a hold that has ended meanwhile must not open a new incident.
  const Status held = held_by_events(check.limits, turn.now.steady);
  const bool was_good = check.verdict == Status::ok || check.verdict == Status::unknown;
  const bool was_in_doubt = Causes::is_in_doubt(check);
  check.measured = true;
  check.ran = at;
  check.reason = answered ? std::string() : observation.reason;
  check.verdict = worse(level, held);
  if (check.verdict != level) {
    check.why = check.limits.event_why;
  } else {
    check.why = answered && level != Status::ok ? judged.why : observation.summary;
  }
  if (judged.happened) checks.write_now(check);
  if (judged.remembers) checks.write_soon(check, turn.now.steady);

  // unknown: it is over
  if (unknown.leave(turn, check, "vitald can measure " + check.name + " again")) checks.write_now(check);

  // confirm: whether this run's level counts
  const Confirming before = check.confirm;
  const ConfirmStep step = confirm(check.confirm, rules_of_check, level, event.started);
  if (step.counted || step.decided) explain_count(turn, check, before, step);
  count(turn, check, step);

  keep_proof(check, event);

  // flap: whether it comes and goes
  if (observe(check.flapping, check.verdict, at, rules_of_check.every)) checks.write_soon(check, turn.now.steady);

  // cause: whether something that it depends on is to blame
  if (check.verdict == Status::ok && was_in_doubt) causes.cleared(turn, check);
  if (check.verdict != Status::ok && was_good) causes.ask_above(turn, check);

  // guard: whether this host is cut off
  guard.uplink_measured(turn, check, event);

  // incident and escalate: who is told
  settle(turn, check, held, &event, step.by);
  if (check.verdict != Status::ok && !check.incident.empty()) incidents.seen_bad(turn, check.incident);
  wake(turn, check);
}

void Engine::State::not_measured(Turn& turn, CheckState& check, const Observed& event) {
  nobody_knows(turn, check, event, event.observation.summary);
  if (unknown.enter(turn, check, event.observation)) checks.write_now(check);
  // A restart counts what had passed when the record was written, so that is kept up to date until people are told.
  const Duration lasts = turn.now.steady - check.unmeasured.since;
  if (lasts < turn.rules.unknown_after + std::chrono::minutes(2)) checks.write_soon(check, turn.now.steady);
  count(turn, check, confirm(check.confirm, *check.rules, Status::unknown, event.started));
}

void Engine::State::held_by_guard(Turn& turn, CheckState& check, const Observed& event) {
  nobody_knows(turn, check, event, "this host is cut off: " + bounded(event.observation.summary, summary_max));
  count(turn, check, confirm(check.confirm, *check.rules, Status::unknown, event.started));
  // The uplink's incident says it for all of them.
  const bool told = incidents.find_subject("unknown:" + check.unmeasured.reason) != nullptr;
  if (!told && unknown.leave(turn, check, "this host is cut off")) checks.write_now(check);
  const CheckState* uplink = checks.find(turn.rules.uplink);
  if (uplink != nullptr && !uplink->incident.empty() && check.incident.empty())
    causes.attach(turn, check, uplink->incident);
}

void Engine::State::remember_probe(Turn& turn, CheckState& check, const Observed& event) {
  const Observation& observation = event.observation;
  if (!observation.memory || observation.memory->size() > probe_memory_max) return;
  const bool changed = *observation.memory != check.probe_memory;
  if (changed) check.probe_memory = *observation.memory;
  if (event.told) return checks.write_now(check);
  if (changed) checks.write_soon(check, turn.now.steady);
}

void Engine::State::count(Turn& turn, CheckState& check, const ConfirmStep& step) {
  if (step.counted || step.decided) checks.write_now(check);
  if (step.run_at) turn.effects.requests.push_back({check.name, *step.run_at});
}

void Engine::State::settle(Turn& turn, CheckState& check, Status held, const Observed* event,
                           const std::string& confirmed_by) {
  const Status found = worse(check.confirm.level, held);
  const Status verdict = event != nullptr ? check.verdict : Status::ok;
  const Status settled =
      counted(check.flapping, found, check.settled, verdict, !check.incident.empty(), turn.now.steady);
  if (rests(check.flapping, found, settled)) causes.release(turn, check.incident);
  const bool homeless = settled != Status::ok && check.incident.empty();
  const bool stays = event != nullptr && !homeless && stays_down(check.flapping, found, settled, turn.now.steady);
  if (settled == check.settled && !homeless && !stays) return;
  const bool by_event = settled == held && settled != check.confirm.level;
  const bool unstable = settled != found;
  const bool worse_now = homeless || stays || worse(check.settled, settled) != check.settled;
  if (settled != check.settled) {
    check.settled = settled;
    check.since = turn.now.wall;
    explain_settled(turn, check, by_event, check.limits.event_why);
    settled_changed = true;
    checks.write_now(check);
  }
  if (settled == Status::ok) return over(turn, check, event);
  if (homeless && causes.place(turn, check) != Causes::Place::own) return;
  // Whoever has not been told yet is not told because of a good run: the next ones decide.
  if (homeless && event != nullptr && check.verdict == Status::ok) return;
  if (homeless && event == nullptr) {
    turn.effects.requests.push_back({check.name, turn.now.steady});  // what it says of itself belongs to the message
    return;
  }
  const std::string why = unstable   ? unstable_words(check.flapping, settled, turn.now.steady)
                          : by_event ? check.limits.event_why
                                     : check.why;
  Notification facts = event != nullptr ? facts_of(check, *event, settled, why)
                                        : lesser(incidents.find_exact(check.incident), check, settled, why);
  facts.confirmed_by = confirmed_by;
  if (unstable) {
    facts.opened = turn.now.wall - (turn.now.steady - unstable_since(check.flapping, turn.now.steady));
  } else if (!by_event) {
    facts.opened = check.confirm.opened;
  }
  if (worse_now) add_words(facts.summary, rise(check.flapping, unstable, turn.now));
  causes.add_followers(check, facts);
  if (check.incident.empty()) {
    const Duration quiet = guard.quiet(check, turn.now.steady);
    const Incident& opened = incidents.open(turn, "check:" + check.name, std::move(facts), "", quiet);
    check.incident = opened.facts.id.incident;
    explain(turn, check, words_of_opening(opened));
    incidents.saw(check.incident, std::exchange(check.first_bad, {}));
    checks.write_now(check);
    causes.take_in(turn, check);
  } else {
    incidents.change(turn, check.incident, std::move(facts));
  }
}

void Engine::State::over(Turn& turn, CheckState& check, const Observed* event) {
  causes.leave(turn, check);
  const std::string steady = fall(check.flapping);
  const IncidentId ended = std::exchange(check.incident, {});
  if (ended.empty()) return;
  // A run that fails anew may be what finds that an event has let go; what it saw is no word of a recovery.
  const bool fine = event != nullptr && check.verdict == Status::ok;
  std::string good = fine ? event->observation.summary : "nothing new for " + say_duration(check.rules->hold);
  add_words(good, steady);
  const Incident* incident = incidents.find_exact(ended);
  const std::string digest = incident != nullptr ? guard.concluded(turn, check, *incident) : "";
  incidents.close(turn, ended, bounded(good, summary_max), digest);
  causes.release(turn, ended);
}

void Engine::State::wake(const Turn& turn, CheckState& check) {
  std::optional<Steady> at = next_release(check.limits, turn.now.steady);
  if (check.placing.until && *check.placing.until > turn.now.steady) keep_earliest(at, check.placing.until);
  checks.wake(check, at);
}

// ---- the other events

void Engine::State::on(Turn& turn, const Elapsed&) {
  for (CheckState* check : checks.take_due(turn.now.steady)) {
    // While a check cannot be measured, nobody can say that its events have ended: unknown recovers nothing.
    if (!check->measured) continue;
    settle(turn, *check, held_by_events(check->limits, turn.now.steady), nullptr, "");
    wake(turn, *check);
  }
  unknown.elapse(turn);
  incidents.elapse(turn);
}

void Engine::State::on(Turn& turn, const Acknowledged& event) {
  const Result<IncidentId> id = incidents.find(event.incident);
  if (!id) return;
  if (event.undo) return incidents.take_back(turn, *id);
  incidents.acknowledge(turn, *id, bounded(event.by, 100));
}

void Engine::State::on(Turn& turn, const Delivered& event) { incidents.delivered(turn, event); }

void Engine::State::on(Turn& turn, const SelfTrouble& event) {
  std::string subject = "self:" + event.key;
  if (incidents.find_subject(subject) != nullptr) return;
  incidents.open(turn, std::move(subject), facts_of(event, turn.now), event.except);
}

void Engine::State::on(Turn& turn, const SelfRecovered& event) {
  const Incident* incident = incidents.find_subject("self:" + event.key);
  if (incident == nullptr) return;
  incidents.close(turn, IncidentId(incident->facts.id.incident), bounded(event.summary, summary_max));
}

void Engine::State::on(Turn& turn, const Reconfigured& event) {
  const std::shared_ptr<const Rules> old = std::exchange(rules, event.rules);
  Turn renewed{turn.now, *rules, turn.effects};
  adopt(renewed);
}

void Engine::State::on(Turn& turn, const Stopping&) {
  incidents.touch_open();
  hush.write_all(turn);
}

void Engine::State::finish(Turn& turn, bool everything) {
  look_for_recoveries(turn);
  checks.write(turn, everything);
  incidents.write(turn);
  keep_earliest(turn.effects.wake_at, checks.wake_at());
  keep_earliest(turn.effects.wake_at, unknown.wake_at());
  keep_earliest(turn.effects.wake_at, incidents.wake_at(turn.now));
  keep_earliest(turn.effects.wake_at, hush.wake_at(turn.now));
}

// ---- what the shell sees

Engine::Engine(std::shared_ptr<const Rules> rules, Snapshot restored, const Now& now,
               const std::array<std::uint64_t, 4>& entropy)
    : state_(std::make_unique<State>(std::move(rules), entropy)) {
  state_->restore(restored, now);
}

Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

Effects Engine::step(const Now& now, const Event& event) {
  Effects effects = std::exchange(state_->startup, {});
  effects.wake_at.reset();
  Turn turn{now, *state_->rules, effects};
  state_->pass(turn);
  std::visit([&](const auto& happened) { state_->on(turn, happened); }, event);
  Turn last{now, *state_->rules, effects};
  state_->finish(last, std::holds_alternative<Stopping>(event));
  return effects;
}

std::optional<CheckView> Engine::view(std::string_view name) const {
  const CheckState* check = state_->checks.find(name);
  if (check == nullptr) return std::nullopt;
  CheckView view;
  view.verdict = check->verdict;
  view.settled = check->settled;
  view.observed = check->observed;
  const Progress counted = progress(check->confirm, *check->rules);
  view.seen = counted.seen;
  view.needed = counted.needed;
  view.why = check->why;
  view.incident = check->incident.empty() ? check->placing.cause : check->incident;
  if (view.incident.empty() && check->unmeasured.active) {
    const Incident* group = state_->incidents.find_subject("unknown:" + check->unmeasured.reason);
    if (group != nullptr) view.incident = group->facts.id.incident;
  }
  view.since = check->since;
  return view;
}

std::vector<IncidentView> Engine::open_incidents() const {
  std::vector<IncidentView> views;
  for (const Incident* incident : state_->incidents.open_ones()) {
    const Notification& facts = incident->facts;
    views.push_back({columns_of(*incident), facts.acknowledged_by, incident->muted, facts.affected});
  }
  return views;
}

std::size_t Engine::open_count(Severity severity) const { return state_->incidents.open_count(severity); }

Result<IncidentId> Engine::find_incident(std::string_view prefix) const { return state_->incidents.find(prefix); }

std::string_view Engine::probe_memory(std::string_view name) const {
  const CheckState* check = state_->checks.find(name);
  return check == nullptr ? std::string_view() : std::string_view(check->probe_memory);
}

std::string_view Engine::handle(const IncidentId& id, const std::string& receiver) const {
  const Incident* incident = state_->incidents.find_exact(id);
  if (incident == nullptr) return "";
  const auto told = incident->told.find(receiver);
  return told == incident->told.end() ? std::string_view() : std::string_view(told->second.handle);
}

}  // namespace vitald::alerting
