#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/rabbitmq.hpp"

namespace vitald::probes::rabbitmq {
namespace {

constexpr std::size_t most_evidence = 8;

std::string label_of(const std::string& name) { return foreign_text(name, 255); }

std::string count(std::uint64_t number, const std::string& noun) {
  const std::string text = number == 0 ? "no" : std::to_string(number);
  return text + " " + noun + (number == 1 ? "" : "s");
}

/// Each queue once: AMQP is exact to the moment, the management API tells what AMQP does not.
std::vector<QueueFacts> all_queues(const Facts& facts) {
  std::vector<QueueFacts> all;
  std::map<std::string, std::size_t> places;
  const auto add = [&](const QueueFacts& queue) {
    const auto [place, fresh] = places.emplace(label_of(queue.name), all.size());
    if (fresh) {
      all.push_back(queue);
      return;
    }
    QueueFacts& known = all[place->second];
    if (!known.ready) known.ready = queue.ready;
    if (!known.consumers) known.consumers = queue.consumers;
    if (!known.unacknowledged) known.unacknowledged = queue.unacknowledged;
    if (known.state.empty()) known.state = queue.state;
  };
  for (const auto& queue : facts.queues) add(queue);
  if (facts.management) std::for_each(facts.management->queues.begin(), facts.management->queues.end(), add);
  return all;
}

std::string describe(const QueueFacts& queue) {
  std::string text;
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : ", ") + more; };
  if (queue.ready) add(count(*queue.ready, "message"));
  if (queue.unacknowledged.value_or(0) > 0) add(std::to_string(*queue.unacknowledged) + " unacknowledged");
  if (queue.consumers) add(count(*queue.consumers, "consumer"));
  return text.empty() ? "no numbers yet" : text;
}

/// What a queue without a consumer held at the last run, and whether it has grown since it had one.
struct Waiting {
  std::uint64_t messages = 0;
  bool grew = false;
};
using WaitingQueues = std::map<std::string, Waiting>;  // by label

WaitingQueues recall(const std::string& memory) {
  WaitingQueues queues;
  const auto document = nlohmann::json::parse(memory, nullptr, false);
  if (!document.is_object()) return queues;
  for (const auto& [name, entry] : document.items()) {
    if (entry.is_array() && entry.size() == 2 && entry[0].is_number_unsigned() && entry[1].is_boolean())
      queues[name] = {entry[0].get<std::uint64_t>(), entry[1].get<bool>()};
  }
  return queues;
}

std::string remember(const WaitingQueues& queues) {
  auto document = nlohmann::json::object();
  for (const auto& [name, waiting] : queues) document[name] = {waiting.messages, waiting.grew};
  return document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A queue that only grows while nobody consumes from it. Once it has grown it stays in the list while it holds at
/// least as much, so that a second look a few seconds later sees the same; when messages leave it all the same,
/// somebody polls it (basic.get), and it starts anew.
WaitingQueues watch(const std::vector<QueueFacts>& queues, const WaitingQueues& before) {
  WaitingQueues now;
  for (const auto& queue : queues) {
    const std::string name = label_of(queue.name);
    const auto known = before.find(name);
    if (!queue.ready || !queue.consumers) {  // not seen this time: what is known of it stays
      if (known != before.end()) now.insert(*known);
      continue;
    }
    if (*queue.consumers > 0 || *queue.ready == 0) continue;
    Waiting waiting{.messages = *queue.ready};
    if (known != before.end() && known->second.messages <= *queue.ready)
      waiting.grew = known->second.grew || known->second.messages < *queue.ready;
    now[name] = waiting;
  }
  return now;
}

void add_alarms(const ManagementFacts& management, Faults& faults) {
  std::set<std::pair<std::string, std::string>> alarms;  // resource and node
  if (management.alarms) {
    for (const auto& alarm : *management.alarms) alarms.emplace(alarm.resource, alarm.node);
  } else {
    for (const auto& node : management.nodes) {
      if (node.memory_alarm) alarms.emplace("memory", node.name);
      if (node.disk_alarm) alarms.emplace("disk", node.name);
    }
  }
  for (const auto& [resource, node] : alarms) {
    std::string remedy = "see the broker's log for what ran out";
    if (resource == "memory") remedy = "see what fills it: rabbitmq-diagnostics memory_breakdown";
    if (resource == "disk") remedy = "free space where the broker keeps its messages, or lower disk_free_limit";
    faults.push_back(wrong(
        "alarm", foreign_text(resource) + " alarm on " + foreign_text(node) + ": publishers are blocked", remedy));
  }
}

void add_cluster_faults(const ManagementFacts& management, Faults& faults) {
  add_alarms(management, faults);
  for (const auto& node : management.nodes) {
    for (const auto& other : node.unseen) {
      faults.push_back(
          wrong("partition",
                foreign_text(node.name) + " is cut off from " + foreign_text(other) +
                    ": the halves of the cluster go on apart",
                "see: rabbitmqctl cluster_status; then restart the nodes of the half whose changes may be lost"));
    }
  }
  for (const auto& node : management.nodes) {
    if (!node.running) faults.push_back(wrong("node_down", foreign_text(node.name) + " of the cluster is down"));
  }
}

void add_queue_faults(const Config& config, const std::vector<QueueFacts>& queues, const WaitingQueues& waiting,
                      Faults& faults) {
  static const std::set<std::string, std::less<>> dead{"crashed", "down", "stopped", "minority"};
  for (const auto& queue : queues) {
    if (queue.trouble) {
      faults.push_back(*queue.trouble);
    } else if (dead.contains(queue.state)) {
      const std::string words = queue.state == "minority" ? "has lost most of its replicas" : "is " + queue.state;
      faults.push_back(wrong("queue_down", foreign_text(queue.name) + ": the queue " + words,
                             "see the broker's log, and: rabbitmqctl cluster_status"));
    }
  }
  if (config.without_consumer_allowed) return;
  for (const auto& [name, state] : waiting) {
    if (!state.grew) continue;
    faults.push_back(wrong("queue_without_consumer",
                           foreign_text(name) + ": " + count(state.messages, "message") + ", no consumer, growing",
                           "see whether the workers of this queue run"));
  }
}

/// Patterns and names that nothing in the whole list matches.
void add_missing(const Config& config, const ManagementFacts& management, Faults& faults) {
  if (management.trouble || management.matching > management.queues.size()) return;
  for (const auto& glob : config.management->queues) {
    const bool found = std::any_of(management.queues.begin(), management.queues.end(),
                                   [&](const QueueFacts& queue) { return matches_glob(glob, queue.name); });
    if (found) continue;
    faults.push_back(wrong("queue_missing",
                           foreign_text(glob) + ": no such queue in virtual host '" + foreign_text(config.vhost) + "'",
                           "see which there are: rabbitmqctl list_queues -p " + config.vhost + " name"));
  }
}

Faults find_faults(const Config& config, const Facts& facts, const std::vector<QueueFacts>& queues,
                   const WaitingQueues& waiting) {
  Faults faults;
  if (facts.management) add_cluster_faults(*facts.management, faults);
  if (facts.blocked)
    faults.push_back(wrong("blocked", "blocks publishers: " + foreign_text(*facts.blocked), "see: rabbitmqctl status"));
  add_queue_faults(config, queues, waiting, faults);
  if (facts.management) {
    add_missing(config, *facts.management, faults);
    if (facts.management->trouble) faults.push_back(*facts.management->trouble);
  }
  // What is the target's outranks what is ours, as a critical verdict outranks an unknown one.
  std::stable_partition(faults.begin(), faults.end(),
                        [](const ProbeFailure& fault) { return fault.outcome != Outcome::unmeasured; });
  return faults;
}

void add_samples(const Facts& facts, const std::vector<QueueFacts>& queues, std::vector<Sample>& samples) {
  const auto add = [&](const char* name, std::optional<double> value, Labels labels, std::optional<double> maximum) {
    if (value) samples.push_back({.name = name, .value = *value, .maximum = maximum, .labels = std::move(labels)});
  };
  if (facts.management) {
    std::set<std::string> seen;
    for (const auto& node : facts.management->nodes) {
      const std::string name = label_of(node.name);
      if (!seen.insert(name).second) continue;
      add("memory_used", node.memory_used, {{"node", name}}, node.memory_limit);
      add("disk_free", node.disk_free, {{"node", name}}, std::nullopt);
      add("descriptors_used", node.descriptors_used, {{"node", name}}, node.descriptors_total);
    }
    add("connections", facts.management->connections, {}, std::nullopt);
  }
  // By sample, not by queue: of many queues that share the room for series, all keep their length.
  const auto add_all = [&](const char* name, std::optional<std::uint64_t> QueueFacts::*field) {
    for (const auto& queue : queues) {
      const auto& value = queue.*field;
      if (value) add(name, static_cast<double>(*value), {{"queue", label_of(queue.name)}}, std::nullopt);
    }
  };
  add_all("messages", &QueueFacts::ready);
  add_all("consumers", &QueueFacts::consumers);
  add_all("unacknowledged", &QueueFacts::unacknowledged);
}

std::string product_of(const Facts& facts) {
  const std::string product = facts.product.empty() ? "the broker" : foreign_text(facts.product);
  return facts.version.empty() ? product : product + " " + foreign_text(facts.version);
}

/// The fullest first.
std::vector<const QueueFacts*> by_length(const std::vector<QueueFacts>& queues) {
  std::vector<const QueueFacts*> order;
  for (const auto& queue : queues) {
    if (!queue.trouble) order.push_back(&queue);
  }
  std::stable_sort(order.begin(), order.end(), [](const QueueFacts* a, const QueueFacts* b) {
    return a->ready.value_or(0) > b->ready.value_or(0);
  });
  return order;
}

void add_evidence(const Facts& facts, const std::vector<const QueueFacts*>& queues, std::vector<Evidence>& evidence) {
  evidence.push_back({"address", facts.peer});
  std::string server = product_of(facts);
  if (!facts.cluster_name.empty()) server += ", cluster " + foreign_text(facts.cluster_name);
  evidence.push_back({"server", server});
  for (std::size_t i = 0; i < std::min(queues.size(), most_evidence); ++i)
    evidence.push_back({foreign_text(queues[i]->name), describe(*queues[i])});
  if (facts.management && facts.management->matching > facts.management->queues.size()) {
    evidence.push_back({"queues", std::to_string(facts.management->matching) + " match; only the fullest " +
                                      std::to_string(facts.management->queues.size()) + " are looked at"});
  }
}

std::string say_healthy(const Facts& facts, const std::vector<const QueueFacts*>& queues) {
  if (queues.empty()) return product_of(facts) + " answers";
  std::string summary = foreign_text(queues.front()->name) + ": " + describe(*queues.front());
  if (queues.size() > 1) summary += " (the fullest of " + std::to_string(queues.size()) + " queues)";
  return summary;
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  const auto queues = all_queues(facts);
  const auto waiting = watch(queues, recall(facts.memory));
  const auto order = by_length(queues);
  Observation seen;
  seen.memory = remember(waiting);
  add_samples(facts, queues, seen.samples);
  add_evidence(facts, order, seen.evidence);
  const auto faults = find_faults(config, facts, queues, waiting);
  if (faults.empty()) {
    seen.summary = say_healthy(facts, order);
    return seen;
  }
  blame(faults, seen, most_evidence);
  return seen;
}

}  // namespace vitald::probes::rabbitmq
