#include "probes/pm2.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"

namespace vitald::probes {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::parse_yaml;

const Wall now = Wall(std::chrono::seconds(1'795'262'400));

pm2::Config config(const std::string& yaml = "{}") {
  const auto parsed = parse_yaml(pm2::parse, yaml);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

pm2::Process process(const std::string& name, std::int64_t id, const std::string& status = "online") {
  pm2::Process made;
  made.id = id;
  made.name = name;
  made.status = status;
  made.pid = 4711;
  made.memory = 100 << 20;
  made.cpu = 0.02;
  made.started_ms = (1'795'262'400.0 - 7200) * 1000;
  return made;
}

pm2::Process down(const std::string& name, std::int64_t id, const std::string& status, double exit_code = 1) {
  auto made = process(name, id, status);
  made.exit_code = exit_code;
  made.restarts = 16;
  return made;
}

pm2::Facts facts(std::vector<pm2::Process> processes, const std::string& memory = "") {
  pm2::Facts made;
  made.socket = "/home/deploy/.pm2/rpc.sock";
  made.now = now;
  made.memory = memory;
  made.processes = std::move(processes);
  return made;
}

const Sample* find(const Observation& seen, std::string_view name, const std::string& app = "") {
  for (const Sample& sample : seen.samples)
    if (sample.name == name && (app.empty() || sample.labels == Labels{{"app", app}})) return &sample;
  return nullptr;
}

double value(const Observation& seen, std::string_view name, const std::string& app = "") {
  const auto* sample = find(seen, name, app);
  return sample == nullptr ? -1 : sample->value;
}

std::string evidence(const Observation& seen, const std::string& label) {
  for (const auto& each : seen.evidence)
    if (each.label == label) return each.text;
  return "";
}

TEST(Pm2Parse, ReadsAppsAndWhere) {
  const auto one = config("app: frontend\nhome: /home/deploy/.pm2/\ninstances: 4\ngrace: 2m");
  EXPECT_THAT(one.apps, ElementsAre("frontend"));
  EXPECT_EQ(one.home, "/home/deploy/.pm2");
  EXPECT_EQ(one.target(), "pm2 /home/deploy/.pm2");
  EXPECT_EQ(one.instances, 4);
  EXPECT_EQ(one.grace, std::chrono::minutes(2));
  EXPECT_TRUE(one.single());
  EXPECT_FALSE(config().single());
  EXPECT_FALSE(config("app: [ a, b ]").single());
  EXPECT_FALSE(config("app: 'api-*'").single());
  EXPECT_EQ(config("socket: /run/pm2/rpc.sock").target(), "/run/pm2/rpc.sock");
}

TEST(Pm2Parse, SaysWhatIsWrong) {
  const auto problems = [](const std::string& yaml) { return parse_yaml(pm2::parse, yaml).problems; };
  EXPECT_THAT(problems("home: .pm2"),
              HasSubstr("1:7: error: expected an absolute path such as /home/deploy/.pm2, found"));
  EXPECT_THAT(problems("socket: rpc.sock"), HasSubstr("expected an absolute path"));
  EXPECT_THAT(problems("home: /a\nsocket: /b"), HasSubstr("'home' and 'socket' exclude each other"));
  EXPECT_THAT(problems("instances: 0"), HasSubstr("instances"));
  EXPECT_THAT(problems("grace: 30"), HasSubstr("30s"));
  EXPECT_THAT(problems("app: { name: a }"), HasSubstr("expected"));
  EXPECT_THAT(problems("apps: a"), HasSubstr("app"));
  EXPECT_NE(problems("socket: /" + std::string(107, 'a')), "");
}

TEST(Pm2Parse, KnowsWhichAppsAreMeant) {
  const auto some = config("app: [ frontend, 'api-*' ]\nexclude: api-old");
  EXPECT_TRUE(pm2::is_meant(some, "frontend"));
  EXPECT_TRUE(pm2::is_meant(some, "api-users"));
  EXPECT_FALSE(pm2::is_meant(some, "api-old"));
  EXPECT_FALSE(pm2::is_meant(some, "frontend2"));
  EXPECT_TRUE(pm2::is_meant(config(), "whatever"));
}

TEST(Pm2Judge, AHealthyApp) {
  auto one = process("frontend", 0);
  one.restarts = 2;
  one.most_memory = 300 << 20;
  const auto seen = pm2::judge(config("app: frontend"), facts({one}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "online for 2 h, 100 MiB, 2 restarts in all");
  EXPECT_EQ(value(seen, "not_running"), 0);
  EXPECT_EQ(value(seen, "online"), 1);
  EXPECT_EQ(find(seen, "online")->maximum, 1);
  EXPECT_EQ(value(seen, "restarts"), 2);
  EXPECT_EQ(value(seen, "uptime"), 7200);
  EXPECT_EQ(value(seen, "memory"), 100 << 20);
  EXPECT_EQ(find(seen, "memory")->maximum, 300 << 20);
  EXPECT_TRUE(find(seen, "online")->labels.empty());
}

TEST(Pm2Judge, SeveralAppsHaveALabel) {
  const auto seen = pm2::judge(config(), facts({process("api", 0), process("api", 1), process("worker", 2)}));
  EXPECT_EQ(seen.summary, "2 apps, 3 of 3 instances online");
  EXPECT_EQ(value(seen, "online", "api"), 2);
  EXPECT_EQ(value(seen, "online", "worker"), 1);
}

TEST(Pm2Judge, AMissingAppIsNamedBesideThoseThatAreThere) {
  auto seen_by_run = facts({});
  seen_by_run.others = {"api", "worker"};
  const auto seen = pm2::judge(config("app: frontend"), seen_by_run);
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "app_missing");
  EXPECT_EQ(seen.summary, "frontend is not in pm2: it has api, worker");
  EXPECT_EQ(pm2::judge(config("app: 'a*'"), facts({})).summary, "a* is not in pm2: it has none");
  EXPECT_EQ(pm2::judge(config(), facts({})).reason, "no_apps");
}

TEST(Pm2Judge, StoppedAndErrored) {
  const auto errored = pm2::judge(config("app: api"), facts({down("api", 0, "errored")}));
  EXPECT_EQ(errored.reason, "errored");
  EXPECT_EQ(errored.summary, "api is errored after 16 restarts, exit code 1");
  EXPECT_THAT(errored.remedy, HasSubstr("pm2 restart api"));
  EXPECT_EQ(find(errored, "memory"), nullptr);
  const auto stopped = pm2::judge(config("app: api"), facts({down("api", 0, "stopped", 0)}));
  EXPECT_EQ(stopped.reason, "stopped");
  EXPECT_EQ(stopped.summary, "api is stopped");
  // The worst is the verdict, the other is told beside it.
  const auto both = pm2::judge(config(), facts({down("a", 0, "stopped", 0), down("b", 1, "errored")}));
  EXPECT_EQ(both.reason, "errored");
  EXPECT_EQ(evidence(both, "also"), "a is stopped");
}

TEST(Pm2Judge, AScriptThatEndedWellIsNoFault) {
  auto once = down("migrate", 0, "stopped", 0);
  once.autorestart = false;
  const auto seen = pm2::judge(config("app: migrate"), facts({once}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "migrate has run and ended well");
  auto nightly = down("nightly", 0, "stopped", 0);
  nightly.scheduled = true;
  EXPECT_EQ(pm2::judge(config("app: nightly"), facts({nightly})).outcome, Outcome::answered);
  once.exit_code = 3;
  EXPECT_EQ(pm2::judge(config("app: migrate"), facts({once})).summary, "migrate is stopped, exit code 3");
}

TEST(Pm2Judge, SomeInstancesDownAreAFigureAndAllAFault) {
  const auto some =
      pm2::judge(config("app: api"), facts({process("api", 0), down("api", 1, "errored"), process("api", 2)}));
  EXPECT_EQ(some.outcome, Outcome::answered);
  EXPECT_EQ(some.summary, "2 of 3 instances online");
  EXPECT_EQ(value(some, "not_running"), 1);
  EXPECT_EQ(find(some, "not_running")->says, "api (id 1) is errored after 16 restarts, exit code 1; 2 of 3 running");
  EXPECT_EQ(evidence(some, "api"), find(some, "not_running")->says);
  const auto all = pm2::judge(config("app: api"), facts({down("api", 0, "stopped", 0), down("api", 1, "errored")}));
  EXPECT_EQ(all.reason, "errored");
  EXPECT_THAT(all.summary, HasSubstr("none of the 2 of api is running: api (id 0) is stopped, api (id 1) is errored"));
}

TEST(Pm2Judge, FewerInstancesThanThereMustBe) {
  const auto seen = pm2::judge(config("{ app: api, instances: 4 }"), facts({process("api", 0), process("api", 1)}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(value(seen, "not_running"), 2);
  EXPECT_EQ(find(seen, "online")->maximum, 4);
  EXPECT_EQ(find(seen, "not_running")->says, "an instance is missing; 2 of 4 running");
}

TEST(Pm2Judge, LaunchingIsAFaultOnceItLasts) {
  const auto check = config("app: api");
  auto seen = pm2::judge(check, facts({process("api", 0, "launching")}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "api is launching");
  auto later = facts({process("api", 0, "launching")}, *seen.memory);
  later.now += std::chrono::seconds(59);
  EXPECT_EQ(pm2::judge(check, later).outcome, Outcome::answered);
  later.now += std::chrono::seconds(2);
  seen = pm2::judge(check, later);
  EXPECT_EQ(seen.reason, "not_online");
  EXPECT_EQ(seen.summary, "api is launching for 1 min 1 s");
  // A restart in between begins anew, as does another state.
  later.processes.front().restarts = 1;
  EXPECT_EQ(pm2::judge(check, later).outcome, Outcome::answered);
  later.processes.front().restarts = 0;
  later.processes.front().status = "stopping";
  EXPECT_EQ(pm2::judge(check, later).outcome, Outcome::answered);
}

TEST(Pm2Judge, AnAppThatGaveUpWhileItWaitsIsErrored) {
  auto one = down("api", 0, "waiting restart");
  EXPECT_EQ(pm2::judge(config("app: api"), facts({one})).outcome, Outcome::answered);
  one.gave_up = true;
  const auto seen = pm2::judge(config("app: api"), facts({one}));
  EXPECT_EQ(seen.reason, "errored");
}

struct Restarts {
  pm2::Config check = config("app: api");
  std::string memory;
  double count(std::vector<pm2::Process> processes) {
    const auto seen = pm2::judge(check, facts(std::move(processes), memory));
    memory = *seen.memory;
    return value(seen, "restarts");
  }
  static pm2::Process with(double restarts, std::int64_t id = 0) {
    auto made = process("api", id);
    made.restarts = restarts;
    return made;
  }
};

TEST(Pm2Judge, RestartsOnlyGrow) {
  Restarts seen;
  EXPECT_EQ(seen.count({Restarts::with(7)}), 7);
  EXPECT_EQ(seen.count({Restarts::with(9)}), 9);
  EXPECT_EQ(seen.count({Restarts::with(0)}), 9);  // pm2 reset
  EXPECT_EQ(seen.count({Restarts::with(2)}), 11);
  EXPECT_EQ(seen.count({Restarts::with(1)}), 12);     // reset, and restarted once since
  EXPECT_EQ(seen.count({Restarts::with(3, 5)}), 15);  // deleted and started anew
}

TEST(Pm2Judge, AReloadOfAllInstancesCountsOnceAndScalingNothing) {
  Restarts seen;
  EXPECT_EQ(seen.count({Restarts::with(4, 0), Restarts::with(4, 1), Restarts::with(1, 2)}), 4);
  EXPECT_EQ(seen.count({Restarts::with(5, 0), Restarts::with(5, 1), Restarts::with(2, 2)}), 5);
  EXPECT_EQ(seen.count({Restarts::with(2, 2)}), 5);
  EXPECT_EQ(seen.count({Restarts::with(2, 2), Restarts::with(0, 7)}), 5);
}

TEST(Pm2Judge, WhatIsRememberedHasABound) {
  std::vector<pm2::Process> many;
  for (int i = 0; i < 2000; ++i) many.push_back(process(std::string(256, 'a') + ' ' + std::to_string(i), i));
  const auto seen = pm2::judge(config(), facts(many));
  EXPECT_LT(seen.memory->size(), 60u << 10);
}

TEST(Pm2Judge, ForeignNamesAreFitForAMessage) {
  const auto seen = pm2::judge(config(), facts({down("a\nb\x1b[31m", 0, "errored")}));
  EXPECT_THAT(seen.summary, AllOf(Not(HasSubstr("\n")), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace vitald::probes
