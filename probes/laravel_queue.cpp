#include "probes/laravel_queue.hpp"

#include "probes/laravel_queue_keys.hpp"
#include "probes/laravel_queue_redis.hpp"
#include "probes/laravel_queue_sql.hpp"

namespace vitald::probes::laravel_queue {
namespace {

constexpr std::size_t longest_prefix = 200;

struct TableName {
  using value_type = std::string;
  bool may_be_empty = false;
  std::string type_name() const { return "name of a table"; }
  std::string schema() const {
    return may_be_empty ? R"x({"type":"string","pattern":"^([A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)?)?$"})x"
                        : R"x({"type":"string","pattern":"^[A-Za-z0-9_]+(\\.[A-Za-z0-9_]+)?$"})x";
  }
  Result<value_type> read(const config::Node& node, config::Problems&) const {
    if (node.kind != config::Node::Kind::scalar) {
      return Failure{"", "expected the name of a table, found " + std::string(node.kind_name())};
    }
    if ((may_be_empty && node.scalar.empty()) || is_table_name(node.scalar)) return node.scalar;
    return Failure{"", "expected the name of a table (letters, digits, '_', and one '.' after a schema), found '" +
                           node.scalar.substr(0, 80) + "'"};
  }
  value_type dummy() const { return "jobs"; }
  std::string show(const value_type& value) const { return value; }
};

Database read_database(config::Reader& in, const std::string& what) {
  Database database;
  in.object("mysql", what + " in MySQL or MariaDB: how to reach it, as in the mysql probe",
            [&](config::Reader& nested) { database.mysql = mysql::read_connection(nested); });
  in.object("postgres", what + " in PostgreSQL: how to reach it, as in the postgres probe",
            [&](config::Reader& nested) { database.postgres = postgres::read_connection(nested); });
  return database;
}

/// `failed:` of queues in Redis: the driver says nothing about where failed jobs go.
void read_failed(config::Reader& in, Config& config) {
  config.database = read_database(in, "Failed jobs");
  config.failed_table = in.optional("table", TableName{}, "failed_jobs", "Table of the failed jobs");
  if (in.has("mysql") == in.has("postgres")) in.problem("", "needs either 'mysql' or 'postgres'");
}

void check_drivers(config::Reader& in) {
  const int drivers = in.has("redis") + in.has("mysql") + in.has("postgres");
  if (drivers != 1) in.problem("", "needs one of 'redis', 'mysql' and 'postgres': where the jobs wait");
  if (drivers != 1) return;
  if (in.has("redis")) {
    for (const char* key : {"table", "failed_table", "retry_after"}) {
      if (in.has(key)) in.problem(key, "'" + std::string(key) + "' is about jobs in a database, not in Redis");
    }
    return;
  }
  for (const char* key : {"prefix", "cluster_names", "failed"}) {
    if (in.has(key)) in.problem(key, "'" + std::string(key) + "' is about jobs in Redis, not in a database");
  }
}

}  // namespace

std::string Config::target() const {
  if (redis) return redis->target();
  if (database.postgres) return database.postgres->target();
  return database.mysql ? database.mysql->target() : "laravel-queue";
}

std::string Config::memory_of() const {
  std::string of = target() + "\n" + prefix + "\n" + table + "\n" + failed_table;
  if (redis) of += "\nredis " + std::to_string(redis->database);
  if (database.mysql) of += "\nmysql " + database.mysql->target() + " " + database.mysql->database;
  if (database.postgres) of += "\npostgres " + database.postgres->target() + " " + database.postgres->database;
  return hashed(of);
}

Config parse(config::Reader& in) {
  Config config;
  in.object("redis", "Jobs in Redis: how to reach it, as in the redis probe",
            [&](config::Reader& nested) { config.redis = redis::read_connection(nested); });
  config.database = read_database(in, "Jobs");
  config.queues = in.required("queues", config::ListOf<QueueName>{.kind = {}, .single = true, .most = most_queues},
                              "Names of the queues, at most 20");
  config.prefix = in.optional("prefix", config::Text{.longest = longest_prefix, .may_be_empty = true}, "",
                              "What stands in front of every key of the application's Redis connection");
  config.cluster_names = in.optional("cluster_names", config::Boolean{}, false,
                                     "The keys are called queues:{NAME}, as on a Redis cluster");
  config.table = in.optional("table", TableName{}, "jobs", "Table of the jobs");
  config.failed_table =
      in.optional("failed_table", TableName{.may_be_empty = true}, "failed_jobs", "Table of the failed jobs, or \"\"");
  config.retry_after = in.optional(
      "retry_after", config::Length{.shortest = std::chrono::seconds(1), .longest = std::chrono::hours(24 * 31)},
      std::chrono::seconds(90), "After how long a taken job counts as lost: retry_after of config/queue.php");
  Config failed;
  const bool has_failed = in.object("failed", "Where failed jobs go when the jobs are in Redis",
                                    [&](config::Reader& nested) { read_failed(nested, failed); });
  check_drivers(in);
  check_queues(in, "queues", config.queues);
  if (has_failed) {
    config.database = failed.database;
    config.failed_table = failed.failed_table;
  }
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.before = parse_memory(context.memory, config.memory_of());
  if (!config.redis) {
    co_await measure_database(context, config, facts);
    co_return facts;
  }
  co_await measure_redis(context, config, facts);
  if (config.database.is_there()) {
    co_await measure_failed(context, config, facts);
  }
  co_return facts;
}

}  // namespace vitald::probes::laravel_queue
