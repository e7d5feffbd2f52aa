#include "alerting/deliver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/alerting/sample_notifications.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using Kind = Judgement::Kind;
using testing::ElementsAre;
using testing::HasSubstr;

class Delivering : public testing::Test {
 protected:
  Now now{Steady(1000s), samples::opened() + 1h};
  RetryPolicy policy;
  DeliveryQueue queue{"ops", policy, 42};

  void pass(Duration time) {
    now.steady += time;
    now.wall += time;
  }
  void add(const std::string& incident, std::uint32_t sequence, NotificationKind kind,
           Severity severity = Severity::p2) {
    Notification note = samples::bare_problem();
    note.id = {incident, sequence, "ops"};
    note.kind = kind;
    note.severity = severity;
    note.at = now.wall;
    queue.add(note, now);
  }
  void problem(const std::string& incident, Severity severity = Severity::p2) {
    add(incident, 1, NotificationKind::problem, severity);
  }
  /// Lets time pass until something goes out; "-" when the queue says that nothing ever will, "?" when it was wrong.
  std::string await_next() {
    if (const auto attempt = queue.next(now)) return attempt->notification.id.text();
    const auto at = queue.next_at();
    if (!at) return "-";
    pass(std::max<Duration>(*at - now.steady, 0ns));
    const auto attempt = queue.next(now);
    return attempt ? attempt->notification.id.text() : "?";
  }
  std::optional<Delivered> settle(Kind kind, std::string why = "", std::optional<Duration> after = {}) {
    return queue.settle({kind, std::move(why), after, "", false}, now);
  }
};

TEST_F(Delivering, WhatIsAcceptedIsToldAndGone) {
  problem("a");
  EXPECT_EQ(await_next(), "a/1/ops");
  const auto told = queue.settle({Kind::accepted, "", {}, "channel/ts", false}, now);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->id.text(), "a/1/ops");
  EXPECT_TRUE(told->accepted);
  EXPECT_EQ(told->handle, "channel/ts");
  EXPECT_EQ(queue.size(), 0u);
  EXPECT_EQ(queue.next_at(), std::nullopt);
}

TEST_F(Delivering, ADigestTakesThePlaceOfWhatHasNotBeenDelivered) {
  problem("cut");
  EXPECT_EQ(await_next(), "cut/1/ops");
  settle(Kind::retry, "no route");
  add("cut", 2, NotificationKind::reminder);
  add("cut", 3, NotificationKind::digest);
  const auto gone = queue.prune(now);
  ASSERT_EQ(gone.size(), 2u);
  for (const Delivered& each : gone) EXPECT_THAT(each.why, HasSubstr("superseded"));
  EXPECT_EQ(await_next(), "cut/3/ops");
}

TEST_F(Delivering, AProblemThatMayHaveArrivedIsNotReplacedByADigest) {
  problem("cut");
  EXPECT_EQ(await_next(), "cut/1/ops");
  queue.settle({Kind::retry, "no answer", {}, "", true}, now);
  add("cut", 2, NotificationKind::digest);
  EXPECT_TRUE(queue.prune(now).empty());
  EXPECT_EQ(await_next(), "cut/1/ops");
}

TEST_F(Delivering, OnlyOneIsOutAtATime) {
  problem("a");
  problem("b");
  ASSERT_TRUE(queue.next(now));
  pass(1h);
  EXPECT_FALSE(queue.next(now));
  EXPECT_EQ(queue.next_at(), std::nullopt);
}

TEST_F(Delivering, ThePaceKeepsAttemptsApart) {
  problem("a");
  problem("b");
  await_next();
  settle(Kind::accepted);
  EXPECT_FALSE(queue.next(now));
  EXPECT_EQ(queue.next_at(), now.steady + policy.between);
  pass(policy.between);
  EXPECT_TRUE(queue.next(now));
}

TEST_F(Delivering, OtherIncidentsOvertakeOneThatWaitsButItsOwnFollowersDoNot) {
  add("a", 1, NotificationKind::problem);
  add("a", 2, NotificationKind::recovery);
  problem("b");
  EXPECT_EQ(await_next(), "a/1/ops");
  EXPECT_EQ(settle(Kind::retry, "", 10min), std::nullopt);
  pass(10min);
  EXPECT_EQ(await_next(), "b/1/ops");
  settle(Kind::accepted);
  EXPECT_EQ(await_next(), "a/1/ops");
  settle(Kind::accepted);
  EXPECT_EQ(await_next(), "a/2/ops");
}

TEST_F(Delivering, TheWorseSeverityGoesFirstThenTheOlderMessage) {
  problem("a", Severity::p3);
  problem("b", Severity::p1);
  problem("c", Severity::p1);
  problem("d", Severity::p0);
  std::vector<std::string> order;
  for (int i = 0; i < 4; ++i) {
    order.push_back(await_next());
    settle(Kind::accepted);
  }
  EXPECT_THAT(order, ElementsAre("d/1/ops", "b/1/ops", "c/1/ops", "a/1/ops"));
}

TEST_F(Delivering, SequenceDecidesNotTheOrderOfArrival) {
  add("a", 2, NotificationKind::recovery);
  add("a", 1, NotificationKind::problem);
  EXPECT_EQ(await_next(), "a/1/ops");
}

TEST_F(Delivering, TheSameMessageTwiceIsOneMessage) {
  problem("a");
  problem("a");
  EXPECT_EQ(queue.size(), 1u);
  await_next();
  problem("a");
  settle(Kind::accepted);
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(Delivering, BackOffGrowsWithFullJitterUpToItsCap) {
  problem("a");
  Duration longest{};
  for (int number = 1; number <= 40; ++number) {
    await_next();
    settle(Kind::retry);
    const Duration cap = std::min<Duration>(policy.first * (1 << std::min(number - 1, 20)), policy.longest);
    const Duration wait = *queue.next_at() - now.steady;
    EXPECT_LE(wait, std::max<Duration>(cap, policy.longest / 10)) << number;
    longest = std::max(longest, wait);
  }
  EXPECT_GT(longest, policy.longest / 2);
}

TEST_F(Delivering, RetryAfterHoldsForTheWholeReceiverAndIsCappedAtAnHour) {
  problem("a");
  problem("b");
  await_next();
  settle(Kind::retry, "", 48h);
  pass(59min);
  EXPECT_FALSE(queue.next(now));
  pass(1min);
  EXPECT_TRUE(queue.next(now));
}

TEST_F(Delivering, ManyIncidentsDoNotAddUpToAFloodOfAReceiverInTrouble) {
  for (int i = 0; i < 1000; ++i) problem("incident-" + std::to_string(i));
  const Steady begun = now.steady;
  int attempts = 0;
  while (now.steady - begun < 1h && await_next() != "-") {
    ++attempts;
    settle(Kind::retry);
  }
  EXPECT_LT(attempts, 300);  // 3,600 at the bare pace
  EXPECT_GT(attempts, 60);
}

TEST_F(Delivering, WhenTheReceiverIsBackNobodyWaitsOutABackOff) {
  for (int i = 0; i < 20; ++i) problem("incident-" + std::to_string(i));
  for (int i = 0; i < 200; ++i) {
    await_next();
    settle(Kind::retry);
  }
  await_next();
  settle(Kind::accepted);
  const Steady back = now.steady;
  while (queue.size() > 0) {
    ASSERT_NE(await_next(), "?");
    settle(Kind::accepted);
  }
  EXPECT_LE(now.steady - back, policy.between * 20);
}

TEST_F(Delivering, MalformedStepsDownThroughTheFormsAndThenTheQueueFlowsOn) {
  problem("a");
  problem("b", Severity::p3);
  std::vector<Form> forms;
  std::optional<Delivered> told;
  for (int i = 0; i < 3; ++i) {
    pass(policy.between);
    forms.push_back(queue.next(now).value().form);
    told = settle(Kind::malformed, "invalid_blocks");
  }
  EXPECT_THAT(forms, ElementsAre(Form::full, Form::trimmed, Form::minimal));
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->accepted);
  EXPECT_EQ(told->why, "invalid_blocks");
  EXPECT_EQ(await_next(), "b/1/ops");
}

TEST_F(Delivering, AfterAProblemThatCouldNotBeToldItsRecoveryIsNotToldEither) {
  add("a", 1, NotificationKind::problem);
  add("a", 2, NotificationKind::recovery);
  problem("b");
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(await_next(), "a/1/ops");
    settle(Kind::malformed, "no");
  }
  const auto dropped = queue.prune(now);
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].id.text(), "a/2/ops");
  EXPECT_FALSE(dropped[0].accepted);
  EXPECT_EQ(queue.size(), 1u);
}

TEST_F(Delivering, ARefusedReceiverKeepsEverythingUntilItIsResumed) {
  problem("a");
  problem("b");
  await_next();
  EXPECT_EQ(settle(Kind::refused, "the webhook was revoked"), std::nullopt);
  EXPECT_TRUE(queue.stopped());
  EXPECT_EQ(queue.why(), "the webhook was revoked");
  EXPECT_EQ(queue.size(), 2u);
  EXPECT_EQ(queue.next_at(), std::nullopt);
  pass(24h);
  EXPECT_FALSE(queue.next(now));
  EXPECT_TRUE(queue.prune(now).empty());

  queue.resume(now);
  EXPECT_FALSE(queue.stopped());
  EXPECT_EQ(await_next(), "a/1/ops");
}

TEST_F(Delivering, AReloadDoesNotShortenWhatTheReceiverAskedFor) {
  problem("a");
  await_next();
  settle(Kind::retry, "", 10min);
  queue.resume(now);
  pass(9min);
  EXPECT_FALSE(queue.next(now));
}

TEST_F(Delivering, AfterSevenDaysOfTryingAMessageIsGivenUp) {
  problem("a");
  const Wall begun = now.wall;
  std::optional<Delivered> told;
  while (!told && now.wall - begun < 8 * 24h) {
    await_next();
    told = settle(Kind::retry, "503 from the proxy");
    for (auto& dropped : queue.prune(now)) told = dropped;
  }
  ASSERT_TRUE(told);
  EXPECT_FALSE(told->accepted);
  EXPECT_THAT(told->why, HasSubstr("7 d"));
  EXPECT_GE(now.wall - begun, 7 * 24h);
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(Delivering, AnOldMessageIsTriedBeforeItIsGivenUp) {
  problem("a");
  pass(30 * 24h);
  EXPECT_TRUE(queue.prune(now).empty());
  EXPECT_EQ(await_next(), "a/1/ops");
}

TEST_F(Delivering, WhatAStoppedReceiverKeptForSevenDaysIsGivenUp) {
  problem("a");
  await_next();
  settle(Kind::refused, "revoked");
  problem("b");
  pass(7 * 24h + 1s);
  const auto dropped = queue.prune(now);
  ASSERT_EQ(dropped.size(), 2u);
  EXPECT_THAT(dropped[0].why, HasSubstr("revoked"));
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(Delivering, RemindersAndUpdatesBehindWhichARecoveryStandsAreSuperseded) {
  add("a", 1, NotificationKind::problem);
  add("a", 2, NotificationKind::reminder);
  add("a", 3, NotificationKind::update);
  add("a", 4, NotificationKind::escalation);
  add("a", 5, NotificationKind::reminder);
  EXPECT_EQ(queue.prune(now).size(), 1u);  // the first reminder: the update says more
  add("a", 6, NotificationKind::recovery);
  std::vector<std::string> dropped;
  for (const Delivered& gone : queue.prune(now)) {
    EXPECT_TRUE(gone.accepted);
    EXPECT_THAT(gone.why, HasSubstr("superseded"));
    dropped.push_back(gone.id.text());
  }
  EXPECT_THAT(dropped, testing::UnorderedElementsAre("a/3/ops", "a/5/ops"));
  for (const char* id : {"a/1/ops", "a/4/ops", "a/6/ops"}) {
    EXPECT_EQ(await_next(), id);
    settle(Kind::accepted);
  }
}

TEST_F(Delivering, TheOneThatIsOutIsNotSupersededUntilItFails) {
  add("a", 1, NotificationKind::reminder);
  ASSERT_TRUE(queue.next(now));
  add("a", 2, NotificationKind::recovery);
  EXPECT_TRUE(queue.prune(now).empty());
  settle(Kind::retry);
  EXPECT_EQ(queue.prune(now).size(), 1u);
  EXPECT_EQ(await_next(), "a/2/ops");
}

TEST_F(Delivering, AnUncertainEndMakesTheRepeatSayThatItIsOne) {
  problem("a");
  EXPECT_FALSE(queue.next(now).value().notification.may_repeat);
  queue.settle({Kind::retry, "no answer", {}, "", true}, now);
  pass(1h);
  EXPECT_TRUE(queue.next(now).value().notification.may_repeat);
}

TEST_F(Delivering, ARemovedReceiverGivesUpAllButTheOneThatIsOut) {
  problem("a");
  problem("b");
  problem("c");
  await_next();
  const auto dropped = queue.abandon("removed");
  ASSERT_EQ(dropped.size(), 2u);
  EXPECT_EQ(dropped[0].why, "removed");
  EXPECT_EQ(queue.size(), 1u);
  EXPECT_TRUE(settle(Kind::accepted)->accepted);
}

TEST_F(Delivering, AFullQueueKeepsWorseAndNewerIncidentsAndEveryRecovery) {
  policy.most = 10;
  queue = DeliveryQueue("ops", policy, 1);
  add("told", 2, NotificationKind::reminder);
  for (int i = 0; i < 9; ++i) problem("p2-" + std::to_string(i));
  problem("bad", Severity::p0);
  auto dropped = queue.prune(now);
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].id.text(), "p2-0/1/ops");
  EXPECT_FALSE(dropped[0].accepted);

  problem("mild", Severity::p3);
  dropped = queue.prune(now);
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].id.text(), "mild/1/ops");

  add("elsewhere", 2, NotificationKind::recovery);
  EXPECT_EQ(queue.size(), 11u);
  add("told", 3, NotificationKind::recovery);  // its reminder is pointless now
  dropped = queue.prune(now);
  ASSERT_EQ(dropped.size(), 1u);
  EXPECT_EQ(dropped[0].id.text(), "told/2/ops");
}

TEST_F(Delivering, WhatTheMessagesWeighIsBoundedToo) {
  policy.most_bytes = 100'000;
  queue = DeliveryQueue("ops", policy, 1);
  Notification heavy = samples::bare_problem();
  heavy.evidence.assign(10, Evidence{"log", std::string(1000, 'x')});
  for (int i = 0; i < 100; ++i) {
    heavy.id.incident = "heavy-" + std::to_string(i);
    queue.add(heavy, now);
  }
  EXPECT_LE(queue.size(), 10u);
  EXPECT_EQ(queue.prune(now).size() + queue.size(), 100u);
}

TEST_F(Delivering, OldestTellsTheAgeOfTheQueue) {
  EXPECT_EQ(queue.oldest(), std::nullopt);
  const Wall first = now.wall;
  problem("a");
  pass(1min);
  problem("b", Severity::p0);
  EXPECT_EQ(queue.oldest(), first);
}

}  // namespace
}  // namespace vitald::alerting
