// What an incident's messages say of an observation: frozen, bounded, fit for every receiver.
#pragma once

#include <string_view>

#include "alerting/check_state.hpp"
#include "alerting/event.hpp"
#include "alerting/notification.hpp"

namespace vitald::alerting {

/// `status` is the confirmed one and decides the severity; `summary` says which limit or what the probe saw.
Notification facts_of(const CheckState& check, const Observed& event, Status status, std::string_view summary);

/// What one event trouble of vitald's own is told with.
Notification facts_of(const SelfTrouble& trouble, const Now& now);

Severity severity_of(const CheckRules& rules, Status status);

}  // namespace vitald::alerting
