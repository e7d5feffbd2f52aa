// The escalate stage: which steps of an escalation are due, and when to remind. Pure arithmetic on a Course.
//
// `after` and `remind` count on the clock that nobody sets; `during` and `outside` look at the wall clock. A step that
// is due outside its hours waits until they begin; a reminder outside its hours is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "alerting/rules.hpp"

namespace vitald::alerting {

/// Where an incident stands in its escalation.
struct Course {
  Steady begun{};          // when the incident reached its severity: `after` counts from here
  std::uint64_t done = 0;  // a bit for each step that was taken or skipped; steps beyond 64 do not exist
  Steady reminded{};       // the last reminder's due time, or `begun`
  int reminders = 0;       // sent
};

struct DueSteps {
  std::vector<const EscalationStep*> steps;  // in order
  bool remind = false;                       // who sends it counts it
};

/// Whether a receiver of this name is there.
bool is_configured(const Rules& rules, const std::string& receiver);
/// The escalation of a check: of the first route that fits it and covers the severity, else of the severity.
const Escalation& escalation_for(const Rules& rules, std::string_view check, const Labels& labels, Severity severity);

Course begin_course(Steady now);
/// What is due now, noted as taken. Steps `unless: acknowledged` are skipped for good when somebody has.
DueSteps take_due(const Escalation& escalation, Course& course, bool acknowledged, const Now& now);
std::optional<Steady> next_due(const Escalation& escalation, const Course& course, bool acknowledged, const Now& now);

}  // namespace vitald::alerting
