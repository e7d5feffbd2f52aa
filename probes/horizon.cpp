#include "probes/horizon.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "probes/foreign_text.hpp"
#include "probes/json_path.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::horizon {
namespace {

using Replies = std::vector<wire::RespReply>;

constexpr std::size_t longest_prefix = 200;
constexpr std::size_t longest_name = 200;
constexpr std::size_t most_supervisors = 50;
constexpr std::size_t most_pools_text = 16 * 1024;
// How far down the lists of a Horizon that never cleans up one looks.
constexpr const char* last_master = "99";
constexpr const char* last_supervisor = "499";
constexpr const char* last_failed = "2";

config::Text name_kind() { return {.longest = longest_name, .may_be_empty = true}; }

std::optional<double> number(const wire::RespReply& reply) { return to_number(reply.text); }

/// The first round: everything whose name is known.
std::vector<redis::Command> first_commands(const Config& config, const std::optional<std::string>& remembered) {
  const std::string& h = config.prefix;
  std::vector<redis::Command> commands{
      {"TIME"},
      {"ZREVRANGE", h + "masters", "0", last_master, "WITHSCORES"},
      {"ZREVRANGE", h + "supervisors", "0", last_supervisor},
      {"GET", h + "last_snapshot_at"},
      {"ZRANGE", h + "failed_jobs", "0", last_failed, "WITHSCORES"},
      {"EXISTS", h + "masters", h + "supervisors", h + "recent_jobs", h + "failed_jobs", h + "last_snapshot_at",
       h + "measured_queues"},
      // Scores are minus the time, so the jobs that failed later lie below. A list that was empty then has them all.
      {"ZCOUNT", h + "failed_jobs", "-inf",
       !remembered || remembered->empty() ? std::string("+inf") : "(" + *remembered}};
  for (const std::string& name : config.queues) {
    laravel_queue::append_length_commands(commands,
                                          laravel_queue::queue_key(config.queue_prefix, name, config.cluster_names));
    commands.push_back({"HMGET", h + "queue:" + name, "runtime"});
    commands.push_back({"ZREVRANGE", h + "snapshot:queue:" + name, "0", "0"});
  }
  return commands;
}

/// The average since the last snapshot, or that of the snapshot where none has been worked on since.
std::optional<double> read_runtime(const std::vector<wire::RespReply>& average,
                                   const std::vector<wire::RespReply>& snapshot) {
  if (!average.empty()) {
    const auto runtime = number(average.front());
    if (runtime) return runtime;
  }
  if (snapshot.empty()) return std::nullopt;
  const std::vector<JsonPath> paths{*parse_json_path("$.runtime")};
  const auto found = find_in_json(snapshot.front().text, paths);
  if (!found.error.empty()) return std::nullopt;
  const JsonValue& value = found.values.front();
  if (value.kind == JsonValue::Kind::number) return value.number;
  return value.kind == JsonValue::Kind::text ? to_number(value.text) : std::nullopt;
}

/// What the first round brought, and the names that the second one asks for.
struct First {
  std::vector<std::string> supervisors = {};
  std::vector<std::string> failed = {};  // ids of the jobs that failed since the last run, the newest few
};

First read_first(const Config& config, const Replies& replies, const std::optional<std::string>& remembered,
                 Facts& facts) {
  First first;
  facts.now = laravel_queue::read_time(replies.at(0));
  const auto& masters = laravel_queue::read_items(replies.at(1), "ZREVRANGE " + config.prefix + "masters");
  for (std::size_t i = 0; i + 1 < masters.size(); i += 2)
    facts.masters.push_back({.name = masters[i].text, .reported = number(masters[i + 1]).value_or(0)});
  for (const auto& item : laravel_queue::read_items(replies.at(2), "ZREVRANGE " + config.prefix + "supervisors"))
    first.supervisors.push_back(item.text);
  laravel_queue::check_reply(replies.at(3), "GET " + config.prefix + "last_snapshot_at");
  facts.snapshot_at = number(replies[3]);
  facts.has_keys = laravel_queue::read_count(replies.at(5), "EXISTS " + config.prefix + "masters") > 0;

  const std::int64_t fresh = laravel_queue::read_count(replies.at(6), "ZCOUNT " + config.prefix + "failed_jobs");
  if (remembered) facts.failed.fresh = fresh;
  const auto& failed = laravel_queue::read_items(replies.at(4), "ZRANGE " + config.prefix + "failed_jobs");
  if (failed.size() >= 2 && number(failed[1])) facts.failed.newest = failed[1].text;
  for (std::size_t i = 0; i + 1 < failed.size() && remembered; i += 2) {
    if (static_cast<std::int64_t>(i / 2) < fresh) first.failed.push_back(failed[i].text);
  }

  std::size_t at = 7;
  for (const std::string& name : config.queues) {
    const std::string key = laravel_queue::queue_key(config.queue_prefix, name, config.cluster_names);
    QueueFacts queue{.name = name, .lengths = laravel_queue::read_lengths(replies, at, key)};
    const auto& average = laravel_queue::read_items(replies.at(at + 3), "HMGET " + config.prefix + "queue:" + name);
    const auto& snapshot =
        laravel_queue::read_items(replies.at(at + 4), "ZREVRANGE " + config.prefix + "snapshot:queue:" + name);
    queue.runtime_ms = read_runtime(average, snapshot);
    facts.queues.push_back(std::move(queue));
    at += 5;
  }
  return first;
}

std::vector<redis::Command> second_commands(const Config& config, const Facts& facts, const First& first) {
  std::vector<redis::Command> commands;
  for (const MasterFacts& master : facts.masters)
    commands.push_back({"HMGET", config.prefix + "master:" + master.name, "name", "status", "environment"});
  for (const std::string& name : first.supervisors)
    commands.push_back({"HMGET", config.prefix + "supervisor:" + name, "name", "status", "processes"});
  for (const std::string& id : first.failed) commands.push_back({"HMGET", config.prefix + id, "name", "queue"});
  return commands;
}

void read_second(const Replies& replies, const First& first, Facts& facts) {
  std::size_t at = 0;
  for (MasterFacts& master : facts.masters) {
    const auto& items = laravel_queue::read_items(replies.at(at++), "HMGET master:" + master.name);
    if (items.size() < 3 || items[0].text.empty()) continue;
    master.alive = true;
    master.status = items[1].text;
    master.environment = items[2].text;
  }
  for (const std::string& name : first.supervisors) {
    const auto& items = laravel_queue::read_items(replies.at(at++), "HMGET supervisor:" + name);
    if (items.size() < 3 || items[0].text.empty()) continue;
    facts.supervisors.push_back({.name = name, .status = items[1].text, .pools = read_pools(items[2].text)});
  }
  for (std::size_t i = 0; i < first.failed.size(); ++i) {
    const wire::RespReply& reply = replies.at(at++);
    if (reply.items.size() < 2 || reply.items[0].text.empty()) continue;
    facts.failed.names.push_back(foreign_text(reply.items[0].text, 120) + " on " +
                                 foreign_text(reply.items[1].text, 60));
  }
}

bool is_meant(const Config& config, const MasterFacts& master) {
  if (!config.environment.empty() && master.alive && master.environment != config.environment) return false;
  if (config.host.empty()) return true;
  // The host's name, a '-' and four letters or digits, so "web-1" is not "web-1-blue".
  const std::string start = slug(config.host) + "-";
  return master.name.starts_with(start) && master.name.find('-', start.size()) == std::string::npos;
}

/// Leaves the masters that the check is about, and their supervisors.
void choose(const Config& config, Facts& facts) {
  for (const MasterFacts& master : facts.masters) {
    if (master.alive && !is_meant(config, master)) facts.others.push_back(master.name);
  }
  std::erase_if(facts.masters, [&](const MasterFacts& master) { return !is_meant(config, master); });
  std::erase_if(facts.supervisors, [&](const SupervisorFacts& supervisor) {
    return std::none_of(facts.masters.begin(), facts.masters.end(),
                        [&](const MasterFacts& master) { return master.alive && master.name == supervisor.master(); });
  });
}

}  // namespace

std::string Config::memory_of() const {
  return laravel_queue::hashed(redis.target() + "\n" + std::to_string(redis.database) + "\n" + prefix);
}

std::string SupervisorFacts::master() const {
  const auto colon = name.rfind(':');
  return colon == std::string::npos ? "" : name.substr(0, colon);
}
std::string SupervisorFacts::short_name() const { return name.substr(name.rfind(':') + 1); }
std::int64_t SupervisorFacts::processes() const {
  std::int64_t sum = 0;
  for (const Pool& pool : pools) sum += pool.processes;
  return sum;
}

std::string slug(std::string_view host) {
  std::string made;
  for (const char each : host) {
    const char small = each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
    const bool kept = (small >= 'a' && small <= 'z') || (small >= '0' && small <= '9');
    if (kept) made += small;
    const bool gap = small == '-' || small == '_' || small == ' ';
    if (gap && !made.empty() && made.back() != '-') made += '-';
  }
  while (made.ends_with('-')) made.pop_back();
  return made;
}

std::vector<Pool> read_pools(std::string_view json) {
  std::vector<Pool> pools;
  if (json.size() > most_pools_text) return pools;
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) return pools;  // an empty one is written as a list
  for (const auto& [key, count] : parsed.items()) {
    if (!count.is_number_integer()) continue;
    Pool pool{.queues = {}, .processes = std::clamp<std::int64_t>(count.get<std::int64_t>(), 0, 1'000'000)};
    std::string names = key.substr(key.find(':') + 1);  // the connection stands in front
    for (auto comma = names.find(','); comma != std::string::npos; comma = names.find(',')) {
      pool.queues.push_back(names.substr(0, comma));
      names.erase(0, comma + 1);
    }
    pool.queues.push_back(std::move(names));
    pools.push_back(std::move(pool));
  }
  return pools;
}

Config parse(config::Reader& in) {
  Config config;
  const bool has_redis = in.object("redis", "How to reach the Redis of Horizon, as in the redis probe",
                                   [&](config::Reader& nested) { config.redis = redis::read_connection(nested); });
  config.prefix = in.required("prefix", config::Text{.longest = longest_prefix, .may_be_empty = true},
                              "horizon.prefix of the application, such as shop_horizon:");
  config.queues = in.optional(
      "queues",
      config::ListOf<laravel_queue::QueueName>{.kind = {}, .single = true, .most = laravel_queue::most_queues}, {},
      "Queues whose lengths to read, at most 20");
  config.queue_prefix = in.optional("queue_prefix", config::Text{.longest = longest_prefix, .may_be_empty = true}, "",
                                    "What stands in front of the queues' keys: another prefix than Horizon's");
  config.cluster_names = in.optional("cluster_names", config::Boolean{}, false,
                                     "The keys are called queues:{NAME}, as on a Redis cluster");
  config.environment = in.optional("environment", name_kind(), "", "Look only at masters of this environment");
  config.host = in.optional("host", name_kind(), "", "Look only at masters on the host of this name");
  config.supervisors = in.optional(
      "supervisors", config::ListOf<config::Text>{.kind = {.longest = 100}, .single = true, .most = most_supervisors},
      {}, "Supervisors that must run, as they are called in config/horizon.php");
  config.paused_by_all = in.optional("paused", config::OneOf{{"any", "all"}}, "any",
                                     "It counts as paused when any master is paused, or only when all are") == "all";

  if (!has_redis) in.problem("", "needs 'redis': how to reach the Redis of Horizon");
  laravel_queue::check_queues(in, "queues", config.queues);
  if (!config.host.empty() && slug(config.host).empty()) in.problem("host", "expected the name of a host");
  if (in.has("queue_prefix") && config.queues.empty()) in.problem("queue_prefix", "goes with 'queues'");
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  const auto remembered = parse_memory(context.memory, config.memory_of());
  auto client = co_await redis::open(context, config.redis);
  facts.peer = client->peer();
  const auto first_round = first_commands(config, remembered);
  const Replies replies = co_await client->ask(first_round, context.phases);
  const First first = read_first(config, replies, remembered, facts);
  const auto second_round = second_commands(config, facts, first);
  if (!second_round.empty()) {
    const Replies details = co_await client->ask(second_round, context.phases);
    read_second(details, first, facts);
  }
  redis::done(config.redis, std::move(client));
  choose(config, facts);
  co_return facts;
}

}  // namespace vitald::probes::horizon
