// The `>` lines of a scenario, and what a user's own configuration lets a story say.
#pragma once

#include <optional>
#include <string>

#include "alerting/explain.hpp"
#include "alerting/notification.hpp"
#include "config/sample.hpp"
#include "rehearsal/scenario.hpp"

namespace vitald::rehearsal {

std::string lines_of(const alerting::Notification& message, const std::string& when);
std::string lines_of(const alerting::Explanation& explanation);

/// Misunderstood where the line declares what a configuration says already.
void refuse_declarations(const std::string& line);
/// The sample; Misunderstood where the check of the configuration measures none of that name.
Sample known(const std::optional<Setting>& setting, const std::string& check, Sample measured);

}  // namespace vitald::rehearsal
