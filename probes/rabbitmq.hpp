// rabbitmq: a broker takes logins over AMQP 0-9-1, its queues are there and are emptied, and no alarm blocks
// publishers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "probes/net/http.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::rabbitmq {

struct Login {
  std::string user = "guest";
  std::optional<Secret> password;  // absent: that of a fresh broker's guest
};

/// The management plugin's HTTP API.
struct ManagementConfig {
  net::Url url;  // its path has no slash at the end
  Login login;
  net::TlsOptions tls;
  std::vector<std::string> queues;  // names, or patterns with * and ?
};

struct Config {
  net::Target where;
  Login login;
  std::string vhost = "/";
  std::vector<std::string> queues;  // asked for over AMQP
  bool without_consumer_allowed = false;
  std::optional<ManagementConfig> management;

  std::string target() const { return where.text(); }
};

struct QueueFacts {
  std::string name;
  std::optional<std::uint64_t> ready = {}, unacknowledged = {}, consumers = {};
  std::string state = {};                    // as the management API says: "running", "crashed"; "": it was not asked
  std::optional<ProbeFailure> trouble = {};  // of this queue alone
};

struct NodeFacts {
  std::string name;
  bool running = true;
  bool memory_alarm = false, disk_alarm = false;
  std::optional<double> memory_used = {}, memory_limit = {}, disk_free = {};
  std::optional<double> descriptors_used = {}, descriptors_total = {};
  std::vector<std::string> unseen = {};  // nodes that it is partitioned from
};

struct Alarm {
  std::string resource, node;  // "memory" or "disk", where
};

struct ManagementFacts {
  std::vector<NodeFacts> nodes = {};
  std::optional<std::vector<Alarm>> alarms = {};  // absent: only the nodes tell of theirs, some seconds late
  std::optional<double> connections = {};
  std::vector<QueueFacts> queues = {};
  std::size_t matching = 0;                  // queues that match; more than those in `queues` where there are too many
  std::optional<ProbeFailure> trouble = {};  // it could not be asked; what was learnt before stays
};

struct Facts {
  std::string peer;
  std::string product, version, cluster_name;
  std::optional<std::string> blocked = {};  // the broker's words, where it blocked our connection
  std::vector<QueueFacts> queues = {};
  std::optional<ManagementFacts> management = {};
  std::string memory = {};  // of the last run
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// A check looks at no more, however many match.
inline constexpr std::size_t most_queues = 50;

/// Whether `name` matches `pattern`, in which * stands for any text and ? for any one byte.
bool matches_glob(std::string_view pattern, std::string_view name);

inline constexpr std::array samples{
    SampleSpec{.name = "messages", .help = "Messages that wait for a consumer (label queue)"},
    SampleSpec{.name = "unacknowledged",
               .help = "Messages that consumers hold and have not acknowledged, by the management API (label queue)"},
    SampleSpec{.name = "consumers", .help = "Consumers attached to a queue (label queue)", .lower_is_worse = true},
    SampleSpec{.name = "memory_used",
               .unit = Unit::bytes,
               .help = "Memory of a node; its maximum is where publishers are blocked (label node)",
               .has_maximum = true},
    SampleSpec{.name = "disk_free",
               .unit = Unit::bytes,
               .help = "Free space on the disk of a node (label node)",
               .lower_is_worse = true},
    SampleSpec{
        .name = "descriptors_used", .help = "File descriptors that a node has open (label node)", .has_maximum = true},
    SampleSpec{.name = "connections", .help = "Connections of all clients to the whole cluster"},
};
inline constexpr std::string_view default_limits =
    "{ memory_used: { warning: 90% }, descriptors_used: { warning: 80%, critical: 95% } }";

}  // namespace vitald::probes::rabbitmq
