// laravel-queue with the driver redis: what it asks, and what it makes of the answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/laravel_queue.hpp"
#include "probes/laravel_queue_keys.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/resp_text.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes::laravel_queue {
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

const std::string time_reply = resp_texts({"1800000000", "250000"});

Config config(const std::string& more = "queues: default") {
  const auto parsed = parse_yaml(parse, "redis: { address: 'r:6379' }\nprefix: p_\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

/// A memory of a check that has seen jobs before, so that nobody looks for another prefix.
std::string seen_before(const Config& check) {
  return write_memory({.at = 1'799'999'970, .seen = true}, check.memory_of());
}

std::string lengths(int pending, int delayed, int reserved) {
  return resp_integer(pending) + resp_integer(delayed) + resp_integer(reserved);
}

/// Each round is one write, answered at once.
Script script(const std::vector<std::string>& rounds) {
  Script made;
  made.expect_something().reply("+PONG\r\n");
  for (const auto& round : rounds) made.expect_something().reply(round);
  return made;
}

struct Ran {
  Facts facts;
  std::string written;
};

Ran run_with(const Config& check, const std::vector<std::string>& rounds, const std::string& memory) {
  Surroundings around;
  ScriptedNetwork network(around.loop, {script(rounds)});
  around.network = &network;
  around.memory = memory;
  Facts facts = around.run(run, check);
  return {std::move(facts), network.written.at(0)};
}

Ran run_with(const Config& check, const std::vector<std::string>& rounds) {
  return run_with(check, rounds, seen_before(check));
}

/// The failure that a run ends with.
ProbeFailure failure(const Config& check, const std::vector<std::string>& rounds) {
  try {
    run_with(check, rounds);
  } catch (const ProbeFailure& caught) {
    return caught;
  }
  ADD_FAILURE() << "nothing failed";
  return ProbeFailure(Outcome::answered, "", "");
}

TEST(LaravelQueueRedis, AnEmptyQueueCostsOneRound) {
  const auto ran = run_with(config(), {time_reply + lengths(0, 0, 0)});
  EXPECT_DOUBLE_EQ(ran.facts.now, 1'800'000'000.25);
  ASSERT_EQ(ran.facts.queues.size(), 1u);
  EXPECT_EQ(ran.facts.queues[0].pending, 0);
  EXPECT_EQ(ran.facts.queues[0].delayed_due, 0);
  EXPECT_THAT(ran.written, HasSubstr("LLEN\r\n$16\r\np_queues:default\r\n"));
  EXPECT_THAT(ran.written, HasSubstr("p_queues:default:delayed\r\n"));
  EXPECT_THAT(ran.written, HasSubstr("p_queues:default:reserved\r\n"));
  EXPECT_THAT(ran.written, Not(HasSubstr("EXISTS")));
}

TEST(LaravelQueueRedis, CountsWhatIsOverdueByTheServersClock) {
  const auto ran = run_with(config(), {time_reply + lengths(0, 5, 3), resp_integer(2) + resp_integer(1),
                                       resp_texts({R"({"uuid":"u","attempts":0})", "1799999990"}) +
                                           resp_texts({R"({"uuid":"v","createdAt":1799999900})", "1800000050"})});
  const QueueFacts& queue = ran.facts.queues.at(0);
  EXPECT_EQ(queue.delayed, 5);
  EXPECT_EQ(queue.delayed_due, 2);
  EXPECT_EQ(queue.reserved, 3);
  EXPECT_EQ(queue.reserved_expired, 1);
  EXPECT_FALSE(queue.head.empty());
  EXPECT_EQ(queue.head_at, 1'799'999'990);
  EXPECT_EQ(queue.newest_at, 1'799'999'900);
  EXPECT_THAT(ran.written, HasSubstr("ZCOUNT\r\n$24\r\np_queues:default:delayed\r\n$4\r\n-inf\r\n$10\r\n1800000000"));
}

TEST(LaravelQueueRedis, ReadsTheOldestAndTheNewestJob) {
  const auto ran = run_with(
      config("queues: [ default, exports ]"),
      {time_reply + lengths(2, 0, 0) + lengths(0, 0, 0),
       resp_bulk(R"({"uuid":"first","displayName":"App\\Jobs\\A","attempts":0,"createdAt":1799999000,"delay":60})") +
           resp_bulk(R"({"uuid":"second","attempts":0,"pushedAt":"1799999500.25"})")});
  const QueueFacts& queue = ran.facts.queues.at(0);
  EXPECT_EQ(queue.head_at, 1'799'999'060);
  EXPECT_EQ(queue.newest_at, 1'799'999'500.25);
  EXPECT_NE(queue.head, queue.newest);
  EXPECT_EQ(ran.facts.queues.at(1).name, "exports");
}

TEST(LaravelQueueRedis, AJobThatVanishesBetweenTwoQuestionsIsProgress) {
  const auto ran = run_with(config(), {time_reply + lengths(1, 0, 0), resp_nil() + resp_nil()});
  EXPECT_EQ(ran.facts.queues.at(0).head, "");
  EXPECT_EQ(ran.facts.queues.at(0).pending, 1);
}

TEST(LaravelQueueRedis, AJobThatIsTooLargeDoesNotFailTheRun) {
  const auto check = config("queues: [ default, exports ]");
  const auto ran = run_with(check, {time_reply + lengths(3, 0, 0) + lengths(0, 0, 1), resp_integer(0),
                                    "$2000000\r\n{\"uuid\":\"a very long one"});
  EXPECT_TRUE(ran.facts.payload_too_large);
  EXPECT_EQ(ran.facts.queues.at(0).head, "?");
  EXPECT_EQ(ran.facts.queues.at(0).pending, 3);
  EXPECT_EQ(ran.facts.queues.at(1).head, "");
  EXPECT_EQ(judge(check, ran.facts).outcome, Outcome::answered);
}

TEST(LaravelQueueRedis, ALargePayloadIsReadOnAWorker) {
  Surroundings around;
  const std::string large = R"({"uuid":"u","data":")" + std::string(70'000, 'x') + R"("})";
  ScriptedNetwork network(around.loop, {script({time_reply + lengths(1, 0, 0), resp_bulk(large) + resp_bulk(large)})});
  around.network = &network;
  const Facts facts = around.run(run, config());
  EXPECT_FALSE(facts.queues.at(0).head.empty());
  EXPECT_EQ(facts.queues.at(0).head, facts.queues.at(0).newest) << "only hashed";
  EXPECT_THAT(around.workers.keys, ElementsAre("r:6379"));
}

TEST(LaravelQueueRedis, TellsAKeyThatIsNoQueue) {
  const std::string wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n";
  const auto caught = failure(config(), {time_reply + wrong + resp_integer(0) + resp_integer(0)});
  EXPECT_EQ(caught.outcome, Outcome::unmeasured);
  EXPECT_EQ(caught.reason, "not_a_queue");
  EXPECT_EQ(std::string(caught.what()), "LLEN p_queues:default is not possible: the key holds another kind of value");
  EXPECT_THAT(caught.remedy, HasSubstr("prefix"));
}

TEST(LaravelQueueRedis, TellsAMissingRight) {
  const std::string denied = "-NOPERM this user has no permissions to run the 'llen' command\r\n";
  const auto caught = failure(config(), {time_reply + denied + resp_integer(0) + resp_integer(0)});
  EXPECT_EQ(caught.outcome, Outcome::unmeasured);
  EXPECT_EQ(caught.reason, "no_permission");
  EXPECT_THAT(caught.what(), HasSubstr("LLEN p_queues:default"));
}

TEST(LaravelQueueRedis, DoesNotTakeNonsense) {
  EXPECT_EQ(failure(config(), {"+OK\r\n" + lengths(0, 0, 0)}).reason, "bad_reply");
  EXPECT_EQ(failure(config(), {resp_texts({"a", "b"}) + lengths(0, 0, 0)}).reason, "bad_reply");
  EXPECT_EQ(failure(config(), {time_reply + lengths(-1, 0, 0)}).reason, "bad_reply");
  EXPECT_EQ(failure(config(), {time_reply + resp_bulk("7") + resp_integer(0) + resp_integer(0)}).reason, "bad_reply");
  EXPECT_EQ(failure(config(), {time_reply + lengths(1, 0, 0), ""}).reason, "closed_early");
}

TEST(LaravelQueueRedis, LooksForJobsElsewhereWhileItHasSeenNone) {
  const auto check = config();
  const std::string none = resp_integer(0), one = resp_integer(1);
  const auto ran = run_with(check, {time_reply + lengths(0, 0, 0), none + none + one + none}, "");
  EXPECT_EQ(ran.facts.found_instead, "laravel_database_queues:default");
  EXPECT_THAT(ran.written, HasSubstr("p_queues:{default}\r\n"));
  const auto denied =
      run_with(check, {time_reply + lengths(0, 0, 0), "-NOPERM no\r\n-NOPERM no\r\n-NOPERM no\r\n-NOPERM no\r\n"}, "");
  EXPECT_EQ(denied.facts.found_instead, "");
}

TEST(LaravelQueueRedis, EveryStepMayFail) {
  const auto check = config();
  const auto steps = vitald::testing::fails_at_every_step(
      {script({time_reply + lengths(1, 1, 0), resp_integer(1),
               resp_bulk(R"({"uuid":"a"})") + resp_bulk(R"({"uuid":"b"})")})},
      [&](ScriptedNetwork& network) -> awaitable<Facts> {
        static Surroundings around;
        around.network = &network;
        auto context = around.context();
        co_return co_await run(context, check);
      });
  EXPECT_EQ(steps, 9) << "connect, and four times a write and a read";
}

TEST(LaravelQueueKeys, AClusterTagsTheName) {
  EXPECT_EQ(queue_key("p_", "default", false), "p_queues:default");
  EXPECT_EQ(queue_key("p_", "default", true), "p_queues:{default}");
  EXPECT_EQ(queue_key("", "{a}b", true), "queues:{a}b");
}

TEST(LaravelQueueKeys, ReadsPayloadsOfAllAges) {
  EXPECT_EQ(read_payload(R"({"uuid":"u","attempts":0,"createdAt":100})").takeable, 100);
  EXPECT_EQ(read_payload(R"({"uuid":"u","attempts":0,"createdAt":100,"delay":60})").takeable, 160);
  EXPECT_EQ(read_payload(R"({"uuid":"u","attempts":0,"createdAt":100,"delay":null})").takeable, 100);
  EXPECT_EQ(read_payload(R"({"uuid":"u","pushedAt":"100.5"})").takeable, 100.5);
  EXPECT_EQ(read_payload(R"({"uuid":"u","attempts":1,"createdAt":100})").takeable, std::nullopt) << "a second try";
  EXPECT_EQ(read_payload(R"({"uuid":"u","attempts":1,"createdAt":100})").created, 100);
  EXPECT_EQ(read_payload(R"({"id":"old","job":"x"})").created, std::nullopt);
  EXPECT_EQ(read_payload("no json").created, std::nullopt);
  EXPECT_EQ(read_payload(R"({"uuid":"u","displayName":"App\\Jobs\\A"})").name, "App\\Jobs\\A");
}

TEST(LaravelQueueKeys, TellsJobsAndTheirAttemptsApart) {
  const auto first = read_payload(R"({"uuid":"u","attempts":0})");
  const auto again = read_payload(R"({"uuid":"u","attempts":1})");
  const auto other = read_payload(R"({"uuid":"v","attempts":0})");
  EXPECT_EQ(first.identity, again.identity);
  EXPECT_NE(first.attempt, again.attempt);
  EXPECT_NE(first.identity, other.identity);
  EXPECT_NE(read_payload("a").identity, read_payload("b").identity);
  EXPECT_EQ(hashed("default"), "ebada5168620c5fe") << "the memory outlives the process";
}

}  // namespace
}  // namespace vitald::probes::laravel_queue
