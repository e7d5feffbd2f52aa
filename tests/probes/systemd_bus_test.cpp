// The systemd probe's run against a bus that is played: what is asked, and what each way of going wrong becomes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "probes/sql/conversation.hpp"
#include "probes/systemd.hpp"
#include "tests/support/fake_bus.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitald::testing::FakeBus;
using vitald::testing::finish;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr const char* nginx = "/org/freedesktop/systemd1/unit/nginx_2eservice";
constexpr const char* timer = "/org/freedesktop/systemd1/unit/a_2db_2etimer";
constexpr const char* job = "/org/freedesktop/systemd1/unit/a_2db_2eservice";

struct SystemdBus : ::testing::Test {
  systemd::Facts run(const std::string& yaml) {
    const auto parsed = parse_yaml(systemd::parse, yaml);
    EXPECT_EQ(parsed.problems, "");
    return around.run(systemd::run, parsed.config);
  }
  ProbeFailure failure(const std::string& yaml = "unit: nginx", Duration patience = std::chrono::seconds(5)) {
    const auto config = parse_yaml(systemd::parse, yaml).config;
    auto context = around.context();
    context.deadline = around.clock.now().steady + patience;
    try {
      finish(around.loop, systemd::run(context, config));
    } catch (const ProbeFailure& caught) {
      return caught;
    }
    return ProbeFailure(Outcome::answered, "nothing was thrown", "");
  }

  Surroundings around;
  FakeBus bus{around.folder.path()};
};

TEST_F(SystemdBus, ReadsAUnitInOneCall) {
  bus.units[nginx] = {.texts = {{"Id", "nginx.service"},
                                {"LoadState", "loaded"},
                                {"ActiveState", "active"},
                                {"SubState", "running"},
                                {"Result", "success"},
                                {"StatusText", "ready"}},
                      .numbers = {{"NRestarts", 6},
                                  {"MemoryCurrent", 1 << 20},
                                  {"MemoryMax", UINT64_MAX},
                                  {"ExecMainStatus", 0},
                                  {"ActiveEnterTimestamp", 1'700'000'000'000'000}}};
  bus.start();
  const auto facts = run("unit: nginx");
  ASSERT_EQ(facts.units.size(), 1u);
  const auto& unit = facts.units.front();
  EXPECT_EQ(unit.name, "nginx.service");
  EXPECT_EQ(unit.active, "active");
  EXPECT_EQ(unit.restarts, 6u);
  EXPECT_EQ(unit.memory, 1u << 20);
  EXPECT_EQ(unit.memory_most, std::nullopt);
  EXPECT_EQ(unit.started, Wall{std::chrono::seconds(1'700'000'000)});
  EXPECT_THAT(bus.calls(), ElementsAre("Hello", "GetAll"));
  EXPECT_THAT(around.workers.keys, ElementsAre("systemd"));
}

TEST_F(SystemdBus, FollowsATimerToWhatItStarts) {
  bus.units[timer] = {.texts = {{"Id", "a-b.timer"}, {"Unit", "a-b.service"}, {"TimersMonotonic", "OnUnitActiveUSec"}},
                      .numbers = {{"LastTriggerUSec", 1'700'000'000'000'000}}};
  bus.units[job] = {.texts = {{"Id", "a-b.service"}, {"LoadError", "bad file"}}, .numbers = {}};
  bus.start();
  const auto facts = run("unit: a-b.timer");
  ASSERT_TRUE(facts.units.at(0).timer);
  EXPECT_TRUE(facts.units.at(0).timer->repeats);
  EXPECT_EQ(facts.triggered.at("a-b.service").load_error, "bad file");
}

TEST_F(SystemdBus, ExpandsPatternsAndLeavesOutWhatIsExcluded) {
  bus.listed["ng*"] = {"nginx.service", "nginx-debug.service"};
  bus.start();
  const auto facts = run("{ unit: [ nginx, 'ng*', 'no*' ], exclude: '*-debug' }");
  ASSERT_EQ(facts.units.size(), 1u);
  EXPECT_EQ(facts.units[0].name, "nginx.service");
  EXPECT_THAT(facts.unmatched, ElementsAre("no*"));
}

TEST_F(SystemdBus, AsksForAllThatFailed) {
  bus.listed["failed"] = {"nginx.service", "a-b.service"};
  bus.units[nginx] = {.texts = {{"ActiveState", "failed"}}, .numbers = {}};
  bus.units[job] = {.texts = {{"ActiveState", "failed"}}, .numbers = {}};
  bus.start();
  const auto facts = run("{ failed: any, exclude: a-b }");
  ASSERT_EQ(facts.units.size(), 1u);
  EXPECT_EQ(facts.units[0].name, "nginx.service");
  // This folder has no journal, which the evidence says.
  EXPECT_THAT(facts.journal.at("nginx.service"), HasSubstr("no journal"));
  EXPECT_THAT(around.workers.keys, ElementsAre("systemd", "journal"));
}

TEST_F(SystemdBus, LooksAtABoundedNumberOfUnits) {
  for (int i = 0; i < 100; ++i) bus.listed["*.service"].push_back("unit" + std::to_string(i) + ".service");
  bus.start();
  const auto facts = run("unit: '*.service'");
  EXPECT_EQ(facts.units.size(), 64u);
  EXPECT_EQ(facts.left_out, 36u);
}

TEST_F(SystemdBus, OnlyReads) {
  bus.listed["failed"] = {"nginx.service"};
  bus.start();
  run("failed: any");
  for (const std::string& call : bus.calls()) {
    EXPECT_THAT((std::vector<std::string>{"Hello", "ListUnitsByPatterns", "GetAll"}), Contains(call));
  }
}

TEST_F(SystemdBus, WithoutABusNothingIsMeasured) {
  const auto missing = failure();
  EXPECT_EQ(missing.outcome, Outcome::unmeasured);
  EXPECT_EQ(missing.reason, "bus_missing");
  EXPECT_THAT(missing.what(), HasSubstr("/run/dbus/system_bus_socket"));
  EXPECT_THAT(missing.remedy, HasSubstr("leave this check out"));
}

TEST_F(SystemdBus, ABusThatIsDownIsOurTrouble) {
  {
    FakeBus gone(around.folder.path());
    gone.start();
  }
  EXPECT_EQ(failure().reason, "bus_down");
}

TEST_F(SystemdBus, ABusWithoutSystemd) {
  bus.fail_member = "GetAll";
  bus.fail_with = "org.freedesktop.DBus.Error.ServiceUnknown";
  bus.start();
  EXPECT_EQ(failure().reason, "systemd_missing");
}

TEST_F(SystemdBus, ABusThatLetsNobodyAsk) {
  bus.fail_member = "GetAll";
  bus.fail_with = "org.freedesktop.DBus.Error.AccessDenied";
  bus.start();
  const auto denied = failure();
  EXPECT_EQ(denied.reason, "denied:org.freedesktop.systemd1");
  EXPECT_THAT(denied.what(), HasSubstr("the test says no"));
}

TEST_F(SystemdBus, AnyOtherErrorIsOurTrouble) {
  bus.fail_member = "ListUnitsByPatterns";
  bus.fail_with = "org.example.Odd";
  bus.start();
  EXPECT_EQ(failure("failed: any").reason, "bus_error");
  EXPECT_EQ(failure("failed: any").outcome, Outcome::unmeasured);
}

TEST_F(SystemdBus, ASystemdThatDoesNotAnswerIsRefused) {
  bus.silent_member = "GetAll";
  bus.start();
  const auto silent = failure("unit: nginx", std::chrono::milliseconds(200));
  EXPECT_EQ(silent.outcome, Outcome::refused);
  EXPECT_EQ(silent.reason, "timeout");
}

TEST_F(SystemdBus, AConversationIsEndedWhileTheBusIsMute) {
  bus.mute = true;
  bus.start();
  sql::Talk talk(around.clock, around.clock.now().steady + std::chrono::hours(1));
  std::thread loop([&] {
    while (talk.step() != "first_byte") std::this_thread::yield();
    talk.sever();
  });
  systemd::Bus connected(around.folder.path() + "/run/dbus/system_bus_socket", talk);
  EXPECT_THROW(connected.properties("nginx.service"), ProbeFailure);
  loop.join();
}

}  // namespace
}  // namespace vitald::probes
