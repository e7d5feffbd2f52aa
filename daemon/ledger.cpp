#include "daemon/ledger.hpp"

#include <algorithm>

namespace vitald::daemon {
namespace {

// What an outage of the disk may collect in memory. Checks are bounded by the configuration, open incidents by them.
constexpr std::size_t closed_most = 10'000;
constexpr std::size_t outbox_most = 100'000;
constexpr std::size_t settled_most = 200'000;

}  // namespace

void Ledger::apply(const alerting::Effects& effects) {
  if (keep_ == Keep::everything) {
    for (const auto& check : effects.checks) checks_.insert_or_assign(check.name, check);
  }
  for (const auto& incident : effects.incidents) apply(incident);
  for (const auto& note : effects.notes) apply(note);
  for (const auto& notification : effects.outbox) add(notification);
  for (const auto& id : effects.settled) settle(id);
  enforce_bounds();
}

void Ledger::apply(const alerting::Snapshot& snapshot) {
  apply(alerting::Effects{.checks = snapshot.checks,
                          .incidents = snapshot.incidents,
                          .notes = snapshot.notes,
                          .outbox = snapshot.outbox,
                          .settled = {},
                          .requests = {}});
}

void Ledger::apply(const alerting::IncidentRecord& record) {
  if (const auto known = incidents_.find(record.id); known != incidents_.end()) {
    if (known->second.closed) --closed_;
    incidents_.erase(known);
  }
  if (record.closed && keep_ == Keep::obligations) return;
  if (record.closed) ++closed_;
  incidents_.emplace(record.id, record);
}

/// What only stands for "no longer there" is worth a row to a store that has it still, and to nobody else.
void Ledger::apply(const alerting::NoteRecord& note) {
  if (note.removed && keep_ == Keep::obligations) {
    notes_.erase(note.key);
  } else {
    notes_.insert_or_assign(note.key, note);
  }
}

void Ledger::add(const alerting::Notification& notification) {
  if (settled_.contains(notification.id)) return;
  if (!positions_.try_emplace(notification.id, next_position_).second) return;
  outbox_.emplace(next_position_++, notification);
}

void Ledger::settle(const alerting::NotificationId& id) {
  if (const auto known = positions_.find(id); known != positions_.end()) {
    outbox_.erase(known->second);
    positions_.erase(known);
  }
  if (keep_ == Keep::everything) settled_.insert(id);
}

void Ledger::enforce_bounds() {
  while (closed_ > closed_most) {
    auto oldest = incidents_.end();
    for (auto it = incidents_.begin(); it != incidents_.end(); ++it) {
      if (it->second.closed && (oldest == incidents_.end() || *it->second.closed < *oldest->second.closed)) oldest = it;
    }
    incidents_.erase(oldest);
    --closed_;
  }
  while (outbox_.size() > outbox_most) {
    positions_.erase(outbox_.begin()->second.id);
    outbox_.erase(outbox_.begin());
  }
  while (settled_.size() > settled_most) settled_.erase(settled_.begin());
}

bool Ledger::empty() const {
  return checks_.empty() && incidents_.empty() && notes_.empty() && outbox_.empty() && settled_.empty();
}

alerting::Effects Ledger::effects() const {
  alerting::Effects all;
  all.checks.reserve(checks_.size());
  for (const auto& [name, check] : checks_) all.checks.push_back(check);
  // Closed ones first: the subject of one that is open now may have belonged to one of them.
  for (const auto& [id, incident] : incidents_) {
    if (incident.closed) all.incidents.push_back(incident);
  }
  for (const auto& [id, incident] : incidents_) {
    if (!incident.closed) all.incidents.push_back(incident);
  }
  for (const auto& [key, note] : notes_) all.notes.push_back(note);
  for (const auto& [position, notification] : outbox_) all.outbox.push_back(notification);
  all.settled.assign(settled_.begin(), settled_.end());
  return all;
}

alerting::Snapshot Ledger::snapshot() const {
  alerting::Snapshot all;
  for (const auto& [name, check] : checks_) {
    if (!check.removed) all.checks.push_back(check);
  }
  for (const auto& [id, incident] : incidents_) {
    if (!incident.closed) all.incidents.push_back(incident);
  }
  for (const auto& [key, note] : notes_) {
    if (!note.removed) all.notes.push_back(note);
  }
  for (const auto& [position, notification] : outbox_) all.outbox.push_back(notification);
  return all;
}

void Ledger::clear() { *this = Ledger(keep_); }

}  // namespace vitald::daemon
