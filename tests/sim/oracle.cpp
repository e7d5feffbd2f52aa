// The simulation's judgement: it knows the truth and what receivers took, and nothing of how the engine decides.
#include <algorithm>

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

void Simulation::note_committed(const Effects& effects) {
  for (const Notification& message : effects.outbox) {
    log("owed " + message.id.text() + " " + std::string(to_string(message.kind)) + " " + message.check + ": " +
        message.summary);
    if (!committed_.insert(message.id).second) violate("the id " + message.id.text() + " was used twice");
    if (message.kind == NotificationKind::reminder) saw("a reminder");
    if (message.kind == NotificationKind::escalation) saw("an escalation");
    if (message.kind == NotificationKind::update) saw("an update");
    if (message.status == Status::unknown && raises(message)) saw("an unknown incident");
    if (message.kind != NotificationKind::problem || message.check == "vitald" || wall_jumped_) continue;
    for (const Check& check : checks_) {
      const bool by_event = message.summary.find("failed jobs") != std::string::npos;
      if (check.rules.name != message.check || by_event || check.bad_starts.contains(message.opened)) continue;
      violate(message.id.text() + " says that " + message.check + " was bad when it was not");
    }
  }
}

/// Longer than the schedule, the confirmation and the probes themselves need: then it must have been noticed.
void Simulation::judge_detection(std::size_t index, Duration lasted) {
  const Check& check = checks_[index];
  Duration bound = check.rules.every + 10s;
  for (int step = 1; step < check.rules.confirm.failures; ++step) {
    const auto& spread = check.rules.confirm.spread;
    bound += spread[std::min(static_cast<std::size_t>(step) - 1, spread.size() - 1)] + 2s;
  }
  if (!alive_ || lasted < bound || (died_at_ && time_ - *died_at_ < lasted + 20min)) return;
  saw("an outage that had to be noticed");
  if (engine_->view(check.rules.name)->settled != Status::critical)
    violate("an outage of " + check.rules.name + " was missed");
}

/// A check may wait until what it needs is judged, and for a second look after its cause has ended; then it belongs to
/// an incident.
void Simulation::judge_belonging(Check& check) {
  const auto view = engine_->view(check.rules.name);
  const auto incident = store_.incidents().find(view->incident);
  if (incident != store_.incidents().end() && incident->second.check != check.rules.name && view->settled != Status::ok)
    saw("an outage with a cause");
  // While it cannot be measured, nobody can say whether it still is bad; that has an incident of its own in time.
  if (view->settled == Status::ok || view->verdict == Status::unknown || !view->incident.empty()) {
    check.homeless_since.reset();
    return;
  }
  if (!check.homeless_since) check.homeless_since = time_;
  if (time_ - *check.homeless_since > 5min) violate(check.rules.name + " is bad and belongs to no incident");
}

void Simulation::judge_receipt(const Channel& channel, const Notification& message) {
  if (!committed_.contains(message.id)) violate(message.id.text() + " was sent before it was committed");
  const int receipts = ++receipts_[message.id];
  if (receipts > 1) saw("a message was repeated");
  if (receipts > 1 + excuses_[message.id]) violate(message.id.text() + " was repeated without cause");
  bool raised = raises(message);
  for (const Notification& earlier : channel.receiver.taken()) {
    if (earlier.id.incident != message.id.incident) continue;
    raised = raised || raises(earlier);
    if (earlier.id.sequence > message.id.sequence)
      violate(message.id.text() + " came after a newer message of its incident");
  }
  if (!raised) violate(message.id.text() + " came before any problem of its incident");
}

void Simulation::stop_faults() {
  faults_ = false;
  log("faults stop");
  for (Check& check : checks_) check.target->calm();
  for (std::size_t index = 0; index < channels_.size(); ++index) {
    Channel& channel = channels_[index];
    channel.mood = Receiver::Mood::takes;
    if (!alive_ || !channel.queue->stopped()) continue;
    channel.queue->resume(now());
    step(SelfRecovered{"receiver:" + channel.name, "it takes messages again"});
    poke(index);
  }
}

void Simulation::judge_end() {
  if (!alive_) return violate("the daemon did not come back");
  for (const Channel& channel : channels_) {
    if (channel.queue->size() > 0) violate("the queue of " + channel.name + " did not drain");
  }
  if (store_.outbox_size() > 0) violate("the outbox did not drain");
  for (const Check& check : checks_) {
    const auto view = engine_->view(check.rules.name);
    if (view->settled != Status::ok || view->verdict != Status::ok)
      violate(check.rules.name + " is fine and not seen so");
  }
  for (const auto& incident : engine_->open_incidents()) {
    // Who forgot over a restart that a receiver refused has nobody to say that it recovered; the daemon does that at
    // start.
    if (!incident.record.subject.starts_with("self:")) violate(incident.record.subject + " is still open");
  }
  // Whoever the incident's record calls told must have heard of it; and of its end, when it has one.
  for (const auto& [id, record] : store_.incidents()) {
    for (const auto& entry : record.told) {
      const std::string& receiver = entry.first;
      if (entry.second.refused) continue;
      const auto channel =
          std::find_if(channels_.begin(), channels_.end(), [&](const Channel& c) { return c.name == receiver; });
      bool raised = false, recovered = false;
      for (const Notification& message : channel->receiver.taken()) {
        if (message.id.incident != id) continue;
        raised = raised || raises(message);
        recovered = recovered || message.kind == NotificationKind::recovery;
      }
      if (!raised) violate(receiver + " never heard of " + id);
      if (record.closed && !recovered) violate(receiver + " never heard of the end of " + id);
    }
  }
}

}  // namespace vitald::sim
