#include "probes/postgres.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "probes/postgres_login.hpp"
#include "probes/postgres_statements.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using vitald::testing::parse_yaml;
using vitald::testing::StandingClock;

postgres::Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(postgres::parse, "address: db.example.com:5432\nuser: vitald\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string problems(const std::string& yaml) { return parse_yaml(postgres::parse, yaml).problems; }

TEST(PostgresParse, TakesAnAddressOrASocket) {
  EXPECT_EQ(config().target(), "db.example.com:5432");
  const auto socket = [](const std::string& path) {
    return parse_yaml(postgres::parse, "{ socket: " + path + ", user: x }").config.target();
  };
  EXPECT_EQ(socket("/run/postgresql"), "/run/postgresql/.s.PGSQL.5432");
  EXPECT_EQ(socket("/run/postgresql/"), "/run/postgresql/.s.PGSQL.5432");
  EXPECT_EQ(socket("/tmp/.s.PGSQL.6000"), "/tmp/.s.PGSQL.6000");
  EXPECT_EQ(socket("/tmp/.s.PGSQL.x"), "/tmp/.s.PGSQL.x/.s.PGSQL.5432");
  EXPECT_THAT(problems("user: x"), HasSubstr("needs either 'address' or 'socket'"));
  EXPECT_THAT(problems("{ address: 'a:1', socket: /x, user: x }"), HasSubstr("needs either"));
  EXPECT_THAT(problems("{ socket: x, user: x }"), HasSubstr("expected an absolute path"));
  EXPECT_THAT(problems("{ socket: '/a,b', user: x }"), HasSubstr("a comma cannot stand"));
  EXPECT_THAT(problems("{ socket: /x, user: x, tls: true }"), HasSubstr("no TLS over a Unix socket"));
  EXPECT_THAT(problems("{ address: 'a:1' }"), HasSubstr("'user'"));
}

TEST(PostgresParse, KnowsRolesAndQueries) {
  EXPECT_EQ(config("role: replica").role, postgres::Role::replica);
  EXPECT_EQ(config().role, postgres::Role::any);
  EXPECT_EQ(config().connection.kept, nullptr);
  EXPECT_NE(config("keep_connection: true").connection.kept, nullptr);
  EXPECT_EQ(config("query: SELECT 1").query->statement, "SELECT 1");
  EXPECT_THAT(problems("{ address: 'a:1', user: x, role: master }"), HasSubstr("role"));
  EXPECT_THAT(problems("{ address: 'a:1', user: x, role: primary, query: SELECT 1 }"),
              HasSubstr("'role' is not possible with 'query'"));
}

// The parameters, as libpq reads them.

postgres::Login login() {
  postgres::Login made;
  made.asked = {.where = "db:5432", .socket_path = "", .user = "vitald", .database = "shop"};
  made.host = "db.example.com";
  return made;
}

std::string parameters(const postgres::Login& of) {
  return postgres::connection_string(of, "192.0.2.7", std::chrono::seconds(4));
}

TEST(PostgresParameters, QuotesWhatIsPutIntoParameters) {
  auto odd = login();
  odd.password = R"(a'b\c sslmode=disable)";
  EXPECT_THAT(parameters(odd), HasSubstr(R"( password='a\'b\\c sslmode=disable' )"));
}

TEST(PostgresParameters, VerifiesTheServerWhereTlsIsAsked) {
  EXPECT_THAT(parameters(login()), HasSubstr("sslmode='disable'"));
  auto secure = login();
  secure.tls.emplace();
  EXPECT_THAT(parameters(secure), HasSubstr("sslmode='verify-full' sslrootcert='/etc/ssl/certs/ca-certificates.crt'"));
  secure.tls->ca_file = "/ca.pem";
  EXPECT_THAT(parameters(secure), HasSubstr("sslmode='verify-full' sslrootcert='/ca.pem'"));
  EXPECT_THAT(parameters(secure), HasSubstr("channel_binding='prefer'"));
  secure.tls->insecure = true;
  EXPECT_THAT(parameters(secure), HasSubstr("sslmode='require' sslrootcert='/dev/null/none'"));
  EXPECT_THAT(parameters(secure), HasSubstr("channel_binding='require'"));
}

TEST(PostgresParameters, LetsTheServerGiveUpFirst) {
  EXPECT_THAT(parameters(login()), HasSubstr("-c default_transaction_read_only=on"));
  EXPECT_THAT(parameters(login()), HasSubstr("-c lock_timeout=3000 -c statement_timeout=3600"));
  EXPECT_THAT(postgres::connection_string(login(), "", std::chrono::microseconds(1)),
              HasSubstr("-c lock_timeout=1 -c statement_timeout=1"));
}

// What is asked, and in which order.

sql::Table row(std::map<std::string, sql::Cell> cells) {
  sql::Table table;
  table.rows.emplace_back();
  for (auto& [name, cell] : cells) {
    table.columns.push_back({.name = name, .numeric = true});
    table.rows.back().push_back(std::move(cell));
  }
  return table;
}

sql::Table basics(bool in_recovery = false, bool privileged = true) {
  return row({{"in_recovery", in_recovery ? "1" : "0"}, {"version", "15.4"}, {"privileged", privileged ? "1" : "0"}});
}

using Cells = std::map<std::string, sql::Cell>;

sql::Table statistics(Cells changed = {}) {
  Cells cells{{"connections", "12"},
              {"max_connections", "97"},
              {"longest_transaction", std::nullopt},
              {"longest_query", std::nullopt},
              {"idle_in_transaction", std::nullopt},
              {"waiting_on_locks", "0"},
              {"commits", "1000"},
              {"rollbacks", "3"},
              {"deadlocks", "1"},
              {"conflicts", "0"},
              {"temp_bytes", "4096"},
              {"checksum_failures", std::nullopt},
              {"inactive_slots", "1"},
              {"slots_retained", "1048576"},
              {"replay_age", std::nullopt},
              {"replay_bytes", std::nullopt},
              {"replay_paused", std::nullopt},
              {"streams", "0"},
              {"receivers", "0"},
              {"receiver_silent", std::nullopt},
              {"xid_age", "1073741824"},
              {"standbys", "0"}};
  for (auto& [name, cell] : changed) cells[name] = std::move(cell);
  return row(std::move(cells));
}

struct FakeSession final : sql::Session {
  bool resume(sql::Talk&) override { return true; }
  void rest() override {}
  sql::Table query(const std::string& statement, const sql::Bounds&) override {
    asked.push_back(statement);
    if (refuse_at == asked.size())
      throw sql::StatementFailure("42703", Outcome::unmeasured, "query_mistake", "no such column");
    return answers.at(statement);
  }
  std::map<std::string, sql::Table, std::less<>> answers;
  std::vector<std::string> asked;
  std::size_t refuse_at = 0;
};

struct PostgresAsk : ::testing::Test {
  PostgresAsk() {
    session.answers[std::string(postgres::basics_statement)] = basics();
    session.answers[std::string(postgres::statistics_statement)] = statistics();
    session.answers[std::string(postgres::standbys_statement)] = {};
    session.answers[std::string(postgres::sessions_statement)] = {};
  }
  void answer(Cells changed) {
    session.answers[std::string(postgres::statistics_statement)] = statistics(std::move(changed));
  }
  void ask(std::optional<sql::Query> query = std::nullopt) { postgres::ask(query, session, talk, facts); }

  StandingClock clock;
  sql::Talk talk{clock, clock.now().steady + std::chrono::seconds(5)};
  FakeSession session;
  postgres::Facts facts;
};

TEST_F(PostgresAsk, TwoQuestionsAreEnoughForAQuietServer) {
  ask();
  EXPECT_THAT(session.asked, ElementsAre(postgres::basics_statement, postgres::statistics_statement));
  EXPECT_EQ(facts.statistics.number(0, "connections"), 12.0);
}

TEST_F(PostgresAsk, WhoIsBehindItIsAskedWhereSomethingLasts) {
  answer({{"longest_transaction", "0.9"}});
  ask();
  EXPECT_EQ(session.asked.size(), 2u);
  answer({{"longest_transaction", "1.5"}});
  ask();
  EXPECT_EQ(session.asked.back(), postgres::sessions_statement);
  answer({{"waiting_on_locks", "1"}});
  ask();
  EXPECT_EQ(session.asked.back(), postgres::sessions_statement);
  answer({{"standbys", "2"}});
  ask();
  EXPECT_EQ(session.asked.back(), postgres::standbys_statement);
}

TEST_F(PostgresAsk, NothingMoreIsAskedOfAServerThatHidesIt) {
  session.answers[std::string(postgres::basics_statement)] = basics(false, false);
  answer({{"standbys", "2"}, {"waiting_on_locks", "3"}});
  ask();
  EXPECT_EQ(session.asked.size(), 2u);
}

TEST_F(PostgresAsk, AQueryIsAllThatIsAsked) {
  session.answers["SELECT 7 AS x"] = row({{"x", "7"}});
  ask(config("query: SELECT 7 AS x").query);
  EXPECT_THAT(session.asked, ElementsAre("SELECT 7 AS x"));
  EXPECT_EQ(facts.answer.number(0, "x"), 7.0);
}

TEST_F(PostgresAsk, AnOldServerIsNotTheUsersMistake) {
  session.refuse_at = 2;
  try {
    ask();
    FAIL();
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.reason, "unsupported_server");
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
  }
}

// What comes of it.

struct Said {
  std::string role = "";
  bool in_recovery = false, privileged = true;
  Cells changed = {};
  sql::Table standbys = {}, sessions = {};
};

Observation judge(const Said& said) {
  postgres::Facts facts;
  facts.where = "db.example.com:5432";
  facts.answered_in = std::chrono::milliseconds(1);
  facts.basics = basics(said.in_recovery, said.privileged);
  facts.statistics = statistics(said.changed);
  facts.standbys = said.standbys;
  facts.sessions = said.sessions;
  return postgres::judge(config(said.role.empty() ? "" : "role: " + said.role), facts);
}

const Sample* find(const Observation& seen, const std::string& name) {
  for (const Sample& each : seen.samples)
    if (each.name == name) return &each;
  return nullptr;
}

std::string evidence(const Observation& seen, const std::string& label) {
  for (const Evidence& each : seen.evidence)
    if (each.label == label) return each.text;
  return "";
}

TEST(PostgresJudge, SaysHowAPrimaryIs) {
  const auto seen = judge({.role = "primary"});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "primary answers in 1 ms; 12 of 97 connections used");
  ASSERT_NE(find(seen, "connections_used"), nullptr);
  EXPECT_EQ(find(seen, "connections_used")->maximum, 97.0);
  EXPECT_EQ(find(seen, "xid_age")->maximum, 2147483648.0);
  EXPECT_EQ(find(seen, "deadlocks")->value, 1);
  EXPECT_EQ(find(seen, "inactive_slots")->value, 1);
  EXPECT_EQ(find(seen, "longest_transaction")->value, 0) << "no open transaction is a measured zero";
  EXPECT_EQ(find(seen, "checksum_failures"), nullptr) << "checksums are off";
  EXPECT_EQ(find(seen, "replication_lag"), nullptr);
  for (const Sample& each : seen.samples) {
    const auto known = std::any_of(postgres::samples.begin(), postgres::samples.end(),
                                   [&](const SampleSpec& row) { return row.name == each.name; });
    EXPECT_TRUE(known) << each.name;
  }
}

TEST(PostgresJudge, AnotherRoleIsWrong) {
  const auto replica = judge({.role = "primary", .in_recovery = true, .changed = {{"receivers", "1"}}});
  EXPECT_EQ(replica.outcome, Outcome::wrong);
  EXPECT_EQ(replica.reason, "wrong_role");
  EXPECT_EQ(replica.summary, "is a replica (in recovery) instead of the primary, so it takes no writes");
  EXPECT_NE(find(replica, "connections_used"), nullptr);
  EXPECT_EQ(judge({.role = "replica"}).summary, "is a primary instead of a replica");
  EXPECT_EQ(judge({.role = "any"}).outcome, Outcome::answered);
}

TEST(PostgresJudge, SaysHowFarAReplicaIsBehind) {
  const Cells behind{{"replay_age", "45.2"}, {"replay_bytes", "1024"}, {"receivers", "1"}, {"streams", "1"}};
  const auto seen = judge({.in_recovery = true, .changed = behind});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "replica answers in 1 ms, 45 s behind; 12 of 97 connections used");
  EXPECT_EQ(find(seen, "replication_lag")->value, 45.2);
  EXPECT_EQ(find(seen, "replication_lag_bytes")->value, 1024);
}

TEST(PostgresJudge, AReplicaOfAnIdlePrimaryIsNotBehind) {
  Cells idle{{"replay_age", "7200"}, {"replay_bytes", "0"}, {"receivers", "1"}, {"streams", "1"}};
  EXPECT_EQ(find(judge({.in_recovery = true, .changed = idle}), "replication_lag")->value, 0);
  idle["receivers"] = "0";
  EXPECT_EQ(find(judge({.in_recovery = true, .changed = idle}), "replication_lag")->value, 7200);
}

TEST(PostgresJudge, AReplicaWithoutAPrimaryIsWrong) {
  const auto seen = judge({.in_recovery = true, .changed = {{"receivers", "0"}, {"streams", "1"}}});
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "replica_not_receiving");
  EXPECT_EQ(judge({.in_recovery = true, .changed = {{"streams", std::nullopt}}}).reason, "replica_not_receiving");
  // Fed from an archive of files, it has no receiver and needs none.
  EXPECT_EQ(judge({.in_recovery = true, .changed = {{"streams", "0"}}}).outcome, Outcome::answered);
}

TEST(PostgresJudge, LeavesOutWhatTheServerHides) {
  const auto seen = judge({.privileged = false});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  for (const auto* name : {"longest_transaction", "longest_query", "idle_in_transaction", "waiting_on_locks"})
    EXPECT_EQ(find(seen, name), nullptr) << name;
  EXPECT_NE(find(seen, "connections_used"), nullptr);
  EXPECT_THAT(evidence(seen, "not measured"), HasSubstr("GRANT pg_monitor"));
  EXPECT_EQ(evidence(judge({}), "not measured"), "");
}

TEST(PostgresJudge, TellsStandbysApart) {
  sql::Table standbys;
  for (const auto* name : {"name", "address", "state", "seconds", "bytes"}) standbys.columns.push_back({name, false});
  standbys.rows = {{"walreceiver", "192.0.2.1", "streaming", std::nullopt, "0"},
                   {"walreceiver", "192.0.2.2", "catchup", "12", "2048"},
                   {"walreceiver", "192.0.2.2", "startup", std::nullopt, std::nullopt}};
  const auto seen = judge({.changed = {{"standbys", "3"}}, .standbys = standbys});
  std::map<std::string, double> lags;
  for (const Sample& each : seen.samples)
    if (each.name == "replication_lag") lags[each.labels.at(0).second] = each.value;
  EXPECT_EQ(lags, (std::map<std::string, double>{{"walreceiver", 0}, {"walreceiver 192.0.2.2", 12}}));
  EXPECT_EQ(evidence(seen, "standby walreceiver 192.0.2.2"), "catchup, 12 s behind, 2 KiB to replay");
  EXPECT_EQ(evidence(seen, "standby walreceiver 192.0.2.2 #2"), "startup");
  EXPECT_EQ(find(seen, "standbys")->value, 3);
}

TEST(PostgresJudge, ShowsWhoIsBehindItWithoutValues) {
  sql::Table sessions;
  for (const auto* name : {"what", "pid", "usename", "datname", "application_name", "state", "wait_event_type",
                           "wait_event", "query", "seconds", "blockers"})
    sessions.columns.push_back({name, false});
  sessions.rows = {{"longest transaction", "4711", "shop", "shop", "psql", "idle in transaction", "Client",
                    "ClientRead", "UPDATE cards SET number = '4929123'", "723", std::nullopt},
                   {"waiting on a lock", "4712", "shop", "shop", "", "active", "Lock", "transactionid",
                    "DELETE FROM cards", "3", "4711"}};
  const auto seen = judge({.changed = {{"waiting_on_locks", "1"}}, .sessions = sessions});
  EXPECT_EQ(evidence(seen, "longest transaction"),
            "12 min 3 s, idle in transaction (Client: ClientRead), user shop, database shop, pid 4711, from psql: "
            "UPDATE cards SET number = ?");
  EXPECT_THAT(evidence(seen, "waiting on a lock"), HasSubstr("pid 4712, behind pid 4711: DELETE FROM cards"));
  EXPECT_THAT(seen.summary, HasSubstr("; 1 session waiting for locks"));
}

TEST(PostgresJudge, AQuerysColumnsAreSamples) {
  postgres::Facts facts;
  facts.answer = row({{"pending", "7"}});
  const auto seen = postgres::judge(config("query: SELECT 7 AS pending"), facts);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  ASSERT_NE(find(seen, "pending"), nullptr);
  EXPECT_EQ(find(seen, "pending")->value, 7);
  EXPECT_EQ(find(seen, "connections_used"), nullptr);
}

}  // namespace
}  // namespace vitald::probes
