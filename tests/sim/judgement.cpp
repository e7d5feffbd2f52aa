// What must hold after each step and at the end. It knows the truth and what receivers took, and what the engine shows
// to everyone; of how it decides it knows nothing.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/sim/simulation.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

namespace {

bool raises(const Notification& message) {
  return message.kind == NotificationKind::problem || message.kind == NotificationKind::escalation;
}

}  // namespace

void Simulation::violate(std::string what) {
  log("VIOLATION " + what);
  outcome_.violations.push_back(std::move(what));
}

void Simulation::judge_step(const Effects& effects) {
  decided_ += effects.outbox.size();
  const bool spins = effects.wake_at && *effects.wake_at <= agenda_.now();
  steps_without_time_ = spins ? steps_without_time_ + 1 : 0;
  if (steps_without_time_ > 1000) violate("it wants to be woken again and again at one time");
  for (const Notification& message : effects.outbox) {
    const auto& receivers = rules_->receivers;
    const bool known = std::find(receivers.begin(), receivers.end(), message.id.receiver) != receivers.end();
    if (!known && channel_of(message.id.receiver) != nullptr) violate("a message for nobody: " + message.id.text());
  }
  // All incidents are looked at when one changed, in a large world less often.
  const bool due = !effects.incidents.empty() && (checks_.size() < 50 || steps_ % 64 == 0);
  if (due || ++steps_ % 1024 == 0) judge_incidents();
}

void Simulation::judge_incidents() {
  std::array<std::size_t, 4> counts{};
  for (const IncidentView& incident : engine_->open_incidents()) {
    const IncidentRecord& record = incident.record;
    ++counts[static_cast<std::size_t>(record.severity)];
    if (record.closed) violate("the open incident " + record.id + " is closed");
    if (!record.subject.starts_with("check:")) continue;
    const auto view = engine_->view(record.subject.substr(6));
    if (!view) {
      if (by_name_.at(record.subject.substr(6))->rules != nullptr) violate(record.subject + " has no check");
    } else if (view->incident != record.id || view->settled == Status::ok) {
      violate(record.subject + " and its incident " + record.id + " do not know each other");
    }
  }
  for (const Severity severity : {Severity::p0, Severity::p1, Severity::p2, Severity::p3}) {
    if (engine_->open_count(severity) != counts[static_cast<std::size_t>(severity)])
      violate("the open incidents of " + std::string(to_string(severity)) + " are miscounted");
  }
}

void Simulation::judge_committed(const Effects& effects) {
  for (const Notification& message : effects.outbox) {
    log("owed " + message.id.text() + " " + std::string(to_string(message.kind)) + " " + message.check + ": " +
        message.summary);
    if (!committed_.insert(message.id).second) violate("the id " + message.id.text() + " was used twice");
    std::uint32_t& newest = newest_[message.id.incident];
    if (message.id.sequence <= newest) violate(message.id.text() + " is not numbered above the one before");
    newest = message.id.sequence;
    const std::pair whom(message.id.incident, message.id.receiver);
    if (ended_.contains(whom)) violate(message.id.text() + " follows the recovery");
    if (message.kind == NotificationKind::recovery) ended_.insert(whom);
    if (message.kind == NotificationKind::reminder) saw("a reminder");
    if (message.kind == NotificationKind::escalation) saw("an escalation");
    if (message.kind == NotificationKind::update) saw("an update");
    if (message.status == Status::unknown && raises(message)) saw("an unknown incident");
    if (message.summary.starts_with("unstable")) saw("an unstable check was told");
    if (message.check == "further checks" && message.kind == NotificationKind::problem) saw("a storm was told");
    const auto found = by_name_.find(message.check);
    if (message.kind != NotificationKind::problem || found == by_name_.end() || wall_jumped_) continue;
    // Events, and checks that come and go, are told of with the time at which that became so.
    const auto says = [&](const char* words) { return message.summary.find(words) != std::string::npos; };
    const bool by_run = !says("failed jobs") && !says("unstable") && !says(" times since ");
    if (by_run && !found->second->bad_starts.contains(message.opened))
      violate(message.id.text() + " says that " + message.check + " was bad when it was not");
  }
}

/// Longer than the schedule, the confirmation and the probes themselves need: then it must have been noticed.
void Simulation::judge_detection(const Check& check, Duration lasted) {
  Duration bound = check.rules->every + 10s;
  for (int step = 1; step < check.rules->confirm.failures; ++step) {
    const auto& spread = check.rules->confirm.spread;
    bound += spread[std::min(static_cast<std::size_t>(step) - 1, spread.size() - 1)] + 2s;
  }
  if (!alive_ || lasted < bound || (died_at_ && agenda_.now() - *died_at_ < lasted + 20min)) return;
  saw("an outage that had to be noticed");
  if (engine_->view(check.name)->settled != Status::critical) violate("an outage of " + check.name + " was missed");
}

/// A check may wait until what it needs is judged, and for a second look after its cause has ended; then it belongs to
/// an incident.
void Simulation::judge_belonging(Check& check) {
  const auto view = engine_->view(check.name);
  const auto incident = store_.incidents().find(view->incident);
  if (incident != store_.incidents().end() && incident->second.check != check.name && view->settled != Status::ok)
    saw("an outage with a cause");
  if (view->settled == Status::ok && view->verdict == Status::ok && check.target->condition() == Condition::fine)
    check.suspect = false;
  // While it cannot be measured, nobody can say whether it still is bad; that has an incident of its own in time.
  if (view->settled == Status::ok || view->verdict == Status::unknown || !view->incident.empty()) {
    check.homeless_since.reset();
    return;
  }
  if (!check.homeless_since) check.homeless_since = agenda_.now();
  if (agenda_.now() - *check.homeless_since > 5min) violate(check.name + " is bad and belongs to no incident");
}

void Simulation::judge_receipt(Channel& channel, const Notification& message) {
  journal_.note_taken(age(), message);
  if (!committed_.contains(message.id)) violate(message.id.text() + " was sent before it was committed");
  const int receipts = ++receipts_[message.id];
  if (receipts > 1) saw("a message was repeated");
  if (receipts > 1 + excuses_[message.id]) violate(message.id.text() + " was repeated without cause");
  Heard& heard = channel.receiver.heard(message.id.incident);
  heard.raised = heard.raised || raises(message);
  heard.recovered = heard.recovered || message.kind == NotificationKind::recovery;
  if (heard.newest > message.id.sequence) violate(message.id.text() + " came after a newer message of its incident");
  heard.newest = message.id.sequence;
  if (!heard.raised) violate(message.id.text() + " came before any problem of its incident");
}

void Simulation::stop_faults() {
  faults_ = false;
  log("faults stop");
  cut_ = {};
  for (std::size_t network = 0; network < cut_.size(); ++network) {
    journal_.note(age(), "network", {{"network", network}, {"cut", false}});
  }
  for (const auto& check : checks_) {
    check->target->calm();
    journal_.note(age(), "target", {{"check", check->name}, {"condition", "fine"}});
  }
  for (const auto& channel : channels_) {
    channel->mood = Receiver::Mood::takes;
    if (!alive_ || !channel->queue || !channel->queue->stopped()) continue;
    channel->queue->resume(now());
    step(SelfRecovered{"receiver:" + channel->name, "it takes messages again"});
    poke(*channel);
  }
}

void Simulation::judge_end() {
  if (!alive_) return violate("the daemon did not come back");
  for (const auto& channel : channels_) {
    if (channel->queue && channel->queue->size() > 0) violate("the queue of " + channel->name + " did not drain");
  }
  if (store_.outbox_size() > 0) violate("the outbox did not drain");
  for (const auto& check : checks_) {
    if (check->rules == nullptr) continue;
    const auto view = engine_->view(check->name);
    if (view->settled != Status::ok || view->verdict != Status::ok) violate(check->name + " is fine and not seen so");
  }
  for (const auto& incident : engine_->open_incidents()) {
    // Who forgot over a restart that a receiver refused has nobody to say that it recovered; the daemon does that at
    // start.
    if (!incident.record.subject.starts_with("self:")) violate(incident.record.subject + " is still open");
  }
  judge_incidents();
  judge_heard();
}

/// Whoever the incident's record calls told must have heard of it; and of its end, when it has one.
void Simulation::judge_heard() {
  for (const auto& [id, record] : store_.incidents()) {
    for (const auto& [receiver, told] : record.told) {
      Channel* channel = channel_of(receiver);
      if (told.refused || channel == nullptr) continue;
      const Heard& heard = channel->receiver.heard(id);
      if (!heard.raised) violate(receiver + " never heard of " + id);
      if (record.closed && !heard.recovered) violate(receiver + " never heard of the end of " + id);
    }
  }
}

}  // namespace vitald::sim
