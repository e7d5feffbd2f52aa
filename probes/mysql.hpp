// mysql: MySQL or MariaDB logs us in, answers, can be written to, replicates, and has room; or what one SELECT of the
// user's own says.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "probes/mysql_client.hpp"
#include "probes/mysql_replication.hpp"
#include "probes/mysql_status.hpp"
#include "probes/probe.hpp"
#include "probes/sql/query.hpp"

namespace vitald::probes::mysql {

struct Config {
  Connection connection;
  std::optional<sql::Query> query;  // then nothing else is asked
  bool writable = false;            // it is a fault when the server is read-only
  ReplicaUse replica = ReplicaUse::automatic;

  std::string target() const { return connection.target(); }
};

struct Facts {
  Duration took{};  // of the answer to SELECT 1
  StatusFacts status;
  ReplicationFacts replication;
  ProcessFacts processes;
  sql::Table answer;  // where the check has a query
  Now now;
  std::string memory;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "connections_used", .help = "Clients connected now, of max_connections", .has_maximum = true},
    SampleSpec{.name = "running_threads", .help = "Clients whose statement runs just now"},
    SampleSpec{.name = "questions", .kind = SampleKind::counter, .help = "Statements that clients sent"},
    SampleSpec{.name = "slow_queries",
               .kind = SampleKind::counter,
               .help = "Statements that took longer than the server's long_query_time"},
    SampleSpec{.name = "deadlocks",
               .kind = SampleKind::counter,
               .help = "InnoDB deadlocks (on MySQL only with the PROCESS privilege)"},
    SampleSpec{.name = "aborted_connects", .kind = SampleKind::counter, .help = "Logins that failed"},
    SampleSpec{
        .name = "aborted_clients", .kind = SampleKind::counter, .help = "Connections that ended without a goodbye"},
    SampleSpec{.name = "refused_connections",
               .kind = SampleKind::counter,
               .help = "Connections refused because max_connections was reached"},
    SampleSpec{.name = "uptime",
               .unit = Unit::seconds,
               .help = "For how long the server has been running",
               .lower_is_worse = true},
    SampleSpec{.name = "replica_lag",
               .unit = Unit::seconds,
               .help = "How far the replica is behind its source (label channel where it has several)"},
    SampleSpec{.name = "longest_query",
               .unit = Unit::seconds,
               .help = "For how long the longest running statement has been running (needs PROCESS)"},
    sql::rows_sample,
    sql::newest_sample,
    sql::changed_sample,
    sql::unchanged_sample,
};
inline constexpr std::string_view default_limits = "{ connections_used: { warning: 80%, critical: 95% } }";

}  // namespace vitald::probes::mysql
