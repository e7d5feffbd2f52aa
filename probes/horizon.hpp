// horizon: whether Laravel Horizon runs, with the supervisors that it should have, out of what it writes to Redis.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "probes/laravel_queue_keys.hpp"
#include "probes/probe.hpp"
#include "probes/redis_client.hpp"

namespace vitald::probes::horizon {

struct Config {
  redis::Connection redis;
  std::string prefix;               // of Horizon's own keys
  std::string queue_prefix;         // of the queues'
  std::vector<std::string> queues;  // may be empty
  bool cluster_names = false;
  std::string environment;               // "": any
  std::string host;                      // "": any
  std::vector<std::string> supervisors;  // names without the master's part
  bool paused_by_all = false;            // it counts as paused when every master is, not when one is

  std::string target() const { return redis.target(); }
  /// What a memory is of: that of another Horizon tells nothing about this one.
  std::string memory_of() const;
};

/// `php artisan horizon` on one host.
struct MasterFacts {
  std::string name;     // "web-1-Ab3d"
  double reported = 0;  // seconds of the epoch, by the application host's clock
  bool alive = false;   // Redis lets its hash go 15 s after the last report, by a clock of its own
  std::string status = {};
  std::string environment = {};

  bool paused() const { return status == "paused"; }
};

/// The processes of a supervisor that serve the same queues.
struct Pool {
  std::vector<std::string> queues;
  std::int64_t processes = 0;
};

struct SupervisorFacts {
  std::string name;  // "web-1-Ab3d:supervisor-1"
  std::string status = {};
  std::vector<Pool> pools = {};

  std::string master() const;
  std::string short_name() const;
  std::int64_t processes() const;
};

struct QueueFacts {
  std::string name;
  laravel_queue::Lengths lengths = {};
  std::optional<double> runtime_ms = {};  // of a job, on average
};

struct FailedFacts {
  std::string newest = {};                 // score of the newest failed job as Redis writes it; "": there is none
  std::optional<std::int64_t> fresh = {};  // after the remembered one
  std::vector<std::string> names = {};     // "App\Jobs\Export on exports", of the newest few
};

struct Facts {
  double now = 0;                                 // the server's clock, seconds of the epoch
  std::vector<MasterFacts> masters = {};          // that the check asks for, alive or not
  std::vector<std::string> others = {};           // names of other masters that are alive
  std::vector<SupervisorFacts> supervisors = {};  // alive, of those masters
  std::vector<QueueFacts> queues = {};
  std::optional<double> snapshot_at = {};
  bool has_keys = true;  // anything at all under the prefix
  FailedFacts failed = {};
  std::string peer = {};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// "Web_1.example.com" to "web-1examplecom": how Horizon makes a host's name the first part of a master's.
std::string slug(std::string_view host);
/// {"redis:high,default":3} as Horizon writes it; what is no such text has no pools.
std::vector<Pool> read_pools(std::string_view json);
/// FailedFacts::newest of the last run; nothing after none or one of something else.
std::optional<std::string> parse_memory(std::string_view text, std::string_view of);

inline constexpr std::array samples{
    SampleSpec{.name = "masters", .help = "Hosts on which Horizon runs", .lower_is_worse = true},
    SampleSpec{.name = "supervisors", .help = "Supervisors that run", .lower_is_worse = true},
    SampleSpec{.name = "processes", .help = "Worker processes of all supervisors", .lower_is_worse = true},
    SampleSpec{.name = "pending", .help = "Jobs that a worker can take (label queue)"},
    SampleSpec{.name = "delayed", .help = "Jobs for later, and those that wait for another try (label queue)"},
    SampleSpec{.name = "reserved", .help = "Jobs that a worker has taken (label queue)"},
    SampleSpec{
        .name = "wait",
        .unit = Unit::seconds,
        .help = "How long the queue's processes need for the jobs that wait, by the average so far (label queue)"},
    SampleSpec{.name = "snapshot_age", .unit = Unit::seconds, .help = "Since the last horizon:snapshot"},
    SampleSpec{.name = "failed", .kind = SampleKind::event, .help = "Jobs that failed for good since the last run"},
};
inline constexpr std::string_view default_limits = "{ failed: { warning: 1 } }";

}  // namespace vitald::probes::horizon
