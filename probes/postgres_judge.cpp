// The postgres probe's opinion of what it was told.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/postgres.hpp"
#include "probes/sql/mask.hpp"

namespace vitald::probes::postgres {
namespace {

constexpr std::size_t most_standbys = 20;
constexpr double xid_maximum = 2147483648.0;  // half of the 32-bit circle
constexpr std::size_t most_statement = 200;

std::string seconds(double value) { return say_duration(length_of(value)); }

/// The statistics' row, with its numbers by name.
class Statistics {
 public:
  explicit Statistics(const Facts& facts) : facts_(facts) {}

  std::optional<double> operator[](std::string_view name) const { return facts_.statistics.number(0, name); }
  bool privileged() const { return facts_.basics.number(0, "privileged") == 1.0; }
  bool in_recovery() const { return facts_.basics.number(0, "in_recovery") == 1.0; }
  /// Whether the replica should be fed by a primary; nothing: this role may not know.
  std::optional<bool> streams() const {
    const auto value = (*this)["streams"];
    return value ? std::optional(*value == 1.0) : std::nullopt;
  }
  /// Behind a file archive there is no receiver, so no byte count: then the age of the last transaction is all there
  /// is.
  std::optional<double> lag() const {
    if ((*this)["replay_bytes"] == 0.0 && (*this)["receivers"].value_or(0) > 0) return 0.0;
    return (*this)["replay_age"];
  }

 private:
  const Facts& facts_;
};

void add(Observation& seen, std::string_view name, std::optional<double> value) {
  if (value) seen.samples.push_back({std::string(name), *value});
}

void add_amounts(const Statistics& statistics, Observation& seen) {
  if (const auto used = statistics["connections"])
    seen.samples.push_back({"connections_used", *used, statistics["max_connections"]});
  if (const auto age = statistics["xid_age"]) seen.samples.push_back({"xid_age", *age, xid_maximum});
  for (const auto* name : {"inactive_slots", "slots_retained", "commits", "rollbacks", "deadlocks", "conflicts",
                           "temp_bytes", "checksum_failures"})
    add(seen, name, statistics[name]);
}

/// What only pg_monitor sees. NULL means that there is no such session, which is a measured 0.
void add_sessions(const Statistics& statistics, Observation& seen) {
  for (const auto* name : {"longest_transaction", "longest_query", "idle_in_transaction", "waiting_on_locks"})
    add(seen, name, std::max(0.0, statistics[name].value_or(0)));
}

std::string describe_session(const sql::Table& sessions, std::size_t row) {
  const auto text = [&](std::string_view name) { return foreign_text(sessions.cell(row, name).value_or("?"), 60); };
  std::string line = seconds(std::max(0.0, sessions.number(row, "seconds").value_or(0))) + ", " + text("state");
  if (sessions.cell(row, "wait_event")) line += " (" + text("wait_event_type") + ": " + text("wait_event") + ")";
  line += ", user " + text("usename") + ", database " + text("datname") + ", pid " + text("pid");
  if (!sessions.cell(row, "application_name").value_or("").empty()) line += ", from " + text("application_name");
  if (sessions.cell(row, "blockers")) line += ", behind pid " + text("blockers");
  const auto statement = sessions.cell(row, "query");
  if (statement && !statement->empty())
    line += ": " + sql::mask_literals(*statement, sql::Dialect::postgres, most_statement);
  return line;
}

void add_evidence(const Statistics& statistics, const Facts& facts, Observation& seen) {
  seen.evidence.push_back({"server", "PostgreSQL " + foreign_text(facts.basics.cell(0, "version").value_or("?"), 60) +
                                         " at " + facts.where});
  for (std::size_t row = 0; row < std::min<std::size_t>(facts.sessions.rows.size(), 3); ++row) {
    seen.evidence.push_back(
        {foreign_text(facts.sessions.cell(row, "what").value_or("")), describe_session(facts.sessions, row)});
  }
  if (!statistics.privileged())
    seen.evidence.push_back({"not measured",
                             "what other roles' sessions and standbys do (transactions, queries, locks, lag of "
                             "standbys): run GRANT pg_monitor TO the role of this check"});
}

/// A name that no other standby of this answer has.
std::string unique_name(const sql::Table& standbys, std::size_t row, std::set<std::string>& taken) {
  std::string name = foreign_text(standbys.cell(row, "name").value_or(""), 60);
  if (name.empty()) name = "unnamed";
  if (!taken.insert(name).second) {
    name += " " + foreign_text(standbys.cell(row, "address").value_or("local"), 60);
    for (int again = 2; !taken.insert(name).second; ++again) name += " #" + std::to_string(again);
  }
  return name;
}

void add_standbys(const Statistics& statistics, const Facts& facts, Observation& seen) {
  add(seen, "standbys", statistics["standbys"]);
  std::set<std::string> taken;
  for (std::size_t row = 0; row < std::min(facts.standbys.rows.size(), most_standbys); ++row) {
    const auto bytes = facts.standbys.number(row, "bytes");
    auto lag = facts.standbys.number(row, "seconds");
    if (bytes == 0.0) lag = 0.0;  // the server shows the last measured lag for a while
    const std::string name = unique_name(facts.standbys, row, taken);
    const Labels labels{{"standby", name}};
    if (lag) seen.samples.push_back({"replication_lag", *lag, std::nullopt, labels});
    if (bytes) seen.samples.push_back({"replication_lag_bytes", *bytes, std::nullopt, labels});
    seen.evidence.push_back({"standby " + name, foreign_text(facts.standbys.cell(row, "state").value_or("?")) +
                                                    (lag ? ", " + seconds(*lag) + " behind" : "") +
                                                    (bytes ? ", " + say_bytes(*bytes) + " to replay" : "")});
  }
}

void add_replay(const Statistics& statistics, Observation& seen) {
  add(seen, "replication_lag", statistics.lag());
  add(seen, "replication_lag_bytes", statistics["replay_bytes"]);
  add(seen, "receiver_silent", statistics["receiver_silent"]);
  if (statistics["replay_paused"] == 1.0)
    seen.evidence.push_back({"replay", "paused: SELECT pg_wal_replay_resume() lets it go on"});
}

std::string summarize(const Statistics& statistics, const Facts& facts) {
  std::string text = statistics.in_recovery() ? "replica" : "primary";
  text += " answers in " + say_duration(facts.answered_in);
  const auto lag = statistics.lag();
  if (statistics.in_recovery() && lag) text += *lag < 1 ? ", up to date" : ", " + seconds(std::floor(*lag)) + " behind";
  if (const auto used = statistics["connections"])
    text +=
        "; " + say_number(*used) + " of " + say_number(statistics["max_connections"].value_or(0)) + " connections used";
  const auto waiting = statistics["waiting_on_locks"].value_or(0);
  if (statistics.privileged() && waiting > 0) text += "; " + say_count(waiting, "session") + " waiting for locks";
  return text;
}

void find_fault(const Config& config, const Statistics& statistics, Observation& seen) {
  const bool replica = statistics.in_recovery();
  if (config.role == Role::primary && replica) {
    blame(wrong("wrong_role", "is a replica (in recovery) instead of the primary, so it takes no writes",
                "see which server is the primary now; SELECT pg_promote() makes this one primary"),
          seen);
  } else if (config.role == Role::replica && !replica) {
    blame(wrong("wrong_role", "is a primary instead of a replica",
                "see whether it was promoted while the old primary still runs: two primaries drift apart"),
          seen);
  } else if (replica && statistics["receivers"] == 0.0 && statistics.streams().value_or(true)) {
    blame(wrong("replica_not_receiving", "replica receives nothing from its primary",
                "see the replica's log, and primary_conninfo: network, password, or the log it needs is gone already"),
          seen);
  }
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  if (config.query) {
    sql::judge_query(*config.query, facts.answer, samples, facts.now, facts.memory, seen);
    return seen;
  }
  const Statistics statistics(facts);
  seen.summary = summarize(statistics, facts);
  add_amounts(statistics, seen);
  if (statistics.privileged()) add_sessions(statistics, seen);
  if (statistics.in_recovery()) add_replay(statistics, seen);
  add_evidence(statistics, facts, seen);
  add_standbys(statistics, facts, seen);
  find_fault(config, statistics, seen);
  return seen;
}

}  // namespace vitald::probes::postgres
