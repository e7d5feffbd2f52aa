#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "probes/rabbitmq.hpp"
#include "tests/probes/rabbitmq_kit.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::rabbitmq_check;

// A queue that grows while nobody consumes from it.

rabbitmq::QueueFacts queue(const std::string& name, std::uint64_t ready, std::uint64_t consumers) {
  return {.name = name, .ready = ready, .consumers = consumers};
}

Observation next_run(const rabbitmq::Config& check, std::vector<rabbitmq::QueueFacts> queues, const Observation& last) {
  rabbitmq::Facts facts;
  facts.queues = std::move(queues);
  facts.memory = last.memory.value_or("");
  return rabbitmq::judge(check, facts);
}

TEST(RabbitmqWithoutConsumer, GrowthBetweenTwoRunsIsTold) {
  const auto check = rabbitmq_check();
  const auto first = next_run(check, {queue("orders", 100, 0)}, {});
  EXPECT_EQ(first.outcome, Outcome::answered) << "a queue may wait for its consumer";
  const auto second = next_run(check, {queue("orders", 120, 0)}, first);
  EXPECT_EQ(second.outcome, Outcome::wrong);
  EXPECT_EQ(second.reason, "queue_without_consumer");
  EXPECT_EQ(second.summary, "orders: 120 messages, no consumer, growing");
  const auto third = next_run(check, {queue("orders", 120, 0)}, second);
  EXPECT_EQ(third.reason, "queue_without_consumer") << "a second look soon after must see the same";
  EXPECT_EQ(next_run(check, {queue("orders", 120, 1)}, third).outcome, Outcome::answered);
}

TEST(RabbitmqWithoutConsumer, AnEmptyOrShrinkingOrStandingQueueIsFine) {
  const auto check = rabbitmq_check();
  const auto empty = next_run(check, {queue("orders", 0, 0)}, {});
  EXPECT_EQ(*empty.memory, "{}");
  const auto filled = next_run(check, {queue("orders", 5, 0)}, empty);
  EXPECT_EQ(filled.outcome, Outcome::answered) << "first seen waiting";
  EXPECT_EQ(next_run(check, {queue("orders", 5, 0)}, filled).outcome, Outcome::answered);
  const auto grown = next_run(check, {queue("orders", 9, 0)}, filled);
  EXPECT_EQ(grown.outcome, Outcome::wrong);
  const auto polled = next_run(check, {queue("orders", 7, 0)}, grown);
  EXPECT_EQ(polled.outcome, Outcome::answered) << "somebody takes messages without being attached";
  EXPECT_EQ(next_run(check, {queue("orders", 7, 0)}, polled).outcome, Outcome::answered);
}

TEST(RabbitmqWithoutConsumer, AQueueThatWasNotSeenKeepsItsPast) {
  const auto check = rabbitmq_check();
  const auto first = next_run(check, {queue("orders", 5, 0)}, {});
  const auto blind = next_run(check, {{.name = "orders"}}, first);
  EXPECT_EQ(next_run(check, {queue("orders", 6, 0)}, blind).reason, "queue_without_consumer");
}

TEST(RabbitmqWithoutConsumer, CanBeAllowed) {
  const auto check = rabbitmq_check("without_consumer: allow");
  const auto first = next_run(check, {queue("dead.letters", 5, 0)}, {});
  EXPECT_EQ(next_run(check, {queue("dead.letters", 6, 0)}, first).outcome, Outcome::answered);
}

TEST(RabbitmqWithoutConsumer, TakesAnyMemory) {
  const auto check = rabbitmq_check();
  for (const auto* memory :
       {"", "x", "[]", R"({"orders":5})", R"({"orders":["a",false]})", R"({"orders":[-1,true]})"}) {
    Observation last;
    last.memory = memory;
    EXPECT_EQ(next_run(check, {queue("orders", 6, 0)}, last).outcome, Outcome::answered) << memory;
  }
}

TEST(RabbitmqWithoutConsumer, RemembersWithinItsRoom) {
  std::vector<rabbitmq::QueueFacts> queues;
  for (int i = 0; i < 50; ++i) queues.push_back(queue(std::to_string(i) + std::string(253, '"'), 1, 0));
  EXPECT_LT(next_run(rabbitmq_check(), queues, {}).memory->size(), 60u * 1024);
}

TEST(RabbitmqJudge, NamesOfTheTargetAreMadeFit) {
  rabbitmq::Facts facts;
  facts.product = "Rabbit\nMQ";
  facts.queues = {queue("a\nb", 1, 1), queue("a\tb", 2, 1), queue("a\rb", 2, 1)};
  const auto seen = rabbitmq::judge(rabbitmq_check(), facts);
  std::set<std::string> labels;
  for (const auto& each : seen.samples) {
    if (each.name != "messages") continue;
    EXPECT_TRUE(labels.insert(each.labels[0].second).second) << "two rows of one name: " << each.labels[0].second;
    EXPECT_EQ(each.labels[0].second.find_first_of("\n\t\r"), std::string::npos);
  }
}

TEST(RabbitmqJudge, WithoutQueuesItSaysWhoAnswers) {
  rabbitmq::Facts facts;
  facts.product = "RabbitMQ";
  facts.version = "3.10.8";
  EXPECT_EQ(rabbitmq::judge(rabbitmq_check(), facts).summary, "RabbitMQ 3.10.8 answers");
  facts.queues = {queue("orders", 0, 0)};
  EXPECT_EQ(rabbitmq::judge(rabbitmq_check(), facts).summary, "orders: no messages, no consumers");
}

}  // namespace
}  // namespace vitald::probes
