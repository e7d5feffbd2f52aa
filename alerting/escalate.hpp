// The escalate stage: which steps of an escalation are due, and when to remind. Pure arithmetic on a Course.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "alerting/rules.hpp"

namespace vitald::alerting {

/// Where an incident stands in its escalation.
struct Course {
  Steady begun{};          // when the incident reached its severity: `after` counts from here
  std::uint64_t done = 0;  // a bit for each step that was taken or skipped; steps beyond 64 do not exist
  Steady reminded{};       // the last reminder's due time, or `begun`
  int reminders = 0;
};

struct DueSteps {
  std::vector<const EscalationStep*> steps;  // in order
  bool remind = false;
};

Course begin_course(Steady now);
/// What is due now, noted as taken. Steps `unless: acknowledged` are skipped for good when somebody has.
DueSteps take_due(const Escalation& escalation, Course& course, bool acknowledged, Steady now);
std::optional<Steady> next_due(const Escalation& escalation, const Course& course, bool acknowledged);

}  // namespace vitald::alerting
