// What the engine wants done about an event. The records, the outbox and the settled rows are ONE transaction, and
// nothing of the outbox is sent before it is committed (docs/guarantees.md R1, R2).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerting/event.hpp"
#include "alerting/notification.hpp"

namespace vitald::alerting {

/// What a check remembers, as the store keeps it: one row, replaced whole. At most 64 KiB.
struct CheckRecord {
  std::string name;
  std::string state;     // JSON, made and read by the engine only
  bool removed = false;  // delete the row
};

/// What the engine remembers that belongs to no check and no incident: a silence, what a digest has gathered. One row,
/// replaced whole; at most 64 KiB. `key` is "KIND:NAME", and the stage that writes it is the only one that reads it.
struct NoteRecord {
  std::string key;
  std::string state;     // JSON
  bool removed = false;  // delete the row
};

/// Who was told of an incident, how that went, and what its notifier keeps for later messages.
struct Told {
  bool refused = false;  // for good; no recovery is owed then
  Handle handle;
  int messages = 0;  // so many, the first and the latest of them decided then
  Wall first{}, last{};
};

/// An incident as the store keeps it: one row, replaced whole. Closed ones stay as history.
struct IncidentRecord {
  IncidentId id;
  std::string subject;  // "check:api-health", "unknown:denied:/run/docker.sock", "self:store": at most one open each
  std::string check;    // the check's name, or "vitald"
  Severity severity = Severity::p2;
  Status status = Status::critical;
  std::string summary;  // of the problem
  Wall opened{};
  std::optional<Wall> closed = {};
  std::map<std::string, Told> told;  // by receiver
  std::string state;                 // JSON, the engine's own: sequence, reminders, acknowledgement, frozen texts
};

std::string to_json(const IncidentRecord& record);
Result<IncidentRecord> incident_from_json(std::string_view text);

/// Run this check no earlier than `at`: a re-probe, or the parent of a failing child.
struct RunCheck {
  std::string check;
  Steady at;
};

struct Effects {
  std::vector<CheckRecord> checks;
  std::vector<IncidentRecord> incidents;
  std::vector<NoteRecord> notes = {};
  std::vector<Notification> outbox;     // rows to add
  std::vector<NotificationId> settled;  // rows to drop: delivered, or refused for good
  std::vector<RunCheck> requests;
  std::optional<Steady> wake_at = {};  // send Elapsed no later than this; replaces the earlier wish

  /// Nothing to commit (requests and wake_at need no disk).
  bool nothing_to_store() const {
    return checks.empty() && incidents.empty() && notes.empty() && outbox.empty() && settled.empty();
  }
};

/// What the store hands back at start.
struct Snapshot {
  std::vector<CheckRecord> checks;
  std::vector<IncidentRecord> incidents;  // the open ones, and closed ones that a row of the outbox belongs to
  std::vector<NoteRecord> notes = {};
  std::vector<Notification> outbox;  // undelivered, oldest first
};

}  // namespace vitald::alerting
