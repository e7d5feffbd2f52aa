// Everything that can happen to the engine.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "alerting/notification.hpp"
#include "alerting/rules.hpp"
#include "config/now.hpp"
#include "config/observation.hpp"

namespace vitald::alerting {

/// A probe has run. `started` may lie before the Now of the step.
struct Observed {
  std::string check;
  Observation observation;
  Now started;
  Duration took{};
  /// Somebody told this and waits until it is safe: what the probe remembers of it goes out with this step.
  bool told = false;
};

/// The time that Effects::wake_at asked for has come. Sending it early or late, or without need, does no harm.
struct Elapsed {};

/// A person took an incident, or gave it back.
struct Acknowledged {
  std::string incident;  // id, or a unique prefix of one
  std::string by;
  bool undo = false;
};

/// A person wants to hear nothing of some checks for a while. The id that it gets is Engine::newest_silence().
struct SilenceAdded {
  Matcher checks;
  Duration lasts{};
  std::string owner, reason;
  bool until_recovered = false;  // it ends earlier, when what it matched has been bad and is well again
};
struct SilenceRemoved {
  std::string silence;  // id, or a unique prefix of one
};

/// What a receiver keeps of an incident so that later messages can edit or thread: opaque to all but its notifier.
using Handle = std::string;

/// The sender is done with one notification, for good.
struct Delivered {
  NotificationId id;
  bool accepted = false;  // false: refused for good, and `why` says so
  std::string why;
  Handle handle;  // "" keeps what was known
};

/// Trouble of vitald's own (the store, a receiver that refuses, a bad file at reload), told like any other incident.
struct SelfTrouble {
  std::string key;  // "store", "receiver:ops-slack", "reload": one incident each
  Severity severity = Severity::p2;
  std::string summary;  // a sentence without a full stop
  std::string remedy;
  std::string except;  // a receiver that must not be used for it, or ""
};
struct SelfRecovered {
  std::string key;
  std::string summary;
};

/// A reload brought new rules. Unchanged checks keep state, counters and incident; incidents of removed checks close.
struct Reconfigured {
  std::shared_ptr<const Rules> rules;
};

/// The daemon stops: put everything that is not yet written into the effects.
struct Stopping {};

using Event = std::variant<Observed, Elapsed, Acknowledged, Delivered, SelfTrouble, SelfRecovered, Reconfigured,
                           Stopping, SilenceAdded, SilenceRemoved>;

}  // namespace vitald::alerting
