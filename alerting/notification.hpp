// One message about one incident to one receiver: structured and frozen when it is committed. It holds no secret and no
// rendered byte, so that a renderer's fix applies to a retry, and the database may be read by a support engineer.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/labels.hpp"
#include "config/now.hpp"
#include "config/observation.hpp"
#include "config/result.hpp"

namespace vitald::alerting {

/// Random, minted once per incident, committed before the first send, never reused (docs/guarantees.md R3).
/// 20 characters of Crockford's base 32 in lower case; people type any unique prefix of at least 4.
using IncidentId = std::string;

enum class NotificationKind {
  problem,
  update,
  reminder,
  escalation,
  recovery,
  digest,  // for people to read: what has been. It opens nothing at a receiver, and no recovery follows it
};
std::string_view to_string(NotificationKind kind);

/// Identity of a notification and of its outbox row: unique for good, ordered within one incident and receiver.
struct NotificationId {
  IncidentId incident;
  std::uint32_t sequence = 0;  // counts all notifications of the incident from 1
  std::string receiver;

  friend auto operator<=>(const NotificationId&, const NotificationId&) = default;
  /// "k3v9…/2/ops-slack": the idempotency key of the generic webhook.
  std::string text() const;
};

struct Notification {
  NotificationId id;
  NotificationKind kind = NotificationKind::problem;
  Severity severity = Severity::p2;
  Status status = Status::critical;  // of the check; ok in a recovery
  std::string instance;
  std::string check;  // "api-health"; of vitald's own troubles "vitald"
  std::string probe;
  Labels labels;
  std::string summary;                // "502 Bad Gateway instead of 200"; in a recovery "200 in 38 ms"
  std::string cause;                  // a sentence, or ""
  std::vector<std::string> affected;  // other checks it drags along
  std::string confirmed_by;           // "4 probes over 30 s", or ""
  std::string remedy;                 // what to do, or ""
  std::vector<Evidence> evidence;
  std::string runbook;
  std::optional<std::string> acknowledged_by = {};
  Wall opened{};     // since when it is bad: the first bad observation
  Wall at{};         // when this notification was decided
  int reminder = 0;  // the how-manieth, in a reminder
  /// The store could not take it in time: it goes out all the same, and the message says so (R8).
  bool unsaved = false;
  /// It may have been delivered before: the daemon stopped, or the answer was lost, between sending and noting it.
  bool may_repeat = false;
};

/// Round trip for the outbox; unknown members are ignored, so that an older daemon reads what a newer one wrote.
std::string to_json(const Notification& notification);
Result<Notification> notification_from_json(std::string_view text);

}  // namespace vitald::alerting
