// Whom the pm2 probe asks, what it sends, and what it makes of the answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "probes/pm2.hpp"
#include "probes/pm2_home.hpp"
#include "tests/support/amp_messages.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::pm2_reply;
using vitald::testing::Script;
using vitald::testing::ScriptedNetwork;
using vitald::testing::Surroundings;

const Wall now = Wall(std::chrono::seconds(1'795'262'400));

pm2::Config config(const std::string& yaml = "{}") {
  const auto parsed = parse_yaml(pm2::parse, yaml);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string evidence(const Observation& seen, const std::string& label) {
  for (const auto& each : seen.evidence)
    if (each.label == label) return each.text;
  return "";
}

// A process as pm2 6 sends it, shortened; the environment holds what nobody may see.
std::string json(const std::string& name, const std::string& more = "", const std::string& status = "online") {
  return R"({"pid":17,"name":")" + name + R"(","pm_id":3,"monit":{"memory":1048576,"cpu":12.5},"pm2_env":{"status":")" +
         status +
         R"(","restart_time":4,"unstable_restarts":1,"pm_uptime":1795255200000,"created_at":1795255100000,)"
         R"("exec_mode":"fork_mode","instances":1,"autorestart":true,"exit_code":9,"DB_PASSWORD":"swordfish",)"
         R"("env":{"status":"swordfish","restart_time":99,"name":"swordfish"},)"
         R"("axm_monitor":{"Heap":{"value":"12","status":"x"}}, "versioning":{"pm_id":8})" +
         more + "}}";
}

TEST(Pm2Reply, NamedFieldsArePickedAndNothingElse) {
  const auto read = pm2::read_reply(R"({"args":[[)" + json("api", R"(,"max_memory_restart":314572800)") + "]]}");
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 1u);
  const auto& one = read->front();
  EXPECT_EQ(one.name, "api");
  EXPECT_EQ(one.id, 3);
  EXPECT_EQ(one.status, "online");
  EXPECT_EQ(one.memory, 1048576);
  EXPECT_DOUBLE_EQ(one.cpu, 0.125);
  EXPECT_EQ(one.restarts, 4);
  EXPECT_EQ(one.unstable_restarts, 1);
  EXPECT_EQ(one.exit_code, 9);
  EXPECT_EQ(one.most_memory, 314572800);
  EXPECT_EQ(one.started(), Wall(std::chrono::seconds(1'795'255'200)));
  EXPECT_FALSE(one.gave_up);
}

TEST(Pm2Reply, AProcessThatAReloadReplacesHasNoNumber) {
  std::string old = json("api");
  old.replace(old.find(R"("pm_id":3)"), 9, R"("pm_id":"_old_3")");
  EXPECT_EQ(pm2::read_reply(R"({"args":[[)" + old + "]]}")->front().id, -1);
}

TEST(Pm2Reply, WhatIsNoneIsRefused) {
  const auto why = [](const std::string& text) {
    const auto read = pm2::read_reply(text);
    return read ? "taken" : read.failure().what;
  };
  EXPECT_EQ(why(R"({"error":"method \"x\" does not exist","stack":"s"})"),
            R"(pm2 answered 'method "x" does not exist')");
  EXPECT_EQ(why(R"({"args":["6.0.14"]})"), "no list of processes");
  EXPECT_EQ(why("{}"), "no list of processes");
  EXPECT_EQ(why("[[]]"), "no list of processes");
  EXPECT_EQ(why(R"({"args":[[]]})"), "taken");
  // What the parser would show of a broken text stays out of it.
  EXPECT_EQ(why(R"({"args":[[{"pm2_env":{"PASSWORD":"sword)"), "no valid JSON at byte 40");
  EXPECT_EQ(why(R"({"args":)" + std::string(200, '[')), "nested more than 128 deep");
  std::string many = R"({"args":[[{})";
  for (std::size_t i = 0; i < pm2::most_processes; ++i) many += ",{}";
  EXPECT_EQ(why(many + "]]}"), "more than 2000 processes");
}

/// What a run sends and finds on one connection that answers so.
pm2::Facts run(FakeNetwork& network, const std::vector<std::string>& pieces, const std::string& yaml) {
  network.answer(pieces);
  Surroundings around;
  around.network = &network;
  return around.run(pm2::run, config(yaml));
}

std::string reason_of(FakeNetwork& network, const std::vector<std::string>& pieces) {
  try {
    run(network, pieces, "socket: /run/pm2.sock");
  } catch (const ProbeFailure& failure) {
    EXPECT_THAT(failure.what(), Not(HasSubstr("swordfish")));
    return failure.reason;
  }
  return "none";
}

TEST(Pm2Run, FindsTheAppsOfTheCheck) {
  FakeNetwork network;
  const auto seen = run(network, {pm2_reply(json("api") + "," + json("worker"))}, "{ app: api, home: /home/d/.pm2 }");
  ASSERT_EQ(seen.processes.size(), 1u);
  EXPECT_EQ(seen.processes.front().name, "api");
  EXPECT_THAT(seen.others, ElementsAre("worker"));
  EXPECT_EQ(network.targets.front().unix_path, "/home/d/.pm2/rpc.sock");
}

TEST(Pm2Run, ItsModulesAreNoApps) {
  FakeNetwork network;
  const std::string processes = json("api") + "," + json("pm2-logrotate", R"(,"pmx_module":true)");
  EXPECT_EQ(run(network, {pm2_reply(processes)}, "socket: /s").processes.size(), 1u);
  EXPECT_EQ(run(network, {pm2_reply(processes)}, "{ socket: /s, app: pm2-logrotate }").processes.size(), 1u);
}

// A daemon that gets anything but its one request may restart every app, so whatever it says, nothing else is sent.
TEST(Pm2Run, NothingButTheOneRequestIsEverWritten) {
  const std::string good = pm2_reply(json("api"));
  const std::vector<std::vector<std::string>> answers = {
      {good},
      {good.substr(0, 1), good.substr(1, 3), good.substr(4)},
      {good, good},
      {good.substr(0, 40)},
      {},
      {"HTTP/1.1 400 Bad Request\r\n\r\n"},
      {std::string("\x12\xff\xff\xff\xff", 5)},
      {vitald::testing::amp_message({R"(j:{"error":"no","stack":"swordfish"})", "s:v:0"})},
      {vitald::testing::amp_message({R"(j:{"args":[[{"pm2_env":{"P":"swordfish)", "s:v:0"})},
      {vitald::testing::amp_message({"blob"})},
      {pm2_reply(json("api", R"(,"pad":")" + std::string(100'000, 'x') + '"'))},
      {"\x10"},
  };
  for (const auto& pieces : answers) {
    FakeNetwork network;
    reason_of(network, pieces);
    EXPECT_EQ(network.sent, pm2::request);
    EXPECT_EQ(network.targets.size(), 1u);
  }
}

TEST(Pm2Run, FailuresHaveTheirNames) {
  FakeNetwork network;
  EXPECT_EQ(reason_of(network, {pm2_reply(json("api"))}), "none");
  EXPECT_EQ(reason_of(network, {}), "closed_early");
  EXPECT_EQ(reason_of(network, {pm2_reply(json("api")).substr(0, 50)}), "closed_early");
  EXPECT_EQ(reason_of(network, {"HTTP/1.1 200 OK\r\n"}), "bad_reply");
  EXPECT_EQ(reason_of(network, {vitald::testing::amp_message({"blob"})}), "bad_reply");
  EXPECT_EQ(reason_of(network, {pm2_reply("{")}), "bad_reply");
}

TEST(Pm2Run, FailsAtEveryStepAsTheNetworkDoes) {
  const auto script = Script().expect(std::string(pm2::request)).reply_in_pieces(pm2_reply(json("api")), 200);
  const auto steps = vitald::testing::fails_at_every_step({script}, [](ScriptedNetwork& network) {
    return [](ScriptedNetwork& on) -> awaitable<void> {
      Surroundings around;
      around.network = &on;
      auto context = around.context();
      const auto check = config("socket: /s");
      const auto seen = co_await pm2::run(context, check);
      EXPECT_EQ(seen.processes.size(), 1u);
    }(network);
  });
  EXPECT_GT(steps, 3);
}

TEST(Pm2Run, ABigReplyIsParsedOnAWorker) {
  for (const bool big : {false, true}) {
    FakeNetwork network;
    network.answer({pm2_reply(json("api", R"(,"env2":")" + std::string(big ? 70'000 : 10, 'x') + '"'))});
    Surroundings around;
    around.network = &network;
    EXPECT_EQ(around.run(pm2::run, config("socket: /s")).processes.size(), 1u);
    EXPECT_EQ(around.workers.keys.empty(), !big);
  }
}

struct HomeTest : ::testing::Test {
  void pm2_in(const std::string& folder) { around.folder.write(folder + "/.pm2/pm2.log", ""); }
  std::string reason() {
    try {
      return "found " + pm2::only_home(pm2::look_for_homes(around.host));
    } catch (const ProbeFailure& failure) {
      EXPECT_EQ(failure.outcome, Outcome::unmeasured);
      EXPECT_THAT(failure.remedy, HasSubstr("home"));
      return failure.reason + ": " + failure.what();
    }
  }
  Surroundings around;
};

TEST_F(HomeTest, TheOnlyOneIsTaken) {
  EXPECT_EQ(reason(), "no_pm2_seen: no pm2 was found in any home folder");
  around.folder.make("/home/anna/.pm2");  // made by some command, never used
  pm2_in("/home/deploy");
  EXPECT_EQ(reason(), "found /home/deploy/.pm2");
  pm2_in("/root");
  EXPECT_EQ(reason(), "several_pm2: there are several pm2 on this host: /home/deploy/.pm2, /root/.pm2");
}

TEST_F(HomeTest, HomesElsewhereAreInPasswd) {
  around.folder.write("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nbroken\nwww-data:x:33:33:w:/var/www:/bin/false\n");
  pm2_in("/var/www");
  EXPECT_EQ(reason(), "found /var/www/.pm2");
}

TEST_F(HomeTest, TheRunUsesWhatWasFound) {
  FakeNetwork network;
  network.answer({pm2_reply(json("api"))});
  around.network = &network;
  pm2_in("/home/deploy");
  EXPECT_EQ(around.run(pm2::run, config()).socket, "/home/deploy/.pm2/rpc.sock");
  EXPECT_THAT(around.workers.keys, ElementsAre("pm2 homes"));
}

struct SilenceTest : HomeTest {
  ProbeFailure explained(const std::string& why, Outcome outcome = Outcome::refused) {
    FakeNetwork network;
    network.refuse(ProbeFailure(outcome, why, "there is no socket /home/d/.pm2/rpc.sock"));
    around.network = &network;
    try {
      around.run(pm2::run, config("home: /home/d/.pm2"));
    } catch (const ProbeFailure& failure) {
      return failure;
    }
    throw std::logic_error("it was answered");
  }
};

TEST_F(SilenceTest, WithoutPidFilePm2WasEndedInOrder) {
  const auto failure = explained("socket_missing");
  EXPECT_EQ(failure.reason, "pm2_not_running");
  EXPECT_EQ(failure.outcome, Outcome::refused);
  EXPECT_THAT(failure.remedy, HasSubstr("PM2_HOME=/home/d/.pm2 pm2 resurrect"));
}

TEST_F(SilenceTest, WithThePidFileOfADeadProcessItWasKilled) {
  around.folder.write("/home/d/.pm2/pm2.pid", "4711");
  EXPECT_STREQ(explained("socket_refused").what(), "pm2 was killed: its pid file names process 4711, which is gone");
  around.folder.write("/proc/4711/cmdline", "vim\0");  // the number was given to somebody else
  EXPECT_EQ(explained("socket_refused").reason, "pm2_killed");
  around.folder.write("/proc/4711/cmdline", "PM2 v6.0.14: God Daemon (/home/d/.pm2)");
  EXPECT_EQ(explained("socket_missing").reason, "pm2_unreachable");
}

TEST_F(SilenceTest, WhatIsOursStaysOurs) {
  const auto failure = explained("denied:/home/d/.pm2/rpc.sock", Outcome::unmeasured);
  EXPECT_EQ(failure.outcome, Outcome::unmeasured);
  EXPECT_EQ(failure.reason, "denied:/home/d/.pm2/rpc.sock");
  EXPECT_EQ(explained("out_of_descriptors", Outcome::unmeasured).reason, "out_of_descriptors");
}

TEST_F(HomeTest, TheErrorLogOfWhoeverIsInTroubleIsEvidence) {
  around.clock.at.wall = now;
  around.folder.write("/home/d/.pm2/rpc.sock", "");
  around.folder.write("/home/d/.pm2/logs/api-error.log", "Error: listen EADDRINUSE\n  at Server.listen\n");
  const auto seen = [&](const std::string& status, const std::string& path) {
    FakeNetwork network;
    network.answer({pm2_reply(json("api", R"(,"pm_err_log_path":")" + path + '"', status))});
    around.network = &network;
    return pm2::judge(config(), around.run(pm2::run, config("home: /home/d/.pm2")));
  };
  const std::string log = "/home/d/.pm2/logs/api-error.log";
  EXPECT_THAT(evidence(seen("errored", log), "error log of api"), HasSubstr("EADDRINUSE"));
  EXPECT_THAT(evidence(seen("errored", log), "error log of api"), HasSubstr("\n"));
  EXPECT_EQ(evidence(seen("online", log), "error log of api"), "");
  EXPECT_EQ(evidence(seen("errored", "relative.log"), "error log of api"), "");
  std::filesystem::create_symlink(around.folder.path() + log, around.folder.path() + "/home/d/link.log");
  EXPECT_EQ(evidence(seen("errored", "/home/d/link.log"), "error log of api"), "");
  if (::geteuid() != 0) return;
  ASSERT_EQ(::chown((around.folder.path() + log).c_str(), 4711, 4711), 0);  // what is not pm2's own is not shown
  EXPECT_EQ(evidence(seen("errored", log), "error log of api"), "");
}

}  // namespace
}  // namespace vitald::probes
