// postgres: a server answers, in the role that it should have; how full, how far behind and how stuck it is. Or any
// SELECT of the user's.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "probes/postgres_client.hpp"
#include "probes/probe.hpp"
#include "probes/sql/query.hpp"

namespace vitald::probes::postgres {

enum class Role { any, primary, replica };

struct Config {
  Connection connection;
  Role role = Role::any;
  std::optional<sql::Query> query;  // then nothing else is asked

  std::string target() const { return connection.target(); }
};

/// The answers as they came, to the statements of probes/postgres_statements.hpp.
struct Facts {
  std::string where;
  Duration answered_in{};         // the first statement
  sql::Table basics, statistics;  // one row each
  sql::Table standbys, sessions;  // no rows where there was nothing to ask for
  sql::Table answer;              // to the user's query
  std::string memory;
  Now now{};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// The questions of one run, in as few round trips as the answers allow. Blocks: for a worker.
void ask(const std::optional<sql::Query>& query, sql::Session& session, sql::Talk& talk, Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "connections_used",
               .help = "Client connections; the maximum is what ordinary roles may have",
               .has_maximum = true},
    SampleSpec{.name = "replication_lag",
               .unit = Unit::seconds,
               .help = "How far replaying is behind: of this replica, or of each standby of a primary (label standby)"},
    SampleSpec{.name = "replication_lag_bytes",
               .unit = Unit::bytes,
               .help = "Write-ahead log that is still to be replayed (label standby on a primary)"},
    SampleSpec{.name = "receiver_silent",
               .unit = Unit::seconds,
               .help = "On a replica: since when its primary has sent nothing, not even a sign of life"},
    SampleSpec{.name = "standbys", .help = "Standbys and subscribers that are connected", .lower_is_worse = true},
    SampleSpec{.name = "inactive_slots", .help = "Replication slots that nobody reads"},
    SampleSpec{.name = "slots_retained",
               .unit = Unit::bytes,
               .help = "Write-ahead log that is kept for the replication slot that is farthest behind"},
    SampleSpec{.name = "longest_transaction", .unit = Unit::seconds, .help = "Age of the oldest open transaction"},
    SampleSpec{.name = "longest_query", .unit = Unit::seconds, .help = "Age of the oldest query that runs now"},
    SampleSpec{.name = "idle_in_transaction",
               .unit = Unit::seconds,
               .help = "For how long the idlest session with an open transaction has done nothing"},
    SampleSpec{.name = "waiting_on_locks", .help = "Sessions that wait for a lock"},
    SampleSpec{.name = "commits", .kind = SampleKind::counter, .help = "Transactions committed"},
    SampleSpec{.name = "rollbacks", .kind = SampleKind::counter, .help = "Transactions rolled back"},
    SampleSpec{.name = "deadlocks", .kind = SampleKind::counter, .help = "Deadlocks found"},
    SampleSpec{.name = "conflicts",
               .kind = SampleKind::counter,
               .help = "Queries that a replica cancelled because they conflicted with replaying"},
    SampleSpec{.name = "temp_bytes",
               .kind = SampleKind::counter,
               .unit = Unit::bytes,
               .help = "Bytes that queries wrote to temporary files"},
    SampleSpec{.name = "checksum_failures",
               .kind = SampleKind::counter,
               .help = "Damaged pages found; only where data checksums are enabled"},
    SampleSpec{.name = "xid_age",
               .help = "Transactions since the oldest frozen one; at the maximum the server stops writing",
               .has_maximum = true},
    sql::rows_sample,
    sql::newest_sample,
    sql::changed_sample,
    sql::unchanged_sample,
};
inline constexpr std::string_view default_limits =
    "{ connections_used: { warning: 80%, critical: 95% }, longest_transaction: { warning: 30m }, "
    "checksum_failures: { critical: 1 per 1h }, xid_age: { warning: 50%, critical: 75% } }";

}  // namespace vitald::probes::postgres
