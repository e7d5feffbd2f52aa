#include "probes/redis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Script;
using vitald::testing::Surroundings;
using wire::resp_command;

redis::Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(redis::parse, "address: 192.0.2.1:6379\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

const std::string primary =
    "redis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:abc\r\nuptime_in_seconds:100\r\n"
    "server_time_usec:1000100000000\r\nconnected_clients:12\r\nmaxclients:10000\r\nblocked_clients:3\r\n"
    "used_memory:1048576\r\nused_memory_rss:2097152\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n"
    "mem_fragmentation_ratio:2.00\r\nmem_not_counted_for_evict:0\r\nrdb_changes_since_last_save:4\r\n"
    "rdb_last_save_time:1000040\r\nrdb_last_bgsave_status:ok\r\naof_enabled:0\r\naof_last_write_status:ok\r\n"
    "total_commands_processed:500\r\nrejected_connections:1\r\nevicted_keys:2\r\nexpired_keys:5\r\n"
    "keyspace_hits:90\r\nkeyspace_misses:10\r\nrole:master\r\nconnected_slaves:0\r\nmaster_repl_offset:1300\r\n";

const std::string replica =
    "redis_version:7.0.15\r\nrun_id:abc\r\nuptime_in_seconds:100\r\nrole:slave\r\nmaster_host:db-1\r\n"
    "master_port:6379\r\nmaster_link_status:up\r\nmaster_last_io_seconds_ago:2\r\nmaster_sync_in_progress:0\r\n"
    "slave_read_only:1\r\nconnected_slaves:0\r\n";

/// `text` with the line of each key replaced, or added.
std::string with(std::string text, const std::string& line) {
  const auto at = text.find(line.substr(0, line.find(':') + 1));
  if (at == std::string::npos) return text + line + "\r\n";
  return text.replace(at, text.find("\r\n", at) - at, line);
}

redis::Facts facts(const std::string& info) {
  redis::Facts made;
  made.peer = "192.0.2.1:6379";
  made.info = redis::Info::parse(info);
  made.now = Wall(std::chrono::seconds(2'000'000));
  return made;
}

Observation judged(const std::string& info, const std::string& options = "", const std::string& memory = "") {
  auto made = facts(info);
  made.memory = memory;
  return redis::judge(config(options), made);
}

std::optional<double> value(const Observation& seen, const std::string& name, const std::string& label = "") {
  for (const Sample& sample : seen.samples)
    if (sample.name == name && (label.empty() || sample.labels.begin()->second == label)) return sample.value;
  return std::nullopt;
}

std::string evidence(const Observation& seen, const std::string& label) {
  for (const auto& each : seen.evidence)
    if (each.label == label) return each.text;
  return "";
}

redis::Facts run(net::Network& network, const redis::Config& check) {
  Surroundings around;
  around.network = &network;
  return around.run(redis::run, check);
}

TEST(RedisParse, ReadsTheRoleAndTheKeys) {
  const auto check = config("role: replica\nkeys: [ { key: 'queues:default', type: list }, { key: horizon } ]");
  EXPECT_EQ(check.role, redis::Role::replica);
  ASSERT_EQ(check.keys.size(), 2u);
  EXPECT_EQ(check.keys[0].type, "list");
  EXPECT_EQ(check.keys[1].type, "");
  EXPECT_EQ(config().role, redis::Role::any);
  EXPECT_EQ(check.target(), "192.0.2.1:6379");
  const auto twice = parse_yaml(redis::parse, "address: a:1\nkeys: [ { key: a }, { key: a } ]");
  EXPECT_THAT(twice.problems, HasSubstr("'a' is in the list already"));
  std::string many = "address: a:1\nkeys:\n";
  for (int i = 0; i < 51; ++i) many += "  - { key: k" + std::to_string(i) + " }\n";
  EXPECT_THAT(parse_yaml(redis::parse, many).problems, HasSubstr("more than 50"));
  EXPECT_THAT(parse_yaml(redis::parse, "address: a:1\nkeys: [ { key: a, type: lists } ]").problems, HasSubstr("list"));
  EXPECT_THAT(parse_yaml(redis::parse, "address: a:1\nrole: master").problems, HasSubstr("role"));
}

TEST(RedisRun, KnownTypesCostNoRoundTrip) {
  boost::asio::io_context loop;
  const auto script = Script()
                          .expect(resp_command({"PING"}) + resp_command({"INFO"}) + resp_command({"ZCARD", "a"}) +
                                  resp_command({"XLEN", "b"}))
                          .reply("+PONG\r\n" + bulk(primary) + ":3\r\n:4\r\n");
  vitald::testing::ScriptedNetwork network(loop, {script});
  const auto seen = run(network, config("keys: [ { key: a, type: zset }, { key: b, type: stream } ]"));
  EXPECT_EQ(seen.keys[0].length, 3);
  EXPECT_EQ(seen.keys[1].length, 4);
  EXPECT_EQ(seen.info.text("role"), "master");
}

TEST(RedisRun, AsksForTheTypesThatItDoesNotKnow) {
  const auto check = config("keys: [ { key: l }, { key: s, type: set }, { key: gone }, { key: m }, { key: h } ]");
  const auto script = Script()
                          .expect(resp_command({"PING"}) + resp_command({"INFO"}) + resp_command({"TYPE", "l"}) +
                                  resp_command({"SCARD", "s"}) + resp_command({"TYPE", "gone"}) +
                                  resp_command({"TYPE", "m"}) + resp_command({"TYPE", "h"}))
                          .reply("+PONG\r\n" + bulk(primary) + "+list\r\n:2\r\n+none\r\n+ReJSON-RL\r\n+hash\r\n")
                          .expect(resp_command({"LLEN", "l"}) + resp_command({"HLEN", "h"}))
                          .reply(":7\r\n-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
  const int steps = vitald::testing::fails_at_every_step({script}, [&](vitald::testing::ScriptedNetwork& network) {
    return [](vitald::testing::ScriptedNetwork& on, const redis::Config& with_keys) -> awaitable<void> {
      Surroundings around;
      around.network = &on;
      auto context = around.context();
      const auto seen = co_await redis::run(context, with_keys);
      EXPECT_EQ(seen.keys[0].length, 7);
      EXPECT_EQ(seen.keys[1].length, 2);
      EXPECT_EQ(seen.keys[2].length, 0);  // an empty list is no key any more: measured, and nothing is there
      EXPECT_FALSE(seen.keys[3].length);
      EXPECT_EQ(seen.keys[3].trouble->reason, "wrong_type");
      EXPECT_EQ(seen.keys[4].trouble->reason, "wrong_type");
    }(network, check);
  });
  EXPECT_EQ(steps, 5);
}

TEST(RedisRun, WhileLoadingInfoIsStillTaken) {
  FakeNetwork network;
  network.answer({"-LOADING Redis is loading the dataset in memory\r\n",
                  bulk(primary + "loading:1\r\nloading_loaded_perc:34.00\r\nloading_eta_seconds:12\r\n"),
                  "-LOADING Redis is loading the dataset in memory\r\n"});
  const auto check = config("keys: [ { key: a } ]\nkeep_connection: true");
  const auto seen = redis::judge(check, run(network, check));
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "loading");
  EXPECT_EQ(seen.summary, "Redis is still loading its data into memory: 34 % done, about 12 s to go");
  EXPECT_EQ(check.connection.kept->take(), nullptr);
  EXPECT_EQ(value(seen, "length"), std::nullopt);
}

TEST(RedisRun, WithoutTheRightToInfoPingIsEnough) {
  FakeNetwork network;
  const std::string denied = "-NOPERM this user has no permissions to run the 'info' command\r\n";
  network.answer({"+PONG\r\n", denied, ":5\r\n"});
  network.answer({"+PONG\r\n", denied});
  const auto check = config("keys: [ { key: a, type: list } ]");
  const auto seen = redis::judge(check, run(network, check));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_THAT(seen.summary, HasSubstr("answers PING"));
  EXPECT_THAT(evidence(seen, "INFO"), HasSubstr("may not do this"));
  EXPECT_THAT(seen.remedy, HasSubstr("ACL SETUSER"));
  EXPECT_EQ(value(seen, "length"), 5);
  EXPECT_EQ(value(seen, "memory"), std::nullopt);
  const auto strict = config("role: primary");
  const auto unknown = redis::judge(strict, run(network, strict));
  EXPECT_EQ(unknown.outcome, Outcome::unmeasured);
  EXPECT_EQ(unknown.reason, "no_permission");
}

TEST(RedisRun, AnAnswerThatIsNoInfoIsNoRedis) {
  for (const auto* answer : {"$5\r\nhello\r\n", ":1\r\n", "*1\r\n$1\r\na\r\n"}) {
    FakeNetwork network;
    network.answer({"+PONG\r\n", answer});
    const auto seen = redis::judge(config(), run(network, config()));
    EXPECT_EQ(seen.outcome, Outcome::wrong) << answer;
    EXPECT_EQ(seen.reason, "bad_reply") << answer;
  }
}

TEST(RedisJudge, MeasuresWhatInfoSays) {
  const auto seen = judged(primary);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.reason, "");
  EXPECT_EQ(seen.summary, "primary, 12 of 10000 clients, 1 MiB used");
  EXPECT_EQ(evidence(seen, "server"), "Redis 7.0.15, up 1 min 40 s");
  const std::pair<const char*, double> wanted[] = {
      {"memory", 1048576},
      {"memory_rss", 2097152},
      {"fragmentation", 2},
      {"clients", 12},
      {"blocked_clients", 3},
      {"evicted", 2},
      {"expired", 5},
      {"hits", 90},
      {"misses", 10},
      {"commands", 500},
      {"rejected_connections", 1},
      {"replicas", 0},
      {"last_save_age", 60},
      {"changes_since_save", 4},
      {"uptime", 100},
  };
  for (const auto& [name, number] : wanted) EXPECT_EQ(value(seen, name), number) << name;
  EXPECT_EQ(value(seen, "hit_ratio"), std::nullopt);
  EXPECT_EQ(value(seen, "replica_lag"), std::nullopt);
  EXPECT_EQ(seen.memory, "90 10 100 abc");
}

TEST(RedisJudge, LeavesOutWhatOldServersDoNotSay) {
  const auto seen = judged("redis_version:3.2.0\r\nrole:master\r\nrdb_last_save_time:1999940\r\n");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "primary");
  ASSERT_EQ(seen.samples.size(), 1u);
  EXPECT_EQ(value(seen, "last_save_age"), 60);  // by our own clock
  EXPECT_EQ(seen.memory, std::nullopt);
}

std::optional<double> memory_maximum(const std::string& info) {
  for (const auto& sample : judged(info).samples)
    if (sample.name == "memory") return sample.maximum;
  return -1;
}

// A cache that evicts what it likes is full all its life: a percentage of maxmemory would page about it every night.
TEST(RedisJudge, MemoryHasAMaximumOnlyWhereFullIsBad) {
  const auto limited = with(primary, "maxmemory:4194304");
  EXPECT_EQ(memory_maximum(primary), std::nullopt);
  EXPECT_EQ(memory_maximum(limited), 4194304);
  EXPECT_EQ(memory_maximum(with(limited, "maxmemory_policy:volatile-lru")), 4194304);
  EXPECT_EQ(memory_maximum(with(limited, "maxmemory_policy:allkeys-lru")), std::nullopt);
  EXPECT_EQ(judged(limited).summary, "primary, 12 of 10000 clients, 1 MiB of 4 MiB used");
}

TEST(RedisJudge, TheHitRatioIsThatSinceTheLastRun) {
  EXPECT_DOUBLE_EQ(*value(judged(primary, "", "50 0 90 abc"), "hit_ratio"), 0.8);
  EXPECT_EQ(value(judged(primary, "", "90 10 90 abc"), "hit_ratio"), std::nullopt);   // no lookups
  EXPECT_EQ(value(judged(primary, "", "95 10 90 abc"), "hit_ratio"), std::nullopt);   // CONFIG RESETSTAT
  EXPECT_EQ(value(judged(primary, "", "50 0 90 other"), "hit_ratio"), std::nullopt);  // another process
  EXPECT_EQ(value(judged(primary, "", "50 0 200 abc"), "hit_ratio"), std::nullopt);
  for (const auto* damaged : {"50", "50 0", "50 0 90", "a b c d", " ", "50 0 x abc"})
    EXPECT_EQ(value(judged(primary, "", damaged), "hit_ratio"), std::nullopt) << damaged;
}

TEST(RedisJudge, ARestartIsShown) {
  EXPECT_THAT(evidence(judged(primary, "", "50 0 200 abc"), "restarted"), HasSubstr("1 min 40 s ago"));
  EXPECT_THAT(evidence(judged(primary, "", "50 0 40 other"), "restarted"), HasSubstr("1 min 40 s ago"));
  EXPECT_EQ(evidence(judged(primary, "", "50 0 40 abc"), "restarted"), "");
  EXPECT_EQ(evidence(judged(primary), "restarted"), "");
}

TEST(RedisJudge, APrimarysReplicasAreRows) {
  const auto seen = judged(with(primary, "connected_slaves:3") +
                           "slave0:ip=192.0.2.8,port=6379,state=online,offset=1200,lag=1\r\n"
                           "slave1:ip=192.0.2.9,port=6379,state=online,offset=1400,lag=40\r\n"
                           "slave2:ip=192.0.2.10,port=6379,state=wait_bgsave,offset=0,lag=0\r\n");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_THAT(seen.summary, HasSubstr("primary, 3 replicas"));
  EXPECT_EQ(value(seen, "replicas"), 3);
  EXPECT_EQ(value(seen, "replica_lag", "192.0.2.8:6379"), 1);
  EXPECT_EQ(value(seen, "replica_lag", "192.0.2.9:6379"), 40);
  EXPECT_EQ(value(seen, "replica_lag", "192.0.2.10:6379"), std::nullopt);
  EXPECT_EQ(value(seen, "replica_lag_bytes", "192.0.2.8:6379"), 100);
  EXPECT_EQ(value(seen, "replica_lag_bytes", "192.0.2.9:6379"), 0);
  EXPECT_EQ(evidence(seen, "replica"), "192.0.2.10:6379 is not in step yet: wait_bgsave");
}

struct Case {
  std::string info;
  std::string options;
  const char* reason;
  const char* summary;
};

TEST(RedisJudge, NamesWhatIsWrong) {
  const auto down = with(with(replica, "master_link_status:down"), "master_last_io_seconds_ago:-1");
  const auto full = with(with(primary, "maxmemory:1000000"), "used_memory:1048576");
  const Case cases[] = {
      {replica, "role: primary", "wrong_role",
       "is a replica of db-1:6379, not the primary: it refuses writes (READONLY)"},
      {with(replica, "slave_read_only:0"), "role: primary", "wrong_role", "is a replica of db-1:6379, not the primary"},
      {primary, "role: replica", "wrong_role", "is a primary, not a replica"},
      {"redis_version:7\r\nredis_mode:sentinel\r\n", "role: primary", "wrong_role",
       "is neither primary nor replica (mode sentinel)"},
      {with(down, "master_link_down_since_seconds:45"), "", "replica_link_down",
       "replica has lost its primary db-1:6379 for 45 s"},
      {with(down, "master_link_down_since_seconds:0"), "", "replica_link_down",
       "replica has lost its primary db-1:6379 for less than 1 s"},
      {with(down, "master_link_down_since_seconds:-1"), "", "replica_link_down",
       "replica has not reached its primary db-1:6379 since it started"},
      {with(with(down, "master_sync_in_progress:1"), "master_sync_perc:12.5"), "", "replica_copying",
       "replica is still copying the data of its primary db-1:6379, 12.5 % done"},
      {full, "", "out_of_memory",
       "has used up its memory (1 MiB of 977 KiB) and refuses writes, as maxmemory-policy is noeviction"},
      {with(primary, "rdb_last_bgsave_status:err"), "", "save_failed",
       "could not save its data to disk; the last good save is 1 min old, and writes may be refused until one "
       "succeeds"},
      {with(with(primary, "aof_enabled:1"), "aof_last_write_status:err"), "", "aof_failed",
       "cannot write its append-only file and refuses writes"},
  };
  for (const auto& row : cases) {
    const auto seen = judged(row.info, row.options);
    EXPECT_EQ(seen.outcome, Outcome::wrong) << row.summary;
    EXPECT_EQ(seen.reason, row.reason);
    EXPECT_EQ(seen.summary, row.summary);
  }
}

TEST(RedisJudge, WhatIsNotWrongIsNot) {
  const auto full = with(with(primary, "maxmemory:1000000"), "used_memory:1048576");
  EXPECT_EQ(judged(with(full, "maxmemory_policy:allkeys-lru")).outcome, Outcome::answered);
  EXPECT_EQ(judged(with(full, "mem_not_counted_for_evict:100000")).outcome, Outcome::answered);
  EXPECT_EQ(judged(with(primary, "aof_last_write_status:err")).outcome, Outcome::answered);  // it is off
  const auto seen = judged(replica, "role: replica");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "replica of db-1:6379");
  EXPECT_EQ(value(seen, "replica_lag"), 2);
}

TEST(RedisJudge, EverythingElseThatIsWrongIsEvidence) {
  const auto seen =
      judged(with(with(with(primary, "rdb_last_bgsave_status:err"), "aof_enabled:1"), "aof_last_write_status:err"),
             "role: replica");
  EXPECT_EQ(seen.reason, "wrong_role");
  EXPECT_THAT(evidence(seen, "also"), HasSubstr("could not save"));
}

TEST(RedisJudge, ReplicasWithoutAPrimaryThatServeNothing) {
  auto made = facts(with(with(replica, "master_link_status:down"), "master_link_down_since_seconds:45"));
  made.ping = redis::failure_of({.type = wire::RespReply::Type::error, .text = "MASTERDOWN Link with MASTER"}, "PING");
  const auto seen = redis::judge(config(), made);
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "masterdown");
  EXPECT_THAT(seen.summary, HasSubstr("has lost its primary db-1:6379 for 45 s and serves nothing"));
}

TEST(RedisJudge, AKeyThatCannotBeMeasuredIsUnknownUnlessSomethingIsWrong) {
  auto made = facts(primary);
  const auto check = config("keys: [ { key: a }, { key: b } ]");
  made.keys.push_back({.length = 4, .trouble = {}});
  made.keys.push_back({.length = {}, .trouble = ProbeFailure(Outcome::unmeasured, "wrong_type", "b is a module's")});
  const auto seen = redis::judge(check, made);
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "wrong_type");
  EXPECT_EQ(value(seen, "length", "a"), 4);
  EXPECT_EQ(value(seen, "length", "b"), std::nullopt);
  EXPECT_EQ(evidence(seen, "a"), "4");
  made.info = redis::Info::parse(with(primary, "rdb_last_bgsave_status:err"));
  EXPECT_EQ(redis::judge(check, made).reason, "save_failed");
  EXPECT_THAT(evidence(redis::judge(check, made), "also"), HasSubstr("module"));
}

TEST(RedisJudge, ForeignWordsCannotSpoilAMessage) {
  const auto down = with(with(replica, "master_host:\x1b[31mevil\xff"), "master_link_status:down");
  const auto seen = judged(down);
  EXPECT_EQ(seen.summary.find('\x1b'), std::string::npos);
  EXPECT_THAT(seen.summary, HasSubstr("?[31mevil?"));
  const auto huge = judged(with(with(down, "master_link_down_since_seconds:1e300"), "uptime_in_seconds:1e300"));
  EXPECT_EQ(huge.reason, "replica_link_down");
}

}  // namespace
}  // namespace vitald::probes
