#include "probes/horizon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/resp_text.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes::horizon {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::parse_yaml;
using vitald::testing::resp_array;
using vitald::testing::resp_bulk;
using vitald::testing::resp_integer;
using vitald::testing::resp_nil;
using vitald::testing::resp_texts;
using vitald::testing::Script;
using vitald::testing::ScriptedNetwork;
using vitald::testing::Surroundings;

constexpr double noon = 1'800'000'000;

Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(parse, "redis: { address: 'r:6379' }\nprefix: h_\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

TEST(HorizonParse, NeedsRedisAndThePrefix) {
  EXPECT_EQ(config().target(), "r:6379");
  EXPECT_THAT(parse_yaml(parse, "prefix: x").problems, HasSubstr("needs 'redis'"));
  EXPECT_THAT(parse_yaml(parse, "redis: { socket: /r }").problems, HasSubstr("needs 'prefix'"));
  EXPECT_THAT(parse_yaml(parse, "{ redis: { socket: /r }, prefix: x, paused: some }").problems,
              HasSubstr("expected any or all"));
  EXPECT_THAT(parse_yaml(parse, "{ redis: { socket: /r }, prefix: x, queue_prefix: y }").problems,
              HasSubstr("goes with 'queues'"));
  EXPECT_THAT(parse_yaml(parse, "{ redis: { socket: /r }, prefix: x, queues: [ a, a ] }").problems,
              HasSubstr("listed twice"));
  EXPECT_THAT(parse_yaml(parse, "{ redis: { socket: /r }, prefix: x, host: '...' }").problems,
              HasSubstr("expected the name of a host"));
}

TEST(HorizonSlug, IsLaravels) {
  EXPECT_EQ(slug("web-1"), "web-1");
  EXPECT_EQ(slug("Web_1.example.com"), "web-1examplecom");
  EXPECT_EQ(slug("-a--b_-"), "a-b");
  EXPECT_EQ(slug("..."), "");
}

TEST(HorizonPools, ReadsWhatHorizonWrites) {
  const auto pools = read_pools(R"({"redis:high,default":3,"redis:exports":2})");
  ASSERT_EQ(pools.size(), 2u);
  EXPECT_THAT(pools[0].queues, ElementsAre("exports"));
  EXPECT_EQ(pools[0].processes, 2);
  EXPECT_THAT(pools[1].queues, ElementsAre("high", "default"));
  EXPECT_EQ(pools[1].processes, 3);
  for (const std::string none : {"", "[]", "{", "7", R"({"a":"b"})"}) EXPECT_TRUE(read_pools(none).empty()) << none;
  EXPECT_EQ(read_pools(R"({"a":-5})")[0].processes, 0);
  EXPECT_EQ(read_pools(R"({"a":9000000000000000000})")[0].processes, 1'000'000);
  EXPECT_TRUE(read_pools(std::string(20'000, '[')).empty());
}

Facts running() {
  return {.now = noon,
          .masters = {{.name = "web-1-Ab3d", .reported = noon - 1, .alive = true, .status = "running"}},
          .supervisors = {{.name = "web-1-Ab3d:supervisor-1",
                           .status = "running",
                           .pools = {{.queues = {"default"}, .processes = 3}}},
                          {.name = "web-1-Ab3d:supervisor-2",
                           .status = "running",
                           .pools = {{.queues = {"high", "exports"}, .processes = 2}}}},
          .peer = "r:6379"};
}

std::optional<double> value(const Observation& seen, const std::string& name, const std::string& queue = "") {
  for (const Sample& sample : seen.samples) {
    if (sample.name == name && (queue.empty() || sample.labels == Labels{{"queue", queue}})) return sample.value;
  }
  return std::nullopt;
}

TEST(HorizonJudge, RunsWithAllOfItsSupervisors) {
  const auto seen = judge(config("supervisors: [ supervisor-1, supervisor-2 ]"), running());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "Horizon is running: 2 supervisors, 5 processes");
  EXPECT_EQ(value(seen, "masters"), 1);
  EXPECT_EQ(value(seen, "supervisors"), 2);
  EXPECT_EQ(value(seen, "processes"), 5);
  EXPECT_EQ(value(seen, "snapshot_age"), std::nullopt);
  EXPECT_EQ(value(seen, "failed"), std::nullopt);
}

void expect_wrong(const Observation& seen, const std::string& reason, const std::string& summary) {
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, reason);
  EXPECT_EQ(seen.summary, summary);
}

TEST(HorizonJudge, IsInactiveWhenNoMasterReports) {
  Facts facts{.now = noon, .masters = {{.name = "web-1-Ab3d", .reported = noon - 45}}};
  auto seen = judge(config("supervisors: supervisor-1"), facts);
  expect_wrong(seen, "horizon_inactive", "Horizon is not running: no master has reported for 45 s");
  EXPECT_EQ(value(seen, "masters"), 0);
  facts.masters.clear();
  expect_wrong(judge(config(), facts), "horizon_inactive", "Horizon is not running: no master is registered");
  facts.has_keys = false;
  seen = judge(config(), facts);
  expect_wrong(seen, "horizon_inactive", "Horizon is not running, and no key begins with 'h_'");
  EXPECT_THAT(seen.remedy, HasSubstr("config/horizon.php"));
  facts = {.now = noon, .others = {"web-2-Xy9z"}};
  expect_wrong(judge(config("host: web-1"), facts), "horizon_inactive",
               "Horizon is not running on web-1; it runs as web-2-Xy9z");
}

TEST(HorizonJudge, IsPausedByAnyOrByAll) {
  Facts facts = running();
  facts.masters.push_back({.name = "web-2-Xy9z", .alive = true, .status = "paused"});
  expect_wrong(judge(config(), facts), "horizon_paused", "Horizon is paused: web-2-Xy9z, 1 of 2 masters");
  EXPECT_EQ(judge(config("paused: all"), facts).outcome, Outcome::answered);
  facts.masters[0].status = "paused";
  expect_wrong(judge(config("paused: all"), facts), "horizon_paused", "Horizon is paused on all 2 hosts");
  facts.masters.pop_back();
  expect_wrong(judge(config(), facts), "horizon_paused", "Horizon is paused");
  facts.masters.push_back({.name = "gone-Ab3d", .alive = false, .status = "running"});
  expect_wrong(judge(config("paused: all"), facts), "horizon_paused", "Horizon is paused");
}

TEST(HorizonJudge, MissesSupervisors) {
  Facts facts = running();
  expect_wrong(judge(config("supervisors: [ supervisor-1, supervisor-3 ]"), facts), "supervisor_missing",
               "supervisor-3 is missing; running: supervisor-1, supervisor-2");
  facts.supervisors.clear();
  expect_wrong(judge(config("supervisors: [ supervisor-1, supervisor-3 ]"), facts), "supervisor_missing",
               "supervisor-1, supervisor-3 are missing; no supervisor is running");
}

TEST(HorizonJudge, SeesASupervisorThatIsPausedByItself) {
  Facts facts = running();
  facts.supervisors[1].status = "paused";
  const auto seen = judge(config(), facts);
  expect_wrong(seen, "supervisor_paused", "supervisor-2 is paused");
  EXPECT_EQ(seen.remedy, "run: php artisan horizon:continue-supervisor supervisor-2");
}

TEST(HorizonJudge, JobsThatWaitNeedProcesses) {
  Facts facts = running();
  facts.queues = {{.name = "default", .lengths = {.pending = 12}}};
  EXPECT_EQ(judge(config("queues: default"), facts).summary,
            "Horizon is running: 2 supervisors, 5 processes; 12 jobs wait");
  for (auto& supervisor : facts.supervisors) supervisor.pools.clear();
  expect_wrong(judge(config("queues: default"), facts), "no_processes",
               "12 jobs wait, and Horizon has no worker process");
  facts.queues[0].lengths.pending = 0;
  EXPECT_EQ(judge(config("queues: default"), facts).outcome, Outcome::answered);
}

TEST(HorizonJudge, EstimatesTheWaitWhereItCan) {
  Facts facts = running();
  facts.queues = {{.name = "exports", .lengths = {.pending = 10, .delayed = 1, .reserved = 2}, .runtime_ms = 4000},
                  {.name = "default", .lengths = {.pending = 3}},
                  {.name = "nobody", .lengths = {.pending = 3}, .runtime_ms = 10}};
  facts.snapshot_at = noon - 300;
  const auto seen = judge(config(), facts);
  EXPECT_EQ(value(seen, "wait", "exports"), 20) << "10 jobs of 4 s for 2 processes";
  EXPECT_EQ(value(seen, "wait", "default"), std::nullopt) << "nobody knows how long a job takes";
  EXPECT_EQ(value(seen, "wait", "nobody"), std::nullopt) << "for ever";
  EXPECT_EQ(value(seen, "delayed", "exports"), 1);
  EXPECT_EQ(value(seen, "reserved", "exports"), 2);
  EXPECT_EQ(value(seen, "snapshot_age"), 300);
}

TEST(HorizonJudge, AFailedJobIsAnEvent) {
  Facts facts = running();
  facts.failed = {.newest = "-1799999999.5", .fresh = 1, .names = {"App\\Jobs\\Export on exports"}};
  auto seen = judge(config(), facts);
  EXPECT_EQ(value(seen, "failed"), 1);
  EXPECT_EQ(seen.summary, "1 job failed since the last run; Horizon is running: 2 supervisors, 5 processes");
  EXPECT_EQ(seen.evidence.back().text, "App\\Jobs\\Export on exports");
  EXPECT_EQ(parse_memory(*seen.memory, config().memory_of()), "-1799999999.5");
  facts.masters.clear();
  facts.supervisors.clear();
  seen = judge(config(), facts);
  EXPECT_EQ(seen.reason, "horizon_inactive");
  EXPECT_EQ(value(seen, "failed"), 1) << "it is not lost because something else is wrong";
}

TEST(HorizonMemory, IsOfOneHorizonAndANumber) {
  const auto of = config().memory_of();
  for (const std::string bad :
       {"", "{", "[]", "{}", R"({"v":"x"})", R"({"v":2,"of":")", R"({"v":1,"of":"x","failed":"-1"})"}) {
    EXPECT_FALSE(parse_memory(bad, of)) << bad;
  }
  EXPECT_EQ(parse_memory(R"({"v":1,"of":")" + of + R"(","failed":""})", of), "");
  EXPECT_FALSE(parse_memory(R"({"v":1,"of":")" + of + R"(","failed":"-1 FLUSHALL"})", of));
}

/// The replies of the first round, of a check without queues.
struct First {
  std::string masters = resp_texts({"web-1-Ab3d", "1799999999"});
  std::string supervisors = resp_texts({"web-1-Ab3d:supervisor-1"});
  std::string snapshot = resp_nil();
  std::string failed = resp_array({});
  std::string keys = resp_integer(4);
  std::string fresh = resp_integer(0);
  std::string queues = "";

  std::string text() const {
    return resp_texts({"1800000000", "0"}) + masters + supervisors + snapshot + failed + keys + fresh + queues;
  }
};

const std::string master_reply = resp_texts({"web-1-Ab3d", "running", "production"});
const std::string supervisor_reply = resp_texts({"web-1-Ab3d:supervisor-1", "running", R"({"redis:default":3})"});
const std::string gone_reply = resp_array({resp_nil(), resp_nil(), resp_nil()});

struct Ran {
  Facts facts;
  std::string written;
};

Ran run_with(const Config& check, const std::vector<std::string>& rounds, const std::string& memory = "") {
  Surroundings around;
  Script script;
  script.expect_something().reply("+PONG\r\n");
  for (const auto& round : rounds) script.expect_something().reply(round);
  ScriptedNetwork network(around.loop, {script});
  around.network = &network;
  around.memory = memory;
  Facts facts = around.run(run, check);
  return {std::move(facts), network.written.at(0)};
}

std::string remembering(const std::string& newest) {
  return R"({"v":1,"of":")" + config().memory_of() + R"(","failed":")" + newest + R"("})";
}

TEST(HorizonRun, ReadsMastersAndSupervisors) {
  const auto ran =
      run_with(config(), {First{.snapshot = resp_bulk("1799999700")}.text(), master_reply + supervisor_reply});
  EXPECT_EQ(judge(config(), ran.facts).summary, "Horizon is running: 1 supervisor, 3 processes");
  EXPECT_EQ(ran.facts.masters.at(0).environment, "production");
  EXPECT_EQ(ran.facts.snapshot_at, 1'799'999'700);
  EXPECT_EQ(ran.facts.failed.fresh, std::nullopt);
  EXPECT_THAT(ran.written, HasSubstr("$9\r\nZREVRANGE\r\n$9\r\nh_masters\r\n"));
  EXPECT_THAT(ran.written, HasSubstr("$19\r\nh_master:web-1-Ab3d\r\n"));
}

TEST(HorizonRun, AMasterWithoutItsHashIsGone) {
  const auto ran = run_with(config(), {First{}.text(), gone_reply + supervisor_reply});
  EXPECT_FALSE(ran.facts.masters.at(0).alive);
  EXPECT_TRUE(ran.facts.supervisors.empty()) << "a supervisor outlives its master by some seconds";
  EXPECT_EQ(judge(config(), ran.facts).reason, "horizon_inactive");
}

TEST(HorizonRun, NothingAtAllIsOneRound) {
  const auto ran = run_with(
      config(), {First{.masters = resp_array({}), .supervisors = resp_array({}), .keys = resp_integer(0)}.text()});
  EXPECT_FALSE(ran.facts.has_keys);
}

TEST(HorizonRun, LooksAtOneHostOrEnvironmentOnly) {
  First first{.masters = resp_texts({"web-1-Ab3d", "1799999999", "web-1-blue-Cd4e", "1799999999"}),
              .supervisors = resp_texts({"web-1-Ab3d:supervisor-1", "web-1-blue-Cd4e:supervisor-9"})};
  const std::string second = master_reply + resp_texts({"web-1-blue-Cd4e", "running", "staging"}) + supervisor_reply +
                             resp_texts({"web-1-blue-Cd4e:supervisor-9", "running", "[]"});
  auto ran = run_with(config("host: web-1"), {first.text(), second});
  ASSERT_EQ(ran.facts.masters.size(), 1u);
  EXPECT_EQ(ran.facts.masters[0].name, "web-1-Ab3d");
  EXPECT_THAT(ran.facts.others, ElementsAre("web-1-blue-Cd4e"));
  ASSERT_EQ(ran.facts.supervisors.size(), 1u);
  EXPECT_EQ(ran.facts.supervisors[0].short_name(), "supervisor-1");
  ran = run_with(config("environment: staging"), {first.text(), second});
  ASSERT_EQ(ran.facts.masters.size(), 1u);
  EXPECT_EQ(ran.facts.masters[0].name, "web-1-blue-Cd4e");
  EXPECT_EQ(run_with(config(), {first.text(), second}).facts.masters.size(), 2u);
}

TEST(HorizonRun, CountsTheFailedJobsAfterTheRememberedOne) {
  First first{.failed = resp_texts({"id-3", "-1799999990.5", "id-2", "-1799999980.25", "id-1", "-1799999000"}),
              .fresh = resp_integer(2)};
  const std::string names = resp_texts({"App\\Jobs\\Export", "exports"}) + resp_array({resp_nil(), resp_nil()});
  auto ran = run_with(config(), {first.text(), master_reply + supervisor_reply + names}, remembering("-1799999000"));
  EXPECT_EQ(ran.facts.failed.fresh, 2);
  EXPECT_EQ(ran.facts.failed.newest, "-1799999990.5");
  EXPECT_THAT(ran.facts.failed.names, ElementsAre("App\\Jobs\\Export on exports"));
  EXPECT_THAT(ran.written, HasSubstr("$4\r\n-inf\r\n$12\r\n(-1799999000\r\n"));
  EXPECT_THAT(ran.written, HasSubstr("$6\r\nh_id-2\r\n"));
  EXPECT_THAT(ran.written, Not(HasSubstr("h_id-1\r\n")));

  ran = run_with(config(), {first.text(), master_reply + supervisor_reply});
  EXPECT_EQ(ran.facts.failed.fresh, std::nullopt) << "the first run only remembers";
  EXPECT_EQ(ran.facts.failed.newest, "-1799999990.5");

  ran = run_with(config(), {first.text(), master_reply + supervisor_reply + names}, remembering(""));
  EXPECT_THAT(ran.written, HasSubstr("$4\r\n-inf\r\n$4\r\n+inf\r\n")) << "there was none before";
  EXPECT_EQ(ran.facts.failed.fresh, 2);
}

TEST(HorizonRun, ReadsTheQueuesLengthsAndRuntimes) {
  const auto check = config("queues: [ default, exports, quiet ]\nqueue_prefix: q_");
  const std::string lengths = resp_integer(4) + resp_integer(1) + resp_integer(2);
  First first{.queues = lengths + resp_texts({"250.5"}) + resp_array({}) +  //
                        lengths + resp_array({resp_nil()}) + resp_texts({R"({"throughput":3,"runtime":"100.5"})"}) +
                        lengths + resp_array({resp_nil()}) + resp_array({})};
  const auto ran = run_with(check, {first.text(), master_reply + supervisor_reply});
  ASSERT_EQ(ran.facts.queues.size(), 3u);
  EXPECT_EQ(ran.facts.queues[0].lengths.pending, 4);
  EXPECT_EQ(ran.facts.queues[0].lengths.delayed, 1);
  EXPECT_EQ(ran.facts.queues[0].lengths.reserved, 2);
  EXPECT_EQ(ran.facts.queues[0].runtime_ms, 250.5);
  EXPECT_EQ(ran.facts.queues[1].runtime_ms, 100.5) << "of the last snapshot";
  EXPECT_EQ(ran.facts.queues[2].runtime_ms, std::nullopt);
  EXPECT_THAT(ran.written, HasSubstr("q_queues:exports:reserved\r\n"));
  EXPECT_THAT(ran.written, HasSubstr("h_snapshot:queue:exports\r\n"));
}

TEST(HorizonRun, TellsWrongTypesAndRights) {
  const auto reason = [](const First& first) -> std::string {
    try {
      run_with(config(), {first.text(), master_reply + supervisor_reply});
    } catch (const ProbeFailure& failure) {
      return failure.reason;
    }
    return "nothing failed";
  };
  EXPECT_EQ(reason({.masters = "-WRONGTYPE Operation against a key\r\n"}), "not_a_queue");
  EXPECT_EQ(reason({.supervisors = "-NOPERM this user has no permissions\r\n"}), "no_permission");
  EXPECT_EQ(reason({.failed = ":7\r\n"}), "bad_reply");
  EXPECT_EQ(reason({.keys = "+OK\r\n"}), "bad_reply");
}

}  // namespace
}  // namespace vitald::probes::horizon
