#include "probes/mysql.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_session.hpp"
#include "tests/support/parsed.hpp"

namespace vitald::probes::mysql {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::FakeSession;
using vitald::testing::parse_yaml;
using vitald::testing::table;
using namespace std::chrono_literals;

const std::string login = "address: db:3306\nuser: monitor\n";

Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(parse, login + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

sql::StatementFailure missing_privilege(const std::string& what) {
  return {"1227", Outcome::unmeasured, "missing_privilege", "'m'@'%' lacks " + what, "GRANT " + what + " ON *.*"};
}

sql::Table pairs(std::vector<sql::Row> rows) { return table({"Variable_name", "Value"}, std::move(rows)); }

StatusFacts status(const std::string& version = "10.11.19-MariaDB") {
  StatusFacts facts;
  facts.values = {{"Threads_connected", "12"}, {"Threads_running", "2"},  {"Questions", "1000"},
                  {"Slow_queries", "3"},       {"Innodb_deadlocks", "4"}, {"Aborted_connects", "5"},
                  {"Aborted_clients", "6"},    {"Uptime", "200000"},      {"Connection_errors_max_connections", "7"},
                  {"max_connections", "151"},  {"version", version},      {"read_only", "OFF"}};
  return facts;
}

ProcessFacts nothing_runs() {
  return {.sees_all = true, .longest = table({"user", "db", "state", "n:seconds", "info"}, {}), .trouble = {}};
}

Facts healthy() { return {.took = 1ms, .status = status(), .replication = {}, .processes = nothing_runs()}; }

std::optional<double> value(const Observation& seen, const std::string& name, const Labels& labels = {}) {
  for (const Sample& each : seen.samples) {
    if (each.name == name && each.labels == labels) return each.value;
  }
  return std::nullopt;
}

std::string evidence(const Observation& seen, const std::string& label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

Channel channel(std::string io, std::string sql, std::optional<double> lag, std::string error = "") {
  return {
      .name = "", .source = "db-1", .io = std::move(io), .sql = std::move(sql), .lag = lag, .error = std::move(error)};
}

TEST(MySqlParse, HasDefaultsAndKnowsWhatAQueryExcludes) {
  EXPECT_FALSE(config().writable);
  EXPECT_EQ(config().replica, ReplicaUse::automatic);
  EXPECT_EQ(config("replica: required\nwritable: true").replica, ReplicaUse::required);
  EXPECT_TRUE(config("query: SELECT 1 AS n").query);
  for (const std::string key : {"writable: true", "replica: never"}) {
    EXPECT_THAT(parse_yaml(parse, login + "query: SELECT 1\n" + key).problems, HasSubstr("not possible with 'query'"));
  }
  EXPECT_THAT(parse_yaml(parse, login + "replica: maybe").problems, HasSubstr("replica"));
}

TEST(MySqlJudge, AHealthyServer) {
  const auto seen = judge(config("writable: true"), healthy());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "answers in 1 ms; 12 of 151 connections used");
  const std::pair<const char*, double> all[] = {
      {"connections_used", 12}, {"running_threads", 2},  {"questions", 1000},    {"slow_queries", 3},
      {"deadlocks", 4},         {"aborted_connects", 5}, {"aborted_clients", 6}, {"refused_connections", 7},
      {"uptime", 200000},       {"longest_query", 0}};
  for (const auto& [name, wanted] : all) EXPECT_EQ(value(seen, name), wanted) << name;
  EXPECT_EQ(seen.samples.front().maximum, 151);
  EXPECT_EQ(value(seen, "replica_lag"), std::nullopt);
  EXPECT_EQ(evidence(seen, "server"), "10.11.19-MariaDB");
  EXPECT_EQ(evidence(seen, "restart"), "");
}

TEST(MySqlJudge, WhatWasNotMeasuredIsLeftOut) {
  Facts facts = healthy();
  facts.status.values = {{"Threads_connected", "12"}, {"Uptime", "nonsense"}};
  const auto seen = judge(config(), facts);
  EXPECT_EQ(seen.summary, "answers in 1 ms");
  EXPECT_EQ(value(seen, "connections_used"), 12);
  EXPECT_FALSE(seen.samples.front().maximum);
  for (const char* name : {"uptime", "deadlocks", "questions"}) EXPECT_EQ(value(seen, name), std::nullopt) << name;
}

TEST(MySqlJudge, ARestartIsSaid) {
  Facts facts = healthy();
  facts.status.values["Uptime"] = "180";
  EXPECT_EQ(evidence(judge(config(), facts), "restart"), "the server was started 3 min ago");
}

TEST(MySqlJudge, ReadOnlyIsAFaultOnlyWhereItShouldBeWritten) {
  for (const auto& [name, word] : {std::pair("read_only", "ON"), {"super_read_only", "1"}}) {
    Facts facts = healthy();
    facts.status.values[name] = word;
    EXPECT_EQ(judge(config(), facts).outcome, Outcome::answered);
    const auto seen = judge(config("writable: true"), facts);
    EXPECT_EQ(seen.outcome, Outcome::wrong);
    EXPECT_EQ(seen.reason, "read_only");
  }
}

TEST(MySqlJudge, AReplicaThatFollows) {
  Facts facts = healthy();
  facts.replication.channels = {channel("Yes", "Yes", 45)};
  auto seen = judge(config("replica: required"), facts);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "answers in 1 ms; 12 of 151 connections used; replica 45 s behind");
  EXPECT_EQ(value(seen, "replica_lag"), 45);

  facts.replication.channels = {channel("Yes", "Yes", 0), channel("Yes", "Yes", 3)};
  facts.replication.channels[1].name = "west";
  seen = judge(config(), facts);
  EXPECT_EQ(value(seen, "replica_lag"), 0);
  EXPECT_EQ(value(seen, "replica_lag", {{"channel", "west"}}), 3);
  EXPECT_THAT(seen.summary, HasSubstr("replica 3 s behind"));
}

TEST(MySqlJudge, AReplicaThatDoesNot) {
  Facts facts = healthy();
  facts.replication.channels = {channel("Yes", "No", std::nullopt, "Error 'Duplicate entry'")};
  auto seen = judge(config(), facts);
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "replication_stopped");
  EXPECT_EQ(seen.summary, "replication from db-1 has stopped: Error 'Duplicate entry'");
  EXPECT_EQ(value(seen, "replica_lag"), std::nullopt);
  EXPECT_EQ(value(seen, "connections_used"), 12) << "the rest goes on";

  facts.replication.channels = {channel("Connecting", "Yes", std::nullopt, "error connecting")};
  seen = judge(config(), facts);
  EXPECT_EQ(seen.reason, "replication_disconnected");
  EXPECT_EQ(seen.summary, "replication from db-1: the source cannot be reached: error connecting");
}

TEST(MySqlJudge, AServerThatShouldBeAReplica) {
  EXPECT_EQ(judge(config("replica: required"), healthy()).reason, "not_a_replica");
  Facts facts = healthy();
  facts.replication.trouble = missing_privilege("SLAVE MONITOR");
  auto seen = judge(config(), facts);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(evidence(seen, "replication"), "not measured: 'm'@'%' lacks SLAVE MONITOR; GRANT SLAVE MONITOR ON *.*");
  seen = judge(config("replica: required"), facts);
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.remedy, "GRANT SLAVE MONITOR ON *.*");
}

TEST(MySqlJudge, WhatIsTheServersOutranksWhatIsOurs) {
  Facts facts = healthy();
  facts.replication.trouble = missing_privilege("SLAVE MONITOR");
  facts.processes.trouble = sql::StatementFailure("1969", Outcome::refused, "query_too_slow", "too slow");
  const auto seen = judge(config("replica: required"), facts);
  EXPECT_EQ(seen.reason, "query_too_slow");
  EXPECT_EQ(evidence(seen, "also"), "'m'@'%' lacks SLAVE MONITOR");
}

TEST(MySqlJudge, TheLongestQueryIsShownWithoutItsValues) {
  Facts facts = healthy();
  facts.processes.longest.rows = {{"app", "shop", "Waiting for table metadata lock", "75",
                                   "UPDATE jobs SET note = 'private' WHERE id = 7 -- token"}};
  auto seen = judge(config(), facts);
  EXPECT_EQ(value(seen, "longest_query"), 75);
  EXPECT_EQ(evidence(seen, "longest query"),
            "1 min 15 s by app in shop (Waiting for table metadata lock): UPDATE jobs SET note = ? WHERE id = ?");
  facts.processes.longest.rows = {{"app", std::nullopt, "", "4294967295", std::nullopt}};
  EXPECT_EQ(value(judge(config(), facts), "longest_query"), std::nullopt) << "a negative age, in the server's words";
  facts.processes.sees_all = false;
  seen = judge(config(), facts);
  EXPECT_EQ(value(seen, "longest_query"), std::nullopt);
  EXPECT_THAT(evidence(seen, "longest query"), HasSubstr("GRANT PROCESS"));
}

TEST(MySqlJudge, AQueryIsJudgedByItself) {
  Facts facts;
  facts.answer = table({"queue", "n:pending"}, {{"mail", "3"}});
  const auto seen = judge(config("query: SELECT queue, pending FROM x\nrow_labels: [ queue ]"), facts);
  EXPECT_EQ(value(seen, "pending", {{"queue", "mail"}}), 3);
  EXPECT_EQ(value(seen, "rows"), 1);
  EXPECT_EQ(value(seen, "connections_used"), std::nullopt);
  facts.answer = table({"n:uptime"}, {{"3"}});
  EXPECT_EQ(judge(config("query: SELECT 3 AS uptime"), facts).reason, "column_name");
}

TEST(MySqlAsk, ReadsStatusAndVariables) {
  FakeSession session;
  session.answer("SHOW GLOBAL STATUS", pairs({{"Threads_connected", "3"}, {"Uptime", "9"}}));
  session.answer("SHOW GLOBAL VARIABLES", pairs({{"version", "10.11.19-MariaDB"}, {"read_only", "ON"}}));
  const auto facts = ask_status(session);
  EXPECT_EQ(facts.number("Threads_connected"), 3);
  EXPECT_TRUE(facts.is_mariadb());
  EXPECT_TRUE(facts.is_read_only());
  EXPECT_THAT(session.asked, Not(Contains(HasSubstr("INNODB_METRICS"))));
}

TEST(MySqlAsk, MySqlCountsDeadlocksElsewhere) {
  FakeSession session;
  session.answer("SHOW GLOBAL STATUS", pairs({}));
  session.answer("SHOW GLOBAL VARIABLES", pairs({{"version", "8.0.36"}}));
  session.answer("SELECT `COUNT`", table({"n:deadlocks"}, {{"17"}}));
  EXPECT_EQ(ask_status(session).deadlocks, 17);
  session.answer("SELECT `COUNT`", missing_privilege("PROCESS"));
  const auto facts = ask_status(session);
  EXPECT_EQ(facts.deadlocks, std::nullopt);
  EXPECT_FALSE(facts.trouble);
}

TEST(MySqlAsk, UnderstandsTheColumnsOfBothServers) {
  FakeSession mysql;
  mysql.answer("SHOW REPLICA STATUS",
               table({"Source_Host", "Replica_IO_Running", "Replica_SQL_Running", "Seconds_Behind_Source",
                      "Last_IO_Error", "Last_SQL_Error", "Channel_Name"},
                     {{"db-1", "Yes", "Yes", "4", "", "", ""}, {"db-2", "Connecting", "Yes", {}, "gone", "", "west"}}));
  auto found = ask_replication(mysql, false).channels;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].lag, 4);
  EXPECT_EQ(found[1].name + found[1].source + found[1].io + found[1].error, "westdb-2Connectinggone");
  EXPECT_EQ(found[1].lag, std::nullopt);

  FakeSession mariadb;
  mariadb.answer(
      "SHOW ALL SLAVES STATUS",
      table({"Connection_name", "Master_Host", "Slave_IO_Running", "Slave_SQL_Running", "Seconds_Behind_Master",
             "Last_SQL_Error"},
            {{"",
              "db-1",
              "Yes",
              "No",
              {},
              "Error 'Duplicate entry' on query. Default database: 'shop'. Query: 'INSERT (\"private\")'"}}));
  found = ask_replication(mariadb, true).channels;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].sql, "No");
  EXPECT_EQ(found[0].error, "Error 'Duplicate entry'");
}

TEST(MySqlAsk, AnOldServerIsAskedInItsOwnWords) {
  FakeSession session;
  session.answer("SHOW REPLICA STATUS", sql::StatementFailure("1064", Outcome::unmeasured, "wrong_query", "syntax"));
  session.answer("SHOW SLAVE STATUS", table({"Slave_IO_Running", "Slave_SQL_Running"}, {{"Yes", "Yes"}}));
  const auto facts = ask_replication(session, false);
  EXPECT_EQ(facts.channels.size(), 1u);
  EXPECT_FALSE(facts.trouble);
  session.answer("SHOW REPLICA STATUS", missing_privilege("REPLICATION CLIENT"));
  EXPECT_EQ(ask_replication(session, false).trouble->reason, "missing_privilege");
}

TEST(MySqlAsk, KnowsWhetherItSeesOtherPeoplesStatements) {
  FakeSession session;
  session.answer("SELECT USER AS", table({"user", "n:seconds"}, {{"app", "5"}}));
  session.answer("SELECT (SELECT COUNT", table({"n:rights"}, {{"0"}}));
  EXPECT_FALSE(ask_processes(session).sees_all);
  session.answer("SELECT (SELECT COUNT", table({"n:rights"}, {{"2"}}));
  EXPECT_TRUE(ask_processes(session).sees_all);
  session.answer("SELECT USER AS", missing_privilege("PROCESS"));
  EXPECT_EQ(ask_processes(session).trouble->reason, "missing_privilege");
}

}  // namespace
}  // namespace vitald::probes::mysql
