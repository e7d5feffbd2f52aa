// redis: whether Redis serves, as primary or replica as it should, whether its data are safe, and how full it is.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/probe.hpp"
#include "probes/redis_client.hpp"
#include "probes/redis_info.hpp"

namespace vitald::probes::redis {

/// A key whose length is asked.
struct Key {
  std::string name;
  std::string type;  // "": Redis is asked
};

enum class Role { any, primary, replica };

struct Config {
  Connection connection;
  Role role = Role::any;
  std::vector<Key> keys;

  std::string target() const { return connection.target(); }
};

/// Of one key: what was measured, or why not.
struct KeyFacts {
  std::optional<double> length;
  std::optional<ProbeFailure> trouble;
};

struct Facts {
  std::string peer;
  std::optional<ProbeFailure> ping;     // what PING was answered instead of PONG
  std::optional<ProbeFailure> no_info;  // why there is no INFO
  Info info;
  std::vector<KeyFacts> keys;  // one for each of the config, none where PING failed
  std::string memory;          // of the last run
  Wall now{};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "length",
               .help = "Entries of the key, or bytes of a string; 0 where it does not exist (label key)"},
    SampleSpec{.name = "memory",
               .unit = Unit::bytes,
               .help = "Memory in use for data; its maximum is maxmemory, unless the policy is to evict any key, where "
                       "full is the normal state",
               .has_maximum = true},
    SampleSpec{.name = "memory_rss", .unit = Unit::bytes, .help = "Memory that the process holds"},
    SampleSpec{.name = "fragmentation", .help = "Memory that the process holds for each byte in use"},
    SampleSpec{.name = "clients", .help = "Connected clients; the maximum is maxclients", .has_maximum = true},
    SampleSpec{.name = "blocked_clients", .help = "Clients that wait in a blocking command"},
    SampleSpec{.name = "hit_ratio",
               .unit = Unit::ratio,
               .help = "Share of the lookups since the last run that found their key; absent where there was none",
               .lower_is_worse = true},
    SampleSpec{.name = "replica_lag",
               .unit = Unit::seconds,
               .help = "On a primary since a replica last acknowledged (label replica), on a replica since its primary "
                       "was last heard, which is up to 10 s without writes"},
    SampleSpec{.name = "replica_lag_bytes",
               .unit = Unit::bytes,
               .help = "On a primary: what a replica has not acknowledged yet (label replica)"},
    SampleSpec{.name = "replicas", .help = "Replicas that are connected", .lower_is_worse = true},
    SampleSpec{.name = "last_save_age", .unit = Unit::seconds, .help = "Since the data were last saved to disk"},
    SampleSpec{.name = "changes_since_save", .help = "Changes that a crash would lose, but for the append-only file"},
    SampleSpec{.name = "uptime", .unit = Unit::seconds, .help = "Since Redis started", .lower_is_worse = true},
    SampleSpec{.name = "evicted", .kind = SampleKind::counter, .help = "Keys evicted for want of memory"},
    SampleSpec{.name = "expired", .kind = SampleKind::counter, .help = "Keys that expired"},
    SampleSpec{.name = "hits", .kind = SampleKind::counter, .help = "Lookups that found their key"},
    SampleSpec{.name = "misses", .kind = SampleKind::counter, .help = "Lookups that did not"},
    SampleSpec{.name = "commands", .kind = SampleKind::counter, .help = "Commands processed"},
    SampleSpec{.name = "rejected_connections",
               .kind = SampleKind::counter,
               .help = "Connections refused because maxclients was reached"},
};
inline constexpr std::string_view default_limits =
    "{ memory: { warning: 90%, critical: 97% }, clients: { warning: 90% }, replica_lag: { warning: 30s, critical: 5m } "
    "}";

}  // namespace vitald::probes::redis
