// What the engine needs to know of the configuration: plain values, made by daemon/configuration from the file.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "config/labels.hpp"
#include "config/limit.hpp"
#include "config/now.hpp"
#include "config/observation.hpp"

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
};

/// One step of an escalation: `{ after: 15m, unless: acknowledged, notify: [lead] }` or `{ remind: 30m }`.
struct EscalationStep {
  Duration after{};
  bool unless_acknowledged = false;
  std::vector<std::string> notify;
};

struct Escalation {
  std::vector<EscalationStep> steps;
  std::optional<Duration> remind;  // to everyone told so far, while open and not acknowledged
};

struct Rules {
  std::string instance;  // the host, as messages name it
  std::vector<CheckRules> checks;
  std::array<Escalation, 4> escalations;              // by severity P0 … P3
  std::vector<std::string> receivers;                 // every configured name, in file order
  Duration unknown_after = std::chrono::minutes(10);  // how long a check may stay unknown before people are told
};

}  // namespace vitald::alerting
