#include "probes/group.hpp"

#include <gtest/gtest.h>

#include "probes/group_memory.hpp"

namespace vitald::probes {
namespace {

const Wall noon = Wall(std::chrono::seconds(1'795'262'400));

Group group(std::size_t size, std::vector<Group::Member> down) {
  return {.name = "worker", .size = size, .down = std::move(down)};
}

TEST(Group, SomeAndAllHaveTheirWords) {
  EXPECT_EQ(say_down(group(1, {{"frontend", "stopped"}})), "frontend is stopped");
  EXPECT_EQ(say_down(group(3, {{"worker_01", "STOPPED"}})), "worker_01 is STOPPED; 2 of 3 running");
  EXPECT_EQ(say_down(group(2, {{"a", "FATAL"}, {"b", "STOPPED"}})),
            "none of the 2 of worker is running: a is FATAL, b is STOPPED");
  EXPECT_EQ(say_down(group(9, {{"a", "x"}, {"b", "x"}, {"c", "x"}, {"d", "x"}, {"e", "x"}})),
            "a is x, b is x, c is x and 2 more; 4 of 9 running");
  EXPECT_EQ(say_down(group(4, {{"an instance", "missing"}, {"an instance", "missing"}})),
            "an instance is missing; 2 of 4 running");
}

TEST(Group, AllOfNobodyIsNotDown) {
  EXPECT_FALSE(group(0, {}).all_down());
  EXPECT_TRUE(group(1, {{"a", "x"}}).all_down());
  EXPECT_EQ(not_running(group(2, {}), {}).says, "");
  EXPECT_EQ(not_running(group(2, {{"a", "x"}}), {}).value, 1);
}

TEST(GroupMemory, KnowsSinceWhenAMemberIsInItsState) {
  GroupMemory first("", noon);
  EXPECT_FALSE(first.note("a b", "waiting restart", 3).generation);
  GroupMemory second(first.written(), noon + std::chrono::seconds(10));
  const auto same = second.note("a b", "waiting restart", 3);
  EXPECT_EQ(same.generation, 3);
  EXPECT_EQ(same.lasts, std::chrono::seconds(10));
  GroupMemory third(second.written(), noon + std::chrono::seconds(30));
  EXPECT_EQ(third.note("a b", "waiting restart", 3).lasts, std::chrono::seconds(30));
  EXPECT_EQ(GroupMemory(second.written(), noon + std::chrono::seconds(30)).note("a b", "launching", 3).lasts,
            Duration::zero());
  EXPECT_EQ(GroupMemory(second.written(), noon + std::chrono::seconds(30)).note("a b", "waiting restart", 4).lasts,
            Duration::zero());
}

TEST(GroupMemory, NothingIsWrittenWhileNothingChanges) {
  GroupMemory first("", noon);
  first.note("a", "online", 3);
  first.count("g", 3, 0);
  GroupMemory second(first.written(), noon + std::chrono::seconds(10));
  second.note("a", "online", 3);
  second.count("g", 3, 0);
  EXPECT_EQ(first.written(), second.written());
}

TEST(GroupMemory, ACounterBeginsWithWhatThereIsAndThenGrows) {
  GroupMemory first("", noon);
  EXPECT_EQ(first.count("g", 7, 5), 7);
  EXPECT_EQ(GroupMemory(first.written(), noon).count("g", 100, 5), 12);
}

TEST(GroupMemory, AClockThatWasSetBackMakesNoNegativeLength) {
  GroupMemory first("", noon);
  first.note("a", "x", 1);
  EXPECT_EQ(GroupMemory(first.written(), noon - std::chrono::hours(1)).note("a", "x", 1).lasts, Duration::zero());
}

TEST(GroupMemory, WhatIsNoMemoryOfItsOwnIsLeftOut) {
  for (const auto* text : {"member:a", "member:a x y z", "member:a 1", "member:a 1e999 5 x", "restarts:g many"}) {
    GroupMemory memory(text, noon);
    EXPECT_FALSE(memory.note("a", "x", 1).generation) << text;
    EXPECT_EQ(memory.count("g", 2, 1), 2);
  }
}

}  // namespace
}  // namespace vitald::probes
