// Whom the supervisor probe asks, what it sends, and what it makes of the answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "probes/supervisor.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/scripted_stream.hpp"
#include "tests/support/supervisor_answers.hpp"

namespace vitald::probes {
namespace {

using supervisor::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::ScriptedNetwork;
using vitald::testing::Surroundings;
using vitald::testing::xml_fault;
using vitald::testing::xml_program;
using vitald::testing::xml_programs;
using vitald::testing::xml_value;

supervisor::Config config(const std::string& yaml = "{}") {
  const auto parsed = parse_yaml(supervisor::parse, yaml);
  EXPECT_THAT(parsed.problems, Not(HasSubstr("error")));
  return parsed.config;
}

/// What one run finds on connections that answer so, one after the other.
supervisor::Facts run(FakeNetwork& network, const std::vector<std::string>& answers, const std::string& yaml) {
  for (const auto& answer : answers) network.answer({answer});
  Surroundings around;
  around.network = &network;
  return around.run(supervisor::run, config(yaml));
}

ProbeFailure failure_of(FakeNetwork& network, const std::vector<std::string>& answers,
                        const std::string& yaml = "socket: /s") {
  try {
    run(network, answers, yaml);
  } catch (const ProbeFailure& failure) {
    return failure;
  }
  throw std::logic_error("it did not fail");
}

TEST(SupervisorRun, FindsTheProgramsOfTheCheck) {
  FakeNetwork network;
  const auto seen =
      run(network, {xml_programs(xml_program("worker", "worker_00", 20) + xml_program("cron", "cron", 20))},
          "{ socket: /run/s.sock, programs: 'worker:*' }");
  ASSERT_EQ(seen.programs.size(), 1u);
  EXPECT_EQ(seen.programs.front().name, "worker_00");
  EXPECT_TRUE(seen.programs.front().is(State::running));
  EXPECT_THAT(seen.others, ElementsAre("cron"));
  EXPECT_EQ(network.targets.front().unix_path, "/run/s.sock");
  EXPECT_THAT(network.sent, HasSubstr("POST /RPC2 HTTP/1.1\r\n"));
  EXPECT_THAT(network.sent, HasSubstr("<methodName>supervisor.getAllProcessInfo</methodName>"));
}

TEST(SupervisorRun, TheLastLinesComeFromTheLogThatThereIs) {
  for (const bool own : {true, false}) {
    FakeNetwork network;
    const auto programs = xml_programs(xml_program("w", "w_0", 200, own ? "/var/log/e" : ""));
    const auto seen =
        run(network, {programs, xml_value("<string>one\nPDOException: gone &amp; lost\n</string>")}, "socket: /s");
    ASSERT_EQ(seen.logs.size(), 1u);
    EXPECT_EQ(seen.logs.front().lines, "one\nPDOException: gone & lost");
    EXPECT_EQ(seen.logs.front().program, "w:w_0");
    EXPECT_THAT(network.sent, HasSubstr(own ? "readProcessStderrLog" : "readProcessStdoutLog"));
    EXPECT_THAT(network.sent, HasSubstr("<string>w:w_0</string>"));
  }
}

TEST(SupervisorRun, WithoutItsLogTheVerdictStands) {
  FakeNetwork network;
  const auto seen = run(network, {xml_programs(xml_program("w", "w", 200)), xml_fault(20, "NO_FILE")}, "socket: /s");
  EXPECT_EQ(supervisor::judge(config(), seen).reason, "fatal");
  EXPECT_EQ(seen.logs.front().lines, "");
}

TEST(SupervisorRun, AnEndWithinACharacterIsAskedForOneByteLater) {
  FakeNetwork network;
  const auto seen = run(network,
                        {xml_programs(xml_program("w", "w", 200)),
                         vitald::testing::http_answer("", "500 Internal Server Error"), xml_value("last words")},
                        "socket: /s");
  EXPECT_EQ(seen.logs.front().lines, "last words");
  EXPECT_THAT(network.sent, HasSubstr("<int>-4095</int>"));
}

TEST(SupervisorRun, NoMoreThanThreeLogsAreAskedFor) {
  FakeNetwork network;
  std::string programs;
  for (int i = 0; i < 10; ++i) programs += xml_program("w", "w_" + std::to_string(i), 200);
  EXPECT_EQ(
      run(network, {xml_programs(programs), xml_value("a"), xml_value("b"), xml_value("c")}, "socket: /s").logs.size(),
      3u);
}

TEST(SupervisorRun, FailuresHaveTheirNames) {
  FakeNetwork network;
  EXPECT_EQ(failure_of(network, {xml_fault(6, "SHUTDOWN_STATE")}).reason, "shutting_down");
  EXPECT_EQ(failure_of(network, {xml_fault(1, "UNKNOWN_METHOD")}).reason, "fault");
  EXPECT_EQ(failure_of(network, {xml_value("text")}).reason, "bad_reply");
  EXPECT_EQ(failure_of(network, {vitald::testing::http_answer("<html/>", "400 Bad Request")}).reason, "bad_reply");
  EXPECT_EQ(failure_of(network, {vitald::testing::http_answer("nonsense")}).reason, "bad_reply");
  EXPECT_EQ(failure_of(network, {""}).reason, "closed_early");
  const std::string big = vitald::testing::http_answer(std::string((2 << 20) + 2, ' '));
  EXPECT_THAT(failure_of(network, {big}).what(), HasSubstr("longer than 2 MiB"));
}

TEST(SupervisorRun, APasswordIsAskedForAndSent) {
  const std::string unauthorized = vitald::testing::http_answer("", "401 Unauthorized");
  FakeNetwork network;
  auto failure = failure_of(network, {unauthorized});
  EXPECT_EQ(failure.reason, "no_password");
  EXPECT_EQ(failure.outcome, Outcome::unmeasured);
  failure = failure_of(network, {unauthorized}, "{ socket: /s, user: a, password: 'b:c d' }");
  EXPECT_EQ(failure.reason, "wrong_password");
  EXPECT_THAT(network.sent, HasSubstr("Authorization: Basic YTpiOmMgZA=="));
  EXPECT_THAT(failure.what(), Not(HasSubstr("b:c d")));
}

ProbeFailure missing(const std::string& path) {
  return ProbeFailure(Outcome::refused, "socket_missing", "there is no socket " + path);
}

TEST(SupervisorRun, TheUsualSocketsAreTriedInTurn) {
  FakeNetwork network;
  network.refuse(missing("/run/supervisor.sock"));
  network.refuse(missing("/run/supervisor/supervisor.sock"));
  const auto seen = run(network, {xml_programs(xml_program("w", "w", 200)), xml_value("line")}, "{}");
  EXPECT_EQ(seen.programs.size(), 1u);
  ASSERT_EQ(network.targets.size(), 4u);
  EXPECT_EQ(network.targets[0].unix_path, "/run/supervisor.sock");
  EXPECT_EQ(network.targets[2].unix_path, "/run/supervisord.sock");
  EXPECT_EQ(network.targets[3].unix_path, "/run/supervisord.sock");  // and stayed with
}

TEST(SupervisorRun, NobodyThereAndNobodyAllowedAreTwoThings) {
  FakeNetwork network;
  for (int i = 0; i < 4; ++i) network.refuse(missing("x"));
  auto failure = failure_of(network, {}, "{}");
  EXPECT_EQ(failure.reason, "supervisord_not_running");
  EXPECT_THAT(failure.remedy, HasSubstr("set socket"));
  for (const auto* why : {"socket_missing", "socket_refused"}) {
    network.refuse(ProbeFailure(Outcome::refused, why, "nobody listens on the socket /s"));
    failure = failure_of(network, {});
    EXPECT_EQ(failure.reason, "supervisord_not_running");
    EXPECT_STREQ(failure.what(), "supervisord is not running: nobody listens on the socket /s");
  }
  network.refuse(ProbeFailure(Outcome::unmeasured, "denied:/s", "vitald may not connect to the socket /s"));
  failure = failure_of(network, {});
  EXPECT_EQ(failure.outcome, Outcome::unmeasured);
  EXPECT_THAT(failure.remedy, HasSubstr("chown=root:vitald"));
  network.refuse(ProbeFailure(Outcome::refused, "connect_refused", "connection refused"));
  EXPECT_EQ(failure_of(network, {}, "url: http://127.0.0.1:1").reason, "connect_refused");
}

// Whatever it is told, and whatever it is asked to watch, only methods that read are called.
TEST(SupervisorRun, OnlyMethodsThatReadAreEverCalled) {
  FakeNetwork network;
  std::string programs;
  for (const int state : {0, 10, 20, 30, 40, 100, 200, 1000})
    programs += xml_program("w", std::to_string(state), state);
  run(network, {xml_programs(programs), xml_value("a"), xml_value("b"), xml_value("c")}, "{ socket: /s, programs: w }");
  std::set<std::string> called;
  const std::string mark = "<methodName>";
  for (auto at = network.sent.find(mark); at != std::string::npos; at = network.sent.find(mark, at + 1))
    called.insert(network.sent.substr(at + mark.size(), network.sent.find('<', at + 1) - at - mark.size()));
  EXPECT_THAT(called, ElementsAre("supervisor.getAllProcessInfo", "supervisor.readProcessStderrLog"));
}

TEST(SupervisorRun, FailsAtEveryStepAsTheNetworkDoes) {
  const auto script =
      vitald::testing::Script().expect_something().reply_in_pieces(xml_programs(xml_program("w", "w", 20)), 500);
  const auto steps = vitald::testing::fails_at_every_step({script}, [](ScriptedNetwork& network) {
    return [](ScriptedNetwork& on) -> awaitable<void> {
      Surroundings around;
      around.network = &on;
      auto context = around.context();
      const auto check = config("socket: /s");
      const auto seen = co_await supervisor::run(context, check);
      EXPECT_EQ(seen.programs.size(), 1u);
    }(network);
  });
  EXPECT_GE(steps, 3);
}

}  // namespace
}  // namespace vitald::probes
