#include "probes/mysql_replication.hpp"

#include <array>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::mysql {
namespace {

constexpr std::string_view syntax_error = "1064";

/// The first of these columns that the answer has.
std::string first_of(const sql::Table& table, std::size_t row, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (table.column(name)) return table.cell(row, name).value_or("");
  }
  return "";
}

/// "… on query. Default database: 'shop'. Query: 'INSERT …'": the statement holds somebody's data.
std::string without_statement(std::string error) {
  for (const std::string_view mark : {" on query.", " Query: '", ", the event's master log"}) {
    const auto at = error.find(mark);
    if (at != std::string::npos) error.erase(at);
  }
  return foreign_text(error, 240);
}

std::string named(const Channel& channel) {
  std::string text = "replication";
  if (!channel.name.empty()) text += " channel " + channel.name;
  if (!channel.source.empty()) text += " from " + channel.source;
  return text;
}

std::optional<ProbeFailure> fault_of(const Channel& channel) {
  const std::string why = channel.error.empty() ? "" : ": " + channel.error;
  const bool reaching = channel.io != "Yes" && channel.io != "No" && !channel.io.empty();
  if (channel.sql != "Yes" || channel.io == "No" || channel.io.empty()) {
    return wrong("replication_stopped", named(channel) + " has stopped" + why,
                 "see SHOW REPLICA STATUS on the server; START REPLICA once the cause is gone");
  }
  if (reaching) {
    return wrong("replication_disconnected", named(channel) + ": the source cannot be reached" + why);
  }
  return std::nullopt;
}

}  // namespace

std::vector<Channel> channels_of(const sql::Table& table) {
  std::vector<Channel> channels;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    Channel channel;
    channel.name = foreign_text(first_of(table, row, {"Connection_name", "Channel_Name"}), 64);
    channel.source = foreign_text(first_of(table, row, {"Source_Host", "Master_Host"}), 80);
    channel.io = foreign_text(first_of(table, row, {"Replica_IO_Running", "Slave_IO_Running"}), 20);
    channel.sql = foreign_text(first_of(table, row, {"Replica_SQL_Running", "Slave_SQL_Running"}), 20);
    channel.lag = to_number(first_of(table, row, {"Seconds_Behind_Source", "Seconds_Behind_Master"}));
    const std::string applying = first_of(table, row, {"Last_SQL_Error"});
    channel.error = without_statement(applying.empty() ? first_of(table, row, {"Last_IO_Error"}) : applying);
    channels.push_back(std::move(channel));
  }
  return channels;
}

ReplicationFacts ask_replication(sql::Session& session, bool mariadb) {
  ReplicationFacts facts;
  const std::array<const char*, 2> statements{mariadb ? "SHOW ALL SLAVES STATUS" : "SHOW REPLICA STATUS",
                                              "SHOW SLAVE STATUS"};
  for (const char* statement : statements) {
    try {
      facts.channels = channels_of(session.query(statement, {}));
      facts.trouble.reset();
      return facts;
    } catch (const sql::StatementFailure& failure) {
      facts.trouble = failure;
      if (failure.code != syntax_error) return facts;
    }
  }
  return facts;
}

std::optional<ProbeFailure> judge_replication(const ReplicationFacts& facts, ReplicaUse use, Observation& seen) {
  if (facts.trouble) {
    if (use == ReplicaUse::required) return facts.trouble;
    add_gap("replication", facts.trouble, seen);
    return std::nullopt;
  }
  if (facts.channels.empty() && use == ReplicaUse::required) {
    return wrong("not_a_replica", "the server is not a replica of another");
  }
  std::optional<ProbeFailure> fault;
  for (const Channel& channel : facts.channels) {
    auto found = fault_of(channel);
    if (found && fault) seen.evidence.push_back({"also", found->what()});
    if (found && !fault) fault = std::move(found);
    if (!channel.lag) continue;
    Sample lag{.name = "replica_lag", .value = *channel.lag};
    if (!channel.name.empty()) lag.labels.emplace_back("channel", channel.name);
    seen.samples.push_back(std::move(lag));
  }
  return fault;
}

}  // namespace vitald::probes::mysql
