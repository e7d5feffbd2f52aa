// libpq's side of a session, against a server that follows a script. Real servers are in tests/integration.
#include "probes/postgres_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/support/loopback.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes::postgres {
namespace {

using ::testing::ElementsAre;
using vitald::testing::Loopback;
using vitald::testing::Peer;
using vitald::testing::StandingClock;

std::string number(std::uint32_t value, std::size_t bytes = 4) {
  std::string text;
  for (std::size_t i = bytes; i > 0; --i) text += static_cast<char>((value >> (8 * (i - 1))) & 0xff);
  return text;
}

std::string message(char type, const std::string& body) {
  return type + number(static_cast<std::uint32_t>(body.size() + 4)) + body;
}

const std::string ready = message('Z', "I");
const std::string let_in = message('R', number(0)) + ready;

std::string text(const std::string& value) { return value + std::string(1, '\0'); }

/// Columns of these types, named a, b, c…
std::string columns(const std::vector<std::uint32_t>& types) {
  std::string body = number(static_cast<std::uint32_t>(types.size()), 2);
  char name = 'a';
  for (const auto type : types)
    body += text(std::string(1, name++)) + number(0) + number(0, 2) + number(type) + number(0, 2) + number(0) +
            number(0, 2);
  return message('1', "") + message('2', "") + message('T', body);
}

std::string row(const std::vector<sql::Cell>& cells) {
  std::string body = number(static_cast<std::uint32_t>(cells.size()), 2);
  for (const auto& cell : cells)
    body += cell ? number(static_cast<std::uint32_t>(cell->size())) + *cell : number(0xffffffff);
  return message('D', body);
}

std::string end() { return message('C', text("SELECT 1")) + ready; }

std::string error(const std::string& severity, const std::string& code, const std::string& words) {
  return message('E', "S" + text(severity) + "V" + text(severity) + "C" + text(code) + "M" + text(words) + '\0');
}

/// Lets a client in, and gives these answers to what it asks.
Loopback::Serve script(std::vector<std::string> answers) {
  return [answers = std::move(answers)](Peer& peer) {
    static_cast<void>(peer.receive());
    peer.send(let_in);
    for (const std::string& answer : answers) {
      static_cast<void>(peer.receive());
      peer.send(answer);
    }
    peer.wait_for_end();
  };
}

struct PostgresSession : ::testing::Test {
  std::unique_ptr<sql::Session> enter(const Loopback& server, std::vector<std::string> addresses = {"127.0.0.1"}) {
    Login login;
    login.asked = {.where = "db", .socket_path = "", .user = "vitald", .database = "shop"};
    login.host = "db";
    login.addresses = std::move(addresses);
    login.port = server.port();
    return log_in(login, talk);
  }
  std::string reason_of(sql::Session& session, const sql::Bounds& bounds = {}) {
    try {
      static_cast<void>(session.query("SELECT", bounds));
    } catch (const ProbeFailure& failure) {
      return failure.reason;
    }
    return "";
  }

  StandingClock clock;
  sql::Talk talk{clock, clock.now().steady + std::chrono::seconds(20)};
};

TEST_F(PostgresSession, NumbersAreToldByTheirType) {
  const Loopback server(script({columns({23, 16, 1700, 25, 1114}) + row({"7", "t", "1.50", "8", "2026-01-01"}) +
                                row({std::nullopt, "f", "0", "", "x"}) + end()}));
  const auto session = enter(server);
  const auto table = session->query("SELECT", {});
  std::vector<bool> numeric;
  for (const auto& column : table.columns) numeric.push_back(column.numeric);
  EXPECT_THAT(numeric, ElementsAre(true, true, true, false, false));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0], (sql::Row{"7", "1", "1.50", "8", "2026-01-01"}));
  EXPECT_EQ(table.rows[1], (sql::Row{std::nullopt, "0", "0", "", "x"}));
  std::vector<std::string_view> phases;
  for (const Phase& phase : talk.phases()) phases.push_back(phase.name);
  EXPECT_THAT(phases, ElementsAre("connect", "login", "query"));
}

TEST_F(PostgresSession, AnAnswerWithoutRowsHasColumns) {
  const Loopback server(script({columns({23}) + end()}));
  const auto table = enter(server)->query("SELECT", {});
  EXPECT_EQ(table.columns.size(), 1u);
  EXPECT_TRUE(table.rows.empty());
}

TEST_F(PostgresSession, ASessionGoesOnBehindACutAnswer) {
  std::string rows;
  for (int i = 0; i < 100; ++i) rows += row({"1"});
  const Loopback server(script({columns({23}) + rows + end(), columns({23}) + row({"2"}) + end()}));
  const auto session = enter(server);
  const auto table = session->query("SELECT", {.rows = 3, .bytes = 1000});
  EXPECT_EQ(table.rows.size(), 3u);
  EXPECT_TRUE(table.cut);
  EXPECT_EQ(session->query("SELECT", {}).rows.at(0).at(0), "2");
}

TEST_F(PostgresSession, AValueThatIsTooLargeIsAFailure) {
  const Loopback server(script({columns({25}) + row({std::string(1001, 'x')}) + end()}));
  const auto session = enter(server);
  EXPECT_EQ(reason_of(*session, {.rows = 10, .bytes = 1000}), "answer_too_large");
}

TEST_F(PostgresSession, ARefusedStatementEndsNothing) {
  const Loopback server(
      script({error("ERROR", "42501", "permission denied") + ready, columns({23}) + row({"1"}) + end()}));
  const auto session = enter(server);
  try {
    static_cast<void>(session->query("SELECT", {}));
    FAIL();
  } catch (const sql::StatementFailure& failure) {
    EXPECT_EQ(failure.code, "42501");
    EXPECT_EQ(failure.reason, "missing_privilege");
  }
  EXPECT_EQ(reason_of(*session), "");
}

TEST_F(PostgresSession, AnErrorBehindRowsOutranksThem) {
  const Loopback server(script({columns({23}) + row({"1"}) + error("ERROR", "57014", "canceling statement") + ready}));
  EXPECT_EQ(reason_of(*enter(server)), "query_too_slow");
}

TEST_F(PostgresSession, AFatalErrorEndsIt) {
  const Loopback server(script({error("FATAL", "57P01", "terminating connection")}));
  const auto session = enter(server);
  EXPECT_EQ(reason_of(*session), "terminated");
  EXPECT_EQ(reason_of(*session), "connection_lost");
}

TEST_F(PostgresSession, WhatGivesNoRowsIsAMistake) {
  const Loopback server(
      script({message('1', "") + message('2', "") + message('n', "") + message('C', text("SET")) + ready}));
  EXPECT_EQ(reason_of(*enter(server)), "query_mistake");
}

TEST_F(PostgresSession, GarbageIsALostConnection) {
  const Loopback server(script({"\xff\xff\xff\xff\xff\xff\xff\xff and so on"}));
  EXPECT_EQ(reason_of(*enter(server)), "connection_lost");
}

TEST_F(PostgresSession, AKeptOneIsGoneWhenTheServerIs) {
  auto server = std::make_unique<Loopback>(script({columns({23}) + row({"1"}) + end()}));
  const auto session = enter(*server);
  EXPECT_EQ(reason_of(*session), "");
  session->rest();
  server.reset();
  EXPECT_FALSE(session->resume(talk));
}

TEST_F(PostgresSession, AKeptOneGoesOn) {
  const Loopback server(script({columns({23}) + row({"1"}) + end(), columns({23}) + row({"2"}) + end()}));
  const auto session = enter(server);
  EXPECT_EQ(reason_of(*session), "");
  session->rest();
  sql::Talk next(clock, clock.now().steady + std::chrono::seconds(20));
  EXPECT_TRUE(session->resume(next));
  EXPECT_EQ(session->query("SELECT", {}).rows.at(0).at(0), "2");
  session->rest();
}

TEST_F(PostgresSession, AnotherAddressIsTriedWhereNobodyListens) {
  const Loopback server(script({columns({23}) + end()}));
  EXPECT_EQ(reason_of(*enter(server, {"127.0.0.2", "127.0.0.1"})), "");
  try {
    static_cast<void>(enter(server, {"127.0.0.2", "127.0.0.3"}));
    FAIL();
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.reason, "connect_refused");
  }
}

TEST_F(PostgresSession, AServerThatRefusesIsNotAskedTwice) {
  std::atomic<int> logins = 0;
  const Loopback server([&](Peer& peer) {
    logins += 1;
    static_cast<void>(peer.receive());
    peer.send(error("FATAL", "53300", "too many clients"));
  });
  EXPECT_THROW(static_cast<void>(enter(server, {"127.0.0.1", "127.0.0.1"})), ProbeFailure);
  EXPECT_EQ(logins.load(), 1);
}

TEST_F(PostgresSession, ASeveredTalkEndsTheLogin) {
  const Loopback server([](Peer& peer) { peer.wait_for_end(); });
  talk.sever();
  EXPECT_THROW(static_cast<void>(enter(server)), ProbeFailure);
}

}  // namespace
}  // namespace vitald::probes::postgres
