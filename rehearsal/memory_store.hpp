// What a store would hold, in memory: effects are applied whole or not at all, a snapshot is what survives a restart.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "alerting/effects.hpp"

namespace vitald::rehearsal {

class MemoryStore {
 public:
  void commit(const alerting::Effects& effects) {
    for (const auto& record : effects.checks) {
      if (record.removed) {
        checks_.erase(record.name);
      } else {
        checks_[record.name] = record;
      }
    }
    for (const auto& record : effects.incidents) incidents_[record.id] = record;
    for (const auto& note : effects.notes) {
      if (note.removed) {
        notes_.erase(note.key);
      } else {
        notes_[note.key] = note;
      }
    }
    for (const auto& row : effects.outbox) outbox_.emplace(row.id, std::pair(++rows_, alerting::to_json(row)));
    for (const auto& id : effects.settled) outbox_.erase(id);
  }

  /// As a process would read it from disk: everything has been text in between.
  alerting::Snapshot load() const {
    alerting::Snapshot snapshot;
    for (const auto& [name, record] : checks_) snapshot.checks.push_back(record);
    for (const auto& [key, note] : notes_) snapshot.notes.push_back(note);
    std::map<std::size_t, std::string> rows;
    for (const auto& [id, row] : outbox_) rows.insert(row);
    for (const auto& [number, text] : rows) snapshot.outbox.push_back(*alerting::notification_from_json(text));
    for (const auto& [id, record] : incidents_) {
      bool wanted = !record.closed;
      for (const auto& row : snapshot.outbox) wanted = wanted || row.id.incident == id;
      if (wanted) snapshot.incidents.push_back(*alerting::incident_from_json(alerting::to_json(record)));
    }
    return snapshot;
  }

  const std::map<std::string, alerting::CheckRecord>& checks() const { return checks_; }
  const std::map<alerting::IncidentId, alerting::IncidentRecord>& incidents() const { return incidents_; }
  const std::map<std::string, alerting::NoteRecord>& notes() const { return notes_; }
  std::size_t outbox_size() const { return outbox_.size(); }
  bool holds(const alerting::NotificationId& id) const { return outbox_.contains(id); }

 private:
  std::map<std::string, alerting::CheckRecord> checks_;
  std::map<alerting::IncidentId, alerting::IncidentRecord> incidents_;
  std::map<std::string, alerting::NoteRecord> notes_;
  std::map<alerting::NotificationId, std::pair<std::size_t, std::string>> outbox_;  // with the order of adding
  std::size_t rows_ = 0;
};

}  // namespace vitald::rehearsal
