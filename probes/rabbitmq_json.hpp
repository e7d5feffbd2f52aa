// What the management API's answers hold: pure, one pass over the text, and a bounded number of rows out of it. The
// text of a Failure says what is wrong with an answer. Fields that are not there are left out: the broker collects its
// statistics every few seconds, and versions differ.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/rabbitmq.hpp"

namespace vitald::probes::rabbitmq {

/// Of /api/nodes.
Result<std::vector<NodeFacts>> read_nodes(std::string_view json);
/// Of /api/health/checks/alarms.
Result<std::optional<std::vector<Alarm>>> read_alarms(std::string_view json);
/// The connections of /api/overview's object_totals; nothing where the broker's statistics are off.
Result<std::optional<double>> read_connections(std::string_view json);

struct QueueList {
  std::vector<QueueFacts> queues = {};
  std::size_t matching = 0;
};
/// Of a page of /api/queues/VHOST.
Result<QueueList> read_queue_list(std::string_view json);

/// The text of a member of the outermost object, or "".
std::string read_text(std::string_view json, const std::string& member);

}  // namespace vitald::probes::rabbitmq
