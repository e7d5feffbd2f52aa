#include "probes/rabbitmq_json.hpp"

#include <variant>

#include "probes/json_values.hpp"

namespace vitald::probes::rabbitmq {
namespace {

constexpr std::size_t most_nodes = 16;
constexpr std::size_t most_alarms = 8;
constexpr std::size_t most_unseen = 4;

using Kind = JsonValue::Kind;

}  // namespace

Result<std::vector<NodeFacts>> read_nodes(std::string_view json) {
  std::vector<JsonPath> paths{json_path({})};
  for (std::size_t i = 0; i < most_nodes; ++i) {
    for (const auto* field : {"name", "running", "mem_alarm", "disk_free_alarm", "mem_used", "mem_limit", "disk_free",
                              "fd_used", "fd_total"})
      paths.push_back(json_path({i, field}));
    for (std::size_t j = 0; j < most_unseen; ++j) paths.push_back(json_path({i, "partitions", j}));
  }
  JsonValues values(json, paths);
  if (!values.error().empty()) return Failure{"", values.error()};
  if (values.next().kind != Kind::array) return Failure{"", "no list of nodes"};
  std::vector<NodeFacts> nodes;
  for (std::size_t i = 0; i < most_nodes; ++i) {
    NodeFacts node{.name = values.text()};
    node.running = values.truth(true);
    node.memory_alarm = values.truth(false);
    node.disk_alarm = values.truth(false);
    node.memory_used = values.number();
    node.memory_limit = values.number();
    node.disk_free = values.number();
    node.descriptors_used = values.number();
    node.descriptors_total = values.number();
    for (std::size_t j = 0; j < most_unseen; ++j) {
      auto unseen = values.text();
      if (!unseen.empty()) node.unseen.push_back(std::move(unseen));
    }
    if (!node.name.empty()) nodes.push_back(std::move(node));
  }
  if (nodes.empty()) return Failure{"", "a list without a node"};
  return nodes;
}

Result<std::optional<std::vector<Alarm>>> read_alarms(std::string_view json) {
  std::vector<JsonPath> paths{json_path({"status"})};
  for (std::size_t i = 0; i < most_alarms; ++i) {
    paths.push_back(json_path({"alarms", i, "resource"}));
    paths.push_back(json_path({"alarms", i, "node"}));
  }
  JsonValues values(json, paths);
  if (!values.error().empty()) return Failure{"", values.error()};
  if (values.text().empty()) return Failure{"", "no 'status'"};
  std::vector<Alarm> alarms;
  for (std::size_t i = 0; i < most_alarms; ++i) {
    Alarm alarm{.resource = values.text(), .node = ""};
    alarm.node = values.text();
    if (!alarm.resource.empty()) alarms.push_back(std::move(alarm));
  }
  return std::optional(std::move(alarms));
}

Result<std::optional<double>> read_connections(std::string_view json) {
  JsonValues values(json, {json_path({}), json_path({"object_totals", "connections"})});
  if (!values.error().empty()) return Failure{"", values.error()};
  if (values.next().kind != Kind::object) return Failure{"", "no object"};
  return values.number();
}

Result<QueueList> read_queue_list(std::string_view json) {
  std::vector<JsonPath> paths{json_path({"items"}), json_path({"filtered_count"})};
  for (std::size_t i = 0; i < most_queues; ++i) {
    for (const auto* field : {"name", "messages_ready", "messages_unacknowledged", "consumers", "state"})
      paths.push_back(json_path({"items", i, field}));
  }
  JsonValues values(json, paths);
  if (!values.error().empty()) return Failure{"", values.error()};
  if (values.next().kind != Kind::array) return Failure{"", "no list of queues"};
  QueueList list{.matching = values.count().value_or(0)};
  for (std::size_t i = 0; i < most_queues; ++i) {
    QueueFacts queue{.name = values.text()};
    queue.ready = values.count();
    queue.unacknowledged = values.count();
    queue.consumers = values.count();
    queue.state = values.text();
    if (!queue.name.empty()) list.queues.push_back(std::move(queue));
  }
  return list;
}

std::string read_text(std::string_view json, const std::string& member) {
  JsonValues values(json, {json_path({member})});
  return values.error().empty() ? values.text() : "";
}

}  // namespace vitald::probes::rabbitmq
