// Options and judgement; what is asked of Redis and of databases is in laravel_queue_redis_test and _sql_test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/laravel_queue.hpp"
#include "tests/support/parsed.hpp"

namespace vitald::probes::laravel_queue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::parse_yaml;

constexpr double noon = 1'800'000'000;

std::string problems(const std::string& yaml) { return parse_yaml(parse, yaml).problems; }

TEST(LaravelQueueParse, TakesOneDriver) {
  const auto redis = parse_yaml(
      parse, "{ redis: { address: 'r:6379', database: 2 }, queues: [ default, exports ], prefix: shop_database_ }");
  EXPECT_EQ(redis.problems, "");
  EXPECT_EQ(redis.config.target(), "r:6379");
  EXPECT_THAT(redis.config.queues, ElementsAre("default", "exports"));
  EXPECT_EQ(redis.config.prefix, "shop_database_");
  EXPECT_FALSE(redis.config.database.is_there());

  const auto mysql = parse_yaml(parse, "{ mysql: { socket: /m.sock, user: v }, queues: default, retry_after: 5m }");
  EXPECT_EQ(mysql.problems, "");
  EXPECT_EQ(mysql.config.target(), "/m.sock");
  EXPECT_EQ(mysql.config.retry_after, std::chrono::minutes(5));
  EXPECT_EQ(mysql.config.table, "jobs");
  EXPECT_EQ(mysql.config.failed_table, "failed_jobs");

  const auto postgres = parse_yaml(parse, "{ postgres: { socket: /p, user: v }, queues: default, failed_table: '' }");
  EXPECT_EQ(postgres.problems, "");
  EXPECT_TRUE(postgres.config.database.postgres);
  EXPECT_EQ(postgres.config.failed_table, "");
}

TEST(LaravelQueueParse, SaysWhichDriverIsTooManyOrMissing) {
  EXPECT_THAT(problems("queues: default"), HasSubstr("needs one of 'redis', 'mysql' and 'postgres'"));
  EXPECT_THAT(problems("{ redis: { socket: /r }, mysql: { socket: /m, user: v }, queues: default }"),
              HasSubstr("needs one of"));
  EXPECT_THAT(problems("{ redis: { socket: /r }, queues: default, retry_after: 90s }"),
              HasSubstr("'retry_after' is about jobs in a database"));
  EXPECT_THAT(problems("{ mysql: { socket: /m, user: v }, queues: default, prefix: x }"),
              HasSubstr("'prefix' is about jobs in Redis"));
  EXPECT_THAT(problems("{ mysql: { socket: /m, user: v }, queues: default, failed: { table: x } }"),
              HasSubstr("'failed' is about jobs in Redis"));
}

TEST(LaravelQueueParse, TakesTheFailedJobsOfARedisQueueFromADatabase) {
  const auto parsed =
      parse_yaml(parse,
                 "{ redis: { socket: /r }, queues: default, failed: { postgres: { socket: /p, user: v }, "
                 "table: shop.failed_jobs } }");
  EXPECT_EQ(parsed.problems, "");
  EXPECT_EQ(parsed.config.target(), "/r");
  EXPECT_TRUE(parsed.config.database.postgres);
  EXPECT_EQ(parsed.config.failed_table, "shop.failed_jobs");
  EXPECT_THAT(problems("{ redis: { socket: /r }, queues: default, failed: { table: x } }"),
              HasSubstr("needs either 'mysql' or 'postgres'"));
}

TEST(LaravelQueueParse, KeepsNamesHarmless) {
  const std::string mysql = "{ mysql: { socket: /m, user: v }, ";
  for (const char* bad : {"\"jobs; DROP TABLE x\"", "a.b.c", "'a`b'", ".jobs", "jobs.", "''", "[ jobs ]", "'jöbs'"}) {
    EXPECT_THAT(problems(mysql + "queues: default, table: " + bad + " }"), HasSubstr("expected the name of a table"))
        << bad;
  }
  for (const char* bad : {"\"a'b\"", "'a\\b'", "'a b'", "'\"'", "''", "{ a: b }"}) {
    EXPECT_THAT(problems(mysql + "queues: [ " + bad + " ] }"), HasSubstr("expected the name of a queue")) << bad;
  }
  EXPECT_THAT(problems(mysql + "queues: 'high,default' }"), HasSubstr("write a list of names"));
  EXPECT_THAT(problems(mysql + "queues: [ a, b, a ] }"), HasSubstr("the queue 'a' is listed twice"));
  EXPECT_THAT(problems(mysql + "queues: [] }"), HasSubstr("at least one name"));
  EXPECT_EQ(problems(mysql + "queues: [ 'notifications:high', 'a.b', 'c-d_e', '{tag}x' ] }"), "");
  std::string many = "[ q0";
  for (int i = 1; i <= 20; ++i) many += ", q" + std::to_string(i);
  EXPECT_THAT(problems(mysql + "queues: " + many + " ] }"), HasSubstr("more than 20"));
}

/// A check that judges one run after the other, thirty seconds apart.
class Runs {
 public:
  Config config = parse_yaml(parse, "{ redis: { socket: /r }, queues: [ default, exports ] }").config;
  Facts facts{.now = noon, .queues = {{.name = "default", .delayed_due = 0}}, .peer = "/r"};

  Observation next(double seconds = 30) {
    Facts seen = facts;
    facts.now += seconds;
    seen.before = parse_memory(memory_, config.memory_of());
    Observation observation = judge(config, seen);
    memory_ = observation.memory.value();
    return observation;
  }
  QueueFacts& queue() { return facts.queues.front(); }

 private:
  std::string memory_;
};

std::optional<double> value(const Observation& seen, const std::string& name, const std::string& queue = "default") {
  for (const Sample& sample : seen.samples) {
    const bool right_row = name == "failed" ? sample.labels.empty() : sample.labels == Labels{{"queue", queue}};
    if (sample.name == name && right_row) return sample.value;
  }
  return std::nullopt;
}

TEST(LaravelQueueJudge, AnEmptyQueueIsFine) {
  Runs runs;
  const auto seen = runs.next();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "no job waits");
  EXPECT_EQ(value(seen, "pending"), 0);
  EXPECT_EQ(value(seen, "oldest_age"), 0);
  EXPECT_EQ(value(seen, "stalled"), 0);
  EXPECT_EQ(value(seen, "idle"), std::nullopt);
  EXPECT_EQ(value(seen, "failed"), std::nullopt);
}

TEST(LaravelQueueJudge, AQueueOfWhichNothingIsTakenStalls) {
  Runs runs;
  runs.queue() = {.name = "default", .pending = 5, .delayed_due = 0, .head = "a"};
  EXPECT_EQ(value(runs.next(), "stalled"), 0) << "nobody knows yet";
  runs.queue().pending = 7;
  EXPECT_EQ(value(runs.next(), "stalled"), 30);
  const auto seen = runs.next(60);
  EXPECT_EQ(value(seen, "stalled"), 60);
  EXPECT_EQ(seen.summary, "default: 7 jobs wait, the oldest for 1 min, and no worker has taken any for 1 min");
  EXPECT_EQ(value(runs.next(), "stalled"), 120);
  runs.queue().head = "b";
  EXPECT_EQ(value(runs.next(), "stalled"), 0) << "somebody took the first one";
  EXPECT_EQ(value(runs.next(), "stalled"), 30);
}

TEST(LaravelQueueJudge, ALongQueueThatMovesDoesNotStall) {
  Runs runs;
  for (int i = 0; i < 20; ++i) {
    runs.queue() = {.name = "default", .pending = 1000 + i, .delayed_due = 0, .head = std::to_string(i)};
    EXPECT_EQ(value(runs.next(), "stalled"), 0);
  }
}

TEST(LaravelQueueJudge, AWorkerThatIsBusyWithALongJobDoesNotStall) {
  Runs runs;
  runs.queue() = {.name = "default", .pending = 3, .reserved = 1, .delayed_due = 0, .head = "a"};
  runs.next();
  EXPECT_EQ(value(runs.next(600), "stalled"), 0);
  EXPECT_EQ(value(runs.next(), "stalled"), 0);
  runs.queue().reserved_expired = 1;  // it was killed, and the reservation ran out
  EXPECT_EQ(value(runs.next(), "stalled"), 30) << "since it was last seen at work";
  EXPECT_EQ(value(runs.next(), "stalled"), 60);
}

TEST(LaravelQueueJudge, JobsThatNobodyMovesStallToo) {
  Runs runs;
  runs.queue() = {.name = "default", .delayed = 4, .delayed_due = 2, .head = "late", .head_at = noon - 10};
  runs.next();
  auto seen = runs.next();
  EXPECT_EQ(value(seen, "stalled"), 30);
  EXPECT_EQ(value(seen, "oldest_age"), 40);
  EXPECT_EQ(value(seen, "delayed_due"), 2);

  runs.queue() = {.name = "default", .reserved = 1, .reserved_expired = 1, .delayed_due = 0, .head = "lost"};
  EXPECT_EQ(value(runs.next(), "stalled"), 0);
  seen = runs.next(90);
  EXPECT_EQ(value(seen, "stalled"), 30);
  EXPECT_EQ(seen.summary, "default: 1 job was taken and never finished");
  EXPECT_EQ(value(seen, "reserved_expired"), 1);
}

TEST(LaravelQueueJudge, AHeadThatCannotBeReadCountsAsTheSameWhileTheQueueDoesNotShrink) {
  Runs runs;
  runs.facts.payload_too_large = true;
  runs.queue() = {.name = "default", .pending = 5, .delayed_due = 0, .head = "?"};
  runs.next();
  const auto seen = runs.next();
  EXPECT_EQ(value(seen, "stalled"), 30);
  EXPECT_EQ(value(seen, "oldest_age"), 30);
  EXPECT_THAT(seen.evidence.back().text, HasSubstr("too large"));
  runs.queue().pending = 4;
  EXPECT_EQ(value(runs.next(), "stalled"), 0);
}

TEST(LaravelQueueJudge, AJobIsAsOldAsItsPayloadSaysButNotOlderThanAnEmptyQueue) {
  Runs runs;
  runs.queue() = {.name = "default", .pending = 1, .delayed_due = 0, .head = "a", .head_at = noon - 500};
  EXPECT_EQ(value(runs.next(), "oldest_age"), 500);
  runs.queue() = {.name = "default", .delayed_due = 0};
  EXPECT_EQ(value(runs.next(), "oldest_age"), 0);  // empty at noon + 30
  runs.queue() = {.name = "default", .pending = 1, .delayed_due = 0, .head = "b", .head_at = noon - 86'400};
  EXPECT_EQ(value(runs.next(), "oldest_age"), 30) << "it was delayed for a day and came after the last look";
  runs.queue().head_at = noon + 9e9;
  EXPECT_EQ(value(runs.next(), "oldest_age"), 0) << "the application's clock is ahead";
}

TEST(LaravelQueueJudge, WithoutAWordOfItsAgeAJobIsAsOldAsItsFirstSight) {
  Runs runs;
  runs.queue() = {.name = "default", .pending = 1, .delayed_due = 0, .head = "a"};
  EXPECT_EQ(value(runs.next(), "oldest_age"), 0);
  EXPECT_EQ(value(runs.next(), "oldest_age"), 30);
  runs.queue().head = "b";
  EXPECT_EQ(value(runs.next(), "oldest_age"), 0);
}

TEST(LaravelQueueJudge, KnowsWhenTheLastJobCame) {
  Runs runs;
  runs.queue() = {.name = "default", .pending = 1, .delayed_due = 0, .head = "a", .newest = "a", .newest_at = noon - 7};
  EXPECT_EQ(value(runs.next(), "idle"), 7);
  runs.queue() = {.name = "default", .delayed_due = 0};
  EXPECT_EQ(value(runs.next(), "idle"), 37) << "also when it is gone";
  runs.queue() = {.name = "default", .delayed = 1, .delayed_due = 0};
  EXPECT_EQ(value(runs.next(), "idle"), 0) << "one job more than before";
  EXPECT_EQ(value(runs.next(600), "idle"), 30);
}

TEST(LaravelQueueJudge, WithoutAWordOfTheirAgeJobsComeWhenTheyAreSeen) {
  Runs runs;
  runs.queue() = {.name = "default", .pending = 2, .delayed_due = 0, .head = "a", .newest = "x"};
  EXPECT_EQ(value(runs.next(), "idle"), std::nullopt);
  EXPECT_EQ(value(runs.next(), "idle"), std::nullopt);
  runs.queue().newest = "y";
  EXPECT_EQ(value(runs.next(), "idle"), 0);
  EXPECT_EQ(value(runs.next(), "idle"), 30);
}

TEST(LaravelQueueJudge, ANewFailedJobIsAnEventOnce) {
  Runs runs;
  runs.facts.failed = FailedFacts{.newest = 41};
  auto seen = runs.next();
  EXPECT_EQ(value(seen, "failed"), std::nullopt) << "the first run only remembers";
  EXPECT_EQ(parse_memory(*seen.memory, runs.config.memory_of())->failed, 41);
  runs.facts.failed = FailedFacts{.newest = 43, .fresh = 2, .names = {"App\\Jobs\\Export on exports"}};
  seen = runs.next();
  EXPECT_EQ(value(seen, "failed"), 2);
  EXPECT_EQ(seen.summary, "2 jobs failed since the last run; no job waits");
  EXPECT_EQ(seen.evidence.back().text, "App\\Jobs\\Export on exports");
  runs.facts.failed = FailedFacts{.newest = 43, .fresh = 0};
  seen = runs.next();
  EXPECT_EQ(value(seen, "failed"), 0);
  EXPECT_EQ(seen.summary, "no job waits");
}

TEST(LaravelQueueJudge, NamesTheWorstQueuesFirst) {
  Runs runs;
  runs.facts.queues.clear();
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    runs.facts.queues.push_back({.name = name, .pending = 1, .head = "x", .head_at = noon - 5});
  }
  runs.facts.queues[3].head_at = noon - 4000;
  runs.facts.queues[4].pending = 0;
  const auto seen = runs.next();
  EXPECT_EQ(seen.summary,
            "d: 1 job waits, the oldest for 1 h 7 min; a: 1 job waits, the oldest for 5 s; b: 1 job waits, the oldest "
            "for 5 s; and 1 more queue with jobs that wait");
  EXPECT_EQ(value(seen, "delayed_due", "a"), std::nullopt) << "a database does not tell them apart";
  runs.facts.queues = {{.name = "a"}, {.name = "b"}};
  EXPECT_EQ(runs.next().summary, "no job waits in any of 2 queues");
}

TEST(LaravelQueueJudge, SaysWhereItFoundJobsInstead) {
  Runs runs;
  runs.facts.found_instead = "laravel_database_queues:default";
  EXPECT_THAT(runs.next().evidence.back().text, HasSubstr("there is a key 'laravel_database_queues:default'"));
}

TEST(LaravelQueueMemory, ComesBackAsItWas) {
  const Memory memory{.at = noon,
                      .seen = true,
                      .failed = 7,
                      .queues = {{.name = "default",
                                  .pending = 3,
                                  .total = 9,
                                  .head = "h",
                                  .head_since = noon - 1,
                                  .still_since = noon - 2,
                                  .newest = "n",
                                  .arrived = noon - 3.5,
                                  .empty = noon - 4}}};
  const auto text = write_memory(memory, "here");
  EXPECT_LT(text.size(), 400u);
  const auto read = parse_memory(text, "here");
  ASSERT_TRUE(read);
  EXPECT_EQ(write_memory(*read, "here"), text);
  EXPECT_EQ(read->find("default")->arrived, noon - 3.5);
  EXPECT_EQ(read->find("other"), nullptr);
}

TEST(LaravelQueueMemory, ThatOfSomethingElseIsNone) {
  const auto text = write_memory({.at = noon, .failed = 7}, "here");
  EXPECT_FALSE(parse_memory(text, "elsewhere"));
  for (const std::string bad : {"", "{", "7", "{}", R"({"v":2})", R"({"v":"x"})"})
    EXPECT_FALSE(parse_memory(bad, "here"));
  EXPECT_FALSE(parse_memory(R"({"v":1,"of":"here","at":1,"seen":true,"queues":[{"name":"a"}]})", "here"));
}

TEST(LaravelQueueMemory, KnowsWhatItIsOf) {
  const auto of = [](const std::string& yaml) { return parse_yaml(parse, yaml).config.memory_of(); };
  const std::string one = of("{ redis: { socket: /r }, queues: a }");
  EXPECT_EQ(one, of("{ redis: { socket: /r }, queues: [ a, b ] }")) << "a queue more is no reason to forget the others";
  EXPECT_NE(one, of("{ redis: { socket: /r, database: 1 }, queues: a }"));
  EXPECT_NE(one, of("{ redis: { socket: /r }, queues: a, prefix: x }"));
  EXPECT_NE(one, of("{ redis: { socket: /s }, queues: a }"));
  EXPECT_NE(of("{ mysql: { socket: /m, user: v }, queues: a }"),
            of("{ postgres: { socket: /m, user: v }, queues: a }"));
}

}  // namespace
}  // namespace vitald::probes::laravel_queue
