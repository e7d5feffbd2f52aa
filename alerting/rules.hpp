// What the engine needs to know of the configuration: plain values, made by daemon/configuration from the file.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "alerting/matcher.hpp"
#include "config/calendar.hpp"
#include "config/cron.hpp"
#include "config/hours.hpp"
#include "config/labels.hpp"
#include "config/limit.hpp"
#include "config/now.hpp"
#include "config/observation.hpp"
#include "config/time_zone.hpp"

namespace vitald::alerting {

/// How often, and how far apart, a bad verdict must be seen before it counts. The distances are from start to start;
/// the last one repeats. `fast` and `calm` are presets (confirm.hpp).
struct Confirmation {
  int failures = 4;
  std::vector<Duration> spread;
};

struct Recovery {
  int successes = 2;
};

struct CheckRules {
  std::string name;                     // its identity for good
  std::string was;                      // the name it had before, so that a rename keeps state and incident
  std::string probe;                    // the kind, for messages and labels
  std::vector<std::string> depends_on;  // other checks that drag this one along when they are bad; no circle
  Labels labels;
  Severity critical = Severity::p2;  // what a critical verdict means
  Severity warning = Severity::p2;   // what a warning means: P2 at most unless the user says otherwise
  std::vector<Limit> limits;
  Confirmation confirm;
  Recovery recover;
  bool passive = false;  // no re-probe would see anything new: confirms and recovers at once
  Duration every{};
  Duration hold{};      // how long an event keeps the check bad
  std::string runbook;  // http(s) address or ""
  /// Checks with the same text here share what they fail on: those that cannot connect to it are one incident.
  std::string group = {};
  bool remote = false;  // reached over the network: while the host is cut off, its silence says nothing (guard.hpp)
  bool near = false;    // in a private network: that it answers does not prove that the host reaches the world
};

/// `during: business` or `outside: business`.
struct StepHours {
  Hours hours;
  bool outside = false;
  bool at(Wall now) const { return hours.at(now) != outside; }
};

/// One step of an escalation: `{ after: 15m, unless: acknowledged, notify: [lead] }` or `{ remind: 30m }`.
struct EscalationStep {
  Duration after{};
  bool unless_acknowledged = false;
  std::vector<std::string> notify;
  std::optional<StepHours> hours = {};  // when it is due outside of them it waits until they begin
};

/// `{ digest: "0 9 * * 1-5", timezone: Europe/Istanbul, notify: [ops-mail] }`: one message for all that has been.
struct DigestStep {
  Cron when;
  TimeZone zone;
  std::vector<std::string> notify;
};

struct Escalation {
  static constexpr int reminders_most = 20;  // where the user says nothing

  std::vector<EscalationStep> steps;
  std::optional<Duration> remind;              // to everyone told so far, while open and not acknowledged
  int remind_at_most = reminders_most;         // then nothing more
  std::optional<StepHours> remind_hours = {};  // a reminder outside of them is left out
  std::vector<DigestStep> digests = {};
};

/// Escalations of some checks only: the first route that fits a check and covers the severity counts.
struct Route {
  Matcher checks;
  std::array<std::optional<Escalation>, 4> escalations;  // by severity; none: look further
};

/// Planned work that comes again and again: nothing goes out about these checks while it lasts.
struct Maintenance {
  std::string name;
  Matcher checks;
  vitald::Window when;
};

struct Rules {
  std::string instance;  // the host, as messages name it
  std::vector<CheckRules> checks;
  std::array<Escalation, 4> escalations;              // by severity P0 … P3
  std::vector<Route> routes = {};                     // asked before these, in order
  std::vector<std::string> receivers;                 // every configured name, in file order
  std::string uplink = {};                            // the check that tells whether the host is cut off, or ""
  Duration unknown_after = std::chrono::minutes(10);  // how long a check may stay unknown before people are told
  std::vector<Maintenance> maintenance = {};
};

}  // namespace vitald::alerting
