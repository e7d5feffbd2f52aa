// The HTTP half of the rabbitmq probe: nodes, alarms, connections and queues by the API of the management plugin.
#pragma once

#include <string>

#include "probes/rabbitmq.hpp"

namespace vitald::probes::rabbitmq {

/// Never fails for what the API says or does not say: AMQP already told that the broker is up, and the API is our means
/// to see more. Its trouble is unmeasured and stays in the facts: management_unreachable, management_refused,
/// management_missing, management_unreadable. Only vitald's own (a missing secret) is thrown.
awaitable<ManagementFacts> ask_management(ProbeContext& context, const Config& config);

/// The path and query that ask for the queues of the check: those of `queues` by name, those of `management` by
/// pattern.
std::string queues_path(const Config& config);

}  // namespace vitald::probes::rabbitmq
