// laravel-queue: whether jobs wait in Laravel's queues, for how long, and whether anything takes them; without PHP. The
// driver is `redis` or `database` (Illuminate\Queue\RedisQueue, DatabaseQueue).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probes/laravel_queue_memory.hpp"
#include "probes/mysql_client.hpp"
#include "probes/postgres_client.hpp"
#include "probes/probe.hpp"
#include "probes/redis_client.hpp"

namespace vitald::probes::laravel_queue {

/// One of the two, or none.
struct Database {
  std::optional<mysql::Connection> mysql = {};
  std::optional<postgres::Connection> postgres = {};

  bool is_there() const { return mysql || postgres; }
};

struct Config {
  std::optional<redis::Connection> redis;
  Database database;  // of the jobs; with Redis only of the failed ones
  std::vector<std::string> queues;
  std::string prefix;
  bool cluster_names = false;
  std::string table = "jobs";
  std::string failed_table = "failed_jobs";  // "": nobody looks
  Duration retry_after = std::chrono::seconds(90);

  std::string target() const;
  /// What a memory is of: that of other jobs tells nothing about these.
  std::string memory_of() const;
};

/// A head that could not be read: some job is there.
inline constexpr std::string_view unknown_head = "?";

struct QueueFacts {
  std::string name;
  std::int64_t pending = 0, delayed = 0, reserved = 0;
  std::int64_t reserved_expired = 0;             // of the reserved ones
  std::optional<std::int64_t> delayed_due = {};  // of the delayed ones; in a database they count as pending
  /// Which job a worker would take next, and since when it could. "" where none waits or nobody could tell.
  std::string head = {};
  std::optional<double> head_at = {};  // seconds of the epoch, by the source's own word
  std::string newest = {};             // which of the jobs that are there came last
  std::optional<double> newest_at = {};

  /// Jobs that a worker could take at once.
  std::int64_t waiting() const { return pending + delayed_due.value_or(0); }
};

struct FailedFacts {
  std::int64_t newest = 0;                 // highest id in the table, 0 while it is empty
  std::optional<std::int64_t> fresh = {};  // rows after the remembered one; nothing where none was remembered
  std::vector<std::string> names = {};     // "App\Jobs\Export on exports", of the newest few
};

struct Facts {
  double now = 0;  // the server's clock, seconds of the epoch
  std::vector<QueueFacts> queues = {};
  std::optional<FailedFacts> failed = {};
  std::string peer = {};
  std::string found_instead = {};  // a key that looks like one of these queues under another prefix
  bool payload_too_large = false;  // some job could not be looked at
  std::optional<Memory> before = {};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "pending", .help = "Jobs that a worker can take (label queue)"},
    SampleSpec{.name = "delayed", .help = "Jobs for later, and those that wait for another try (label queue)"},
    SampleSpec{.name = "delayed_due",
               .help = "Delayed jobs whose time has come and that nobody moved yet; Redis only (label queue)"},
    SampleSpec{.name = "reserved", .help = "Jobs that a worker has taken (label queue)"},
    SampleSpec{.name = "reserved_expired",
               .help = "Jobs that were taken longer than retry_after ago: their worker is gone or hangs (label queue)"},
    SampleSpec{.name = "oldest_age",
               .unit = Unit::seconds,
               .help = "For how long the job that is next could have been taken; 0 when none waits (label queue)"},
    SampleSpec{.name = "stalled",
               .unit = Unit::seconds,
               .help = "For how long jobs have waited while none was taken and none was worked on (label queue)"},
    SampleSpec{.name = "idle", .unit = Unit::seconds, .help = "Since the last job was seen to arrive (label queue)"},
    SampleSpec{.name = "failed", .kind = SampleKind::event, .help = "Jobs that failed for good since the last run"},
};
inline constexpr std::string_view default_limits =
    "{ stalled: { warning: 2m, critical: 5m }, reserved_expired: { warning: 1, for: 2m }, failed: { warning: 1 } }";

}  // namespace vitald::probes::laravel_queue
