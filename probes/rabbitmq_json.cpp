#include "probes/rabbitmq_json.hpp"

#include <cmath>
#include <initializer_list>
#include <variant>

#include "probes/json_path.hpp"

namespace vitald::probes::rabbitmq {
namespace {

constexpr std::size_t most_nodes = 16;
constexpr std::size_t most_alarms = 8;
constexpr std::size_t most_unseen = 4;
constexpr double most_exact = 9007199254740992.0;  // 2^53

using Step = std::variant<std::string, std::size_t>;
using Kind = JsonValue::Kind;

JsonPath path(std::initializer_list<Step> steps) { return {.text = "", .steps = steps}; }

/// Asks for all values first, then looks them up in the order in which they were asked for.
class Values {
 public:
  Values(std::string_view json, const std::vector<JsonPath>& paths) : found_(find_in_json(json, paths)) {}

  const std::string& error() const { return found_.error; }
  const JsonValue& next() { return found_.values[at_++]; }
  std::string text() {
    const JsonValue& value = next();
    return value.kind == Kind::text ? value.text : "";
  }
  bool truth(bool otherwise) {
    const JsonValue& value = next();
    return value.kind == Kind::boolean ? value.truth : otherwise;
  }
  std::optional<double> number() {
    const JsonValue& value = next();
    if (value.kind != Kind::number || !std::isfinite(value.number) || value.number < 0) return std::nullopt;
    return value.number;
  }
  std::optional<std::uint64_t> count() {
    const auto value = number();
    if (!value || *value > most_exact) return std::nullopt;
    return static_cast<std::uint64_t>(*value);
  }

 private:
  JsonFindings found_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<NodeFacts>> read_nodes(std::string_view json) {
  std::vector<JsonPath> paths{path({})};
  for (std::size_t i = 0; i < most_nodes; ++i) {
    for (const auto* field : {"name", "running", "mem_alarm", "disk_free_alarm", "mem_used", "mem_limit", "disk_free",
                              "fd_used", "fd_total"})
      paths.push_back(path({i, field}));
    for (std::size_t j = 0; j < most_unseen; ++j) paths.push_back(path({i, "partitions", j}));
  }
  Values values(json, paths);
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
  std::vector<JsonPath> paths{path({"status"})};
  for (std::size_t i = 0; i < most_alarms; ++i) {
    paths.push_back(path({"alarms", i, "resource"}));
    paths.push_back(path({"alarms", i, "node"}));
  }
  Values values(json, paths);
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
  Values values(json, {path({}), path({"object_totals", "connections"})});
  if (!values.error().empty()) return Failure{"", values.error()};
  if (values.next().kind != Kind::object) return Failure{"", "no object"};
  return values.number();
}

Result<QueueList> read_queue_list(std::string_view json) {
  std::vector<JsonPath> paths{path({"items"}), path({"filtered_count"})};
  for (std::size_t i = 0; i < most_queues; ++i) {
    for (const auto* field : {"name", "messages_ready", "messages_unacknowledged", "consumers", "state"})
      paths.push_back(path({"items", i, field}));
  }
  Values values(json, paths);
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
  Values values(json, {path({member})});
  return values.error().empty() ? values.text() : "";
}

}  // namespace vitald::probes::rabbitmq
