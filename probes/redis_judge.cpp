// The redis probe's judge(): what INFO and the keys come to.
#include <algorithm>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/redis.hpp"

namespace vitald::probes::redis {
namespace {

constexpr std::size_t most_evidence = 8;  // of one kind

std::string say_seconds(double seconds) {
  if (seconds < 1) return "less than 1 s";
  return say_duration(std::chrono::floor<std::chrono::seconds>(length_of(seconds)));
}

std::string primary_of(const Info& info) {
  return foreign_text(info.text("master_host")) + ":" + foreign_text(info.text("master_port"), 8);
}

/// "replica has lost its primary db-1:6379 for 45 s"
std::string lost_primary(const Info& info) {
  const auto since = info.amount("master_link_down_since_seconds");
  if (!since) return "replica has not reached its primary " + primary_of(info) + " since it started";
  return "replica has lost its primary " + primary_of(info) + " for " + say_seconds(*since);
}

std::string copying(const Info& info) {
  std::string text = "replica is still copying the data of its primary " + primary_of(info);
  const auto share = info.amount("master_sync_perc");
  if (share && *share > 0) text += ", " + say_ratio(std::min(*share, 100.0) / 100) + " done";
  return text;
}

std::string loading(const Info& info) {
  std::string text = "Redis is still loading its data into memory";
  const auto share = info.amount("loading_loaded_perc");
  const auto left = info.amount("loading_eta_seconds");
  if (share) text += ": " + say_ratio(std::min(*share, 100.0) / 100) + " done";
  if (share && left && *share > 0) text += ", about " + say_seconds(*left) + " to go";
  return text;
}

double now_of(const Facts& facts) {
  // The server's own clock, where it tells it (Redis 7): ages are then right whatever ours says.
  if (const auto micros = facts.info.amount("server_time_usec")) return *micros / 1e6;
  return std::chrono::duration<double>(facts.now.time_since_epoch()).count();
}

std::optional<double> last_save_age(const Facts& facts) {
  const auto saved = facts.info.amount("rdb_last_save_time");
  if (!saved) return std::nullopt;
  return std::max(0.0, now_of(facts) - *saved);
}

/// Where Redis evicts whatever it likes, reaching maxmemory is the normal state of a cache and no danger.
std::optional<double> memory_maximum(const Info& info) {
  const auto most = info.amount("maxmemory");
  if (!most || *most == 0 || info.text("maxmemory_policy").starts_with("allkeys-")) return std::nullopt;
  return most;
}

// What the last run left: "HITS MISSES UPTIME RUN_ID".
struct Remembered {
  double hits = 0, misses = 0, uptime = 0;
  std::string run_id;
};

std::optional<Remembered> recall(std::string_view memory) {
  std::array<double, 3> numbers{};
  for (double& number : numbers) {
    const auto end = memory.find(' ');
    if (end == std::string_view::npos) return std::nullopt;
    const auto value = parse_number(memory.substr(0, end));
    if (!value) return std::nullopt;
    number = *value;
    memory.remove_prefix(end + 1);
  }
  return Remembered{.hits = numbers[0], .misses = numbers[1], .uptime = numbers[2], .run_id = std::string(memory)};
}

std::optional<std::string> remember(const Info& info) {
  for (const auto* key : {"keyspace_hits", "keyspace_misses", "uptime_in_seconds"})
    if (!info.amount(key)) return std::nullopt;
  std::string text;
  for (const auto* key : {"keyspace_hits", "keyspace_misses", "uptime_in_seconds"})
    text += std::string(info.text(key)) + " ";
  return text + std::string(info.text("run_id").substr(0, 64));
}

bool is_another(const Info& info, const Remembered& before) {
  return info.text("run_id").substr(0, 64) != before.run_id || info.amount("uptime_in_seconds") < before.uptime;
}

std::optional<double> hit_ratio(const Info& info, const Remembered& before) {
  const auto hits = info.amount("keyspace_hits"), misses = info.amount("keyspace_misses");
  if (!hits || !misses || is_another(info, before)) return std::nullopt;
  const double found = *hits - before.hits, missed = *misses - before.misses;
  if (found < 0 || missed < 0 || found + missed == 0) return std::nullopt;  // CONFIG RESETSTAT; no lookups
  return found / (found + missed);
}

struct Line {
  const char* sample;
  const char* key;
};
constexpr std::array plain_lines = {
    Line{"memory_rss", "used_memory_rss"},
    Line{"fragmentation", "mem_fragmentation_ratio"},
    Line{"blocked_clients", "blocked_clients"},
    Line{"replicas", "connected_slaves"},
    Line{"changes_since_save", "rdb_changes_since_last_save"},
    Line{"uptime", "uptime_in_seconds"},
    Line{"evicted", "evicted_keys"},
    Line{"expired", "expired_keys"},
    Line{"hits", "keyspace_hits"},
    Line{"misses", "keyspace_misses"},
    Line{"commands", "total_commands_processed"},
    Line{"rejected_connections", "rejected_connections"},
};

void add(std::vector<Sample>& samples, const char* name, std::optional<double> value,
         std::optional<double> maximum = {}) {
  if (value) samples.push_back({.name = name, .value = *value, .maximum = maximum});
}

void add_lags(const Info& info, Observation& seen) {
  if (info.replica()) add(seen.samples, "replica_lag", info.amount("master_last_io_seconds_ago"));
  for (const Replica& replica : info.replicas()) {
    if (replica.state != "online") {
      seen.evidence.push_back({"replica", replica.name + " is not in step yet: " + replica.state});
      continue;
    }
    const Labels labels{{"replica", replica.name}};
    if (replica.lag_seconds && *replica.lag_seconds >= 0)
      seen.samples.push_back({.name = "replica_lag", .value = *replica.lag_seconds, .labels = labels});
    const auto written = info.amount("master_repl_offset");
    if (written && replica.offset)
      seen.samples.push_back(
          {.name = "replica_lag_bytes", .value = std::max(0.0, *written - *replica.offset), .labels = labels});
  }
}

void add_samples(const Facts& facts, Observation& seen) {
  const Info& info = facts.info;
  add(seen.samples, "memory", info.amount("used_memory"), memory_maximum(info));
  add(seen.samples, "clients", info.amount("connected_clients"), info.amount("maxclients"));
  for (const Line& line : plain_lines) add(seen.samples, line.sample, info.amount(line.key));
  add(seen.samples, "last_save_age", last_save_age(facts));
  add_lags(info, seen);
  seen.memory = remember(info);
  const auto before = recall(facts.memory);
  if (!before || !seen.memory) return;
  add(seen.samples, "hit_ratio", hit_ratio(info, *before));
  const auto uptime = info.amount("uptime_in_seconds");
  if (uptime && is_another(info, *before))
    seen.evidence.push_back(
        {"restarted", say_seconds(*uptime) + " ago, or another server answers at this address than at the last run"});
}

void add_keys(const Config& config, const Facts& facts, Observation& seen) {
  for (std::size_t i = 0; i < facts.keys.size(); ++i) {
    if (!facts.keys[i].length) continue;
    const std::string& name = config.keys[i].name;
    seen.samples.push_back({.name = "length", .value = *facts.keys[i].length, .labels = {{"key", name}}});
    if (i < most_evidence) seen.evidence.push_back({name, say_number(*facts.keys[i].length)});
  }
}

void add_ping_fault(const Facts& facts, Faults& faults) {
  if (!facts.ping) return;
  ProbeFailure fault = *facts.ping;
  if (fault.reason == "loading") fault = ProbeFailure(fault.outcome, fault.reason, loading(facts.info), fault.remedy);
  if (fault.reason == "masterdown" && facts.info.replica())
    fault = ProbeFailure(fault.outcome, fault.reason,
                         lost_primary(facts.info) + " and serves nothing (replica-serve-stale-data no)", fault.remedy);
  faults.push_back(std::move(fault));
}

void add_role_faults(const Config& config, const Info& info, Faults& faults) {
  const bool replica = info.replica(), primary = info.text("role") == "master";
  if (config.role == Role::primary && replica) {
    const bool writable = info.text("slave_read_only") == "0";
    faults.emplace_back(Outcome::wrong, "wrong_role",
                        "is a replica of " + primary_of(info) + ", not the primary" +
                            (writable ? "" : ": it refuses writes (READONLY)"),
                        "see which Redis is the primary now, and where the application writes");
  } else if (config.role == Role::replica && primary) {
    faults.emplace_back(Outcome::wrong, "wrong_role", "is a primary, not a replica",
                        "see whether it was promoted: INFO replication");
  } else if (config.role != Role::any && !replica && !primary) {
    faults.emplace_back(Outcome::wrong, "wrong_role",
                        "is neither primary nor replica (mode " + foreign_text(info.text("redis_mode"), 40) + ")", "");
  }
  if (!replica || info.text("master_link_status") == "up" || info.text("master_link_status").empty()) return;
  if (info.text("master_sync_in_progress") == "1") {
    faults.emplace_back(Outcome::wrong, "replica_copying", copying(info), "");
  } else {
    faults.emplace_back(
        Outcome::wrong, "replica_link_down", lost_primary(info),
        "see whether the primary runs and takes the replica's password: the log of this Redis says why");
  }
}

void add_data_faults(const Facts& facts, Faults& faults) {
  const Info& info = facts.info;
  const auto used = info.amount("used_memory"), most = info.amount("maxmemory");
  // Redis does not count what it holds for its replicas and the append-only file.
  const double uncounted = info.amount("mem_not_counted_for_evict").value_or(0);
  if (used && most && *most > 0 && *used - uncounted > *most && info.text("maxmemory_policy") == "noeviction")
    faults.emplace_back(Outcome::wrong, "out_of_memory",
                        "has used up its memory (" + say_bytes(*used) + " of " + say_bytes(*most) +
                            ") and refuses writes, as maxmemory-policy is noeviction",
                        "raise maxmemory, remove keys, or set a policy that evicts");
  if (info.text("rdb_last_bgsave_status") == "err") {
    const auto age = last_save_age(facts);
    faults.emplace_back(
        Outcome::wrong, "save_failed",
        "could not save its data to disk" +
            (age ? "; the last good save is " + say_seconds(*age) + " old" : std::string()) +
            ", and writes may be refused until one succeeds",
        "see the disk (full, or not writable for Redis), free memory for the fork, and the log of Redis");
  }
  if (info.text("aof_enabled") == "1" && info.text("aof_last_write_status") == "err")
    faults.emplace_back(Outcome::wrong, "aof_failed", "cannot write its append-only file and refuses writes",
                        "see the disk (full, or not writable for Redis) and the log of Redis");
}

Faults find_faults(const Config& config, const Facts& facts) {
  Faults faults;
  add_ping_fault(facts, faults);
  if (!facts.no_info) {
    if (!facts.ping) add_role_faults(config, facts.info, faults);
    add_data_faults(facts, faults);
  }
  // Without INFO a server that answers PING is up; only who asks for a role is told nothing. An answer that is no INFO
  // is no Redis.
  if (facts.no_info && !facts.ping && (config.role != Role::any || facts.no_info->outcome != Outcome::unmeasured))
    faults.push_back(*facts.no_info);
  for (const KeyFacts& key : facts.keys)
    if (key.trouble) faults.push_back(*key.trouble);
  std::stable_sort(faults.begin(), faults.end(), [](const ProbeFailure& a, const ProbeFailure& b) {
    return a.outcome != Outcome::unmeasured && b.outcome == Outcome::unmeasured;
  });
  return faults;
}

/// "primary, 2 replicas, 12 of 10000 clients, 1.2 MiB of 2 GiB used"
std::string describe(const Info& info) {
  std::string text = info.replica()                  ? "replica of " + primary_of(info)
                     : info.text("role") == "master" ? "primary"
                                                     : "answers";
  const auto replicas = info.amount("connected_slaves");
  if (replicas && *replicas > 0) text += ", " + say_count(*replicas, "replica");
  const auto clients = info.amount("connected_clients"), most_clients = info.amount("maxclients");
  if (clients && most_clients) text += ", " + say_number(*clients) + " of " + say_count(*most_clients, "client");
  const auto used = info.amount("used_memory"), most = info.amount("maxmemory");
  if (used) text += ", " + say_bytes(*used) + (most && *most > 0 ? " of " + say_bytes(*most) : "") + " used";
  return text;
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  seen.evidence.push_back({"address", facts.peer});
  add_keys(config, facts, seen);
  if (facts.no_info) {
    seen.evidence.push_back({"INFO", facts.no_info->what()});
    seen.summary = "answers PING; INFO is not to be had";
    seen.remedy = facts.no_info->remedy;
  } else {
    std::string server = "Redis " + foreign_text(facts.info.text("redis_version"), 40);
    if (const auto uptime = facts.info.amount("uptime_in_seconds")) server += ", up " + say_seconds(*uptime);
    seen.evidence.push_back({"server", server});
    add_samples(facts, seen);
    seen.summary = describe(facts.info);
  }
  blame(find_faults(config, facts), seen, most_evidence);
  return seen;
}

}  // namespace vitald::probes::redis
