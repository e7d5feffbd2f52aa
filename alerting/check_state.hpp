// All that the engine remembers of one check, stage by stage.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "alerting/confirm.hpp"
#include "alerting/flap.hpp"
#include "alerting/limits.hpp"
#include "alerting/notification.hpp"
#include "alerting/rules.hpp"
#include "alerting/sighting.hpp"
#include "alerting/trace.hpp"

namespace vitald::alerting {

/// Since when, and why, vitald cannot measure a check.
struct Unmeasured {
  bool active = false;
  Steady since{};
  Wall opened{};  // the same moment for people; time that vitald was away is in this one only
  std::string reason;
  std::string other;  // the reason of late, where it differs from the one that people were told
  Steady other_since{};
};

/// Where a bad check without an incident of its own belongs (cause.hpp).
struct Placing {
  IncidentId cause;                  // the open incident of what it depends on, or ""
  std::optional<Steady> until = {};  // it waits: for what it depends on to be judged, or for its own second look
  bool second_look = false;          // its cause has ended
  Steady asked{};                    // when what it depends on was asked, the last time that it turned bad
};

/// What the own-network guard remembers of a check (guard.hpp).
struct Network {
  bool silent = false;                  // nobody answered at its latest run
  bool held = false;                    // could not be measured since the host was cut off
  std::optional<Steady> cut = {};       // of the uplink check: bad since then
  std::optional<Steady> answered = {};  // a remote target has answered all the same: it was asked again then
  bool denied = false;                  // and found bad again, so that the anchors are wrong
  std::optional<Steady> back = {};      // good again since then
};

struct CheckState {
  std::string name;
  const CheckRules* rules = nullptr;  // into the current Rules

  Status verdict = Status::unknown;  // of the latest observation
  bool observed = false;             // at least once since the check exists
  bool measured = false;             // the latest observation of this process was a measurement
  std::string why;
  std::string reason;  // of the latest measurement, where it was no answer: Observation::reason

  LimitMemory limits;
  Confirming confirm;
  Flapping flapping;
  Unmeasured unmeasured;

  Status settled = Status::ok;
  Wall since{};         // when `settled` last changed
  IncidentId incident;  // open one, or ""
  Placing placing;
  Network network = {};
  Steady ran{};    // when its latest run started
  Steady asked{};  // when a run was last asked for because of a check that depends on it
  std::string probe_memory;

  Sighting first_bad = {};         // of what is being confirmed; not stored
  Trace trace{Trace::of_a_check};  // why it is as it is

  std::optional<Steady> alarm = {};  // when an event lets go of the check, or its wait ends
  bool urgent = false;               // to be written with this step
  std::optional<Steady> dirty = {};  // to be written within a minute of then
};

}  // namespace vitald::alerting
