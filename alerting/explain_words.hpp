// The sentences of an explanation that are about an incident and about times.
#pragma once

#include <string>
#include <vector>

#include "alerting/incident.hpp"
#include "alerting/rules.hpp"

namespace vitald::alerting::words {

/// "02:13:56 UTC, 4 min ago"; with the date where it is another day.
std::string when(Wall at, const Now& now);
/// "at 02:28:41 UTC, in 15 min", or "now" where that has passed.
std::string due(Steady at, const Now& now);
/// "mysql, redis and 3 more"
std::string list(const std::vector<std::string>& names);
/// What it takes until a bad run counts, and a good one.
std::string takes(const CheckRules& rules);

/// What it is, since when, whether it is over.
std::vector<std::string> state(const Incident& incident, const Now& now);
/// A sentence for each receiver that was told.
std::vector<std::string> told(const Incident& incident, const Now& now);
/// A sentence for each receiver that was not, and why not.
std::vector<std::string> not_told(const Incident& incident, const Rules& rules, const Now& now);
/// What follows while nothing changes.
std::vector<std::string> next(const Incident& incident, const Rules& rules, const Now& now);

}  // namespace vitald::alerting::words
