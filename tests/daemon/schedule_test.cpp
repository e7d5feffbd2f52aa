#include "daemon/schedule.hpp"

#include <gtest/gtest.h>

#include <map>

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;

struct Times {
  Steady steady = Steady(1000h);
  Wall wall = Wall(std::chrono::hours(24 * 365 * 50));
  Now now() const { return {steady, wall}; }
  void pass(Duration length) {
    steady += length;
    wall += length;
  }
};

std::vector<Schedule::Check> checks(std::size_t count, Duration every) {
  std::vector<Schedule::Check> list;
  for (std::size_t i = 0; i < count; ++i) list.push_back({"check-" + std::to_string(i), every, "v1"});
  return list;
}

/// Runs the schedule for `length`, every run ending at once, and tells when each check ran.
std::map<std::size_t, std::vector<Steady>> drive(Schedule& schedule, Times& times,
                                                 const std::vector<Schedule::Check>& list, Duration length) {
  std::map<std::size_t, std::vector<Steady>> runs;
  const Steady end = times.steady + length;
  while (schedule.next() && *schedule.next() <= end) {
    times.pass(std::max(Duration::zero(), *schedule.next() - times.steady));
    for (const auto& due : schedule.take_due(times.steady, 1000)) {
      runs[due.check].push_back(times.steady);
      schedule.finished(list[due.check].name, times.steady);
    }
  }
  return runs;
}

TEST(Schedule, FirstRunsAreRampedAndSlotsDoNotDrift) {
  Times times;
  Schedule schedule("web-1");
  const auto list = checks(500, 10s);
  schedule.arrange(list, times.now());
  const Steady start = times.steady;
  const auto runs = drive(schedule, times, list, 100s);
  for (std::size_t i = 0; i < list.size(); ++i) {
    EXPECT_LE(runs.at(i).front() - start, i * 1ms);
    for (std::size_t n = 2; n < runs.at(i).size(); ++n) EXPECT_EQ(runs.at(i)[n] - runs.at(i)[n - 1], 10s);
    EXPECT_GE(runs.at(i).size(), 10U);
  }
}

TEST(Schedule, PhasesSpreadAndSurviveARestart) {
  std::map<long, int> bins;
  for (int i = 0; i < 1000; ++i) ++bins[Schedule::phase("web-1", "check-" + std::to_string(i), 10s) / 100ms];
  for (const auto& [bin, count] : bins) EXPECT_LE(count, 30) << "bin " << bin;

  Times times;
  const auto list = checks(1, 10s);
  Schedule first("web-1");
  first.arrange(list, times.now());
  const Steady slot = drive(first, times, list, 15s).at(0).back();
  times.pass(3s);
  Schedule second("web-1");
  second.arrange(list, times.now());
  const auto again = drive(second, times, list, 25s).at(0);
  EXPECT_EQ((again.back() - slot) % 10s, 0s);
}

TEST(Schedule, NeverTwoRunsOfOneCheckAndMissedSlotsAreCounted) {
  Times times;
  Schedule schedule("web-1");
  const auto list = checks(1, 1s);
  schedule.arrange(list, times.now());
  ASSERT_EQ(schedule.take_due(times.steady, 10).size(), 1U);
  for (int i = 0; i < 50; ++i) {
    times.pass(100ms);
    EXPECT_TRUE(schedule.take_due(times.steady, 10).empty());
  }
  schedule.finished("check-0", times.steady);
  times.pass(1s);
  const auto due = schedule.take_due(times.steady, 10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].missed, 5U);
  EXPECT_TRUE(schedule.take_due(times.steady, 10).empty());
}

TEST(Schedule, AStopOfTenMinutesGivesOneRunAndAJumpOfTenYearsCostsNothing) {
  Times times;
  Schedule schedule("web-1");
  const auto list = checks(1, 10s);
  schedule.arrange(list, times.now());
  drive(schedule, times, list, 20s);
  times.pass(10min);
  auto due = schedule.take_due(times.steady, 10);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_GE(due[0].missed, 58U);
  schedule.finished("check-0", times.steady);
  times.pass(std::chrono::hours(24 * 3650));
  EXPECT_EQ(schedule.take_due(times.steady, 10).size(), 1U);
}

TEST(Schedule, ARequestRunsBesidesTheSlotsAndWaitsForTheRunThatIsOut) {
  Times times;
  Schedule schedule("web-1");
  const auto list = checks(1, 60s);
  schedule.arrange(list, times.now());
  ASSERT_EQ(schedule.take_due(times.steady, 10).size(), 1U);
  schedule.request("check-0", times.steady + 5s);
  schedule.request("check-0", times.steady + 9s);  // later than the wish that stands
  schedule.request("nobody", times.steady);
  times.pass(7s);
  EXPECT_TRUE(schedule.take_due(times.steady, 10).empty());
  schedule.finished("check-0", times.steady);
  EXPECT_EQ(schedule.next(), times.steady);
  EXPECT_EQ(schedule.take_due(times.steady, 10).size(), 1U);
}

TEST(Schedule, AReloadKeepsTheSlotsOfUnchangedChecks) {
  Times times;
  Schedule schedule("web-1");
  auto list = checks(2, 10s);
  schedule.arrange(list, times.now());
  const Steady slot = drive(schedule, times, list, 25s).at(0).back();
  list[1].fingerprint = "v2";
  list.push_back({"new", 10s, "v1"});
  schedule.arrange(list, times.now());
  const auto runs = drive(schedule, times, list, 20s);
  EXPECT_EQ((runs.at(0).front() - slot) % 10s, 0s);
  EXPECT_EQ(runs.at(0).size(), 2U);
  EXPECT_EQ(runs.at(1).size(), 3U) << "a changed check gets an early run";
  EXPECT_EQ(runs.at(2).size(), 3U);
}

TEST(Schedule, ARequestAtTheTimeOfASlotIsOneRun) {
  Times times;
  Schedule schedule("web-1");
  const auto list = checks(1, 10s);
  schedule.arrange(list, times.now());
  drive(schedule, times, list, 1ms);
  const Steady slot = *schedule.next();
  schedule.request("check-0", slot);
  times.pass(slot - times.steady);
  ASSERT_EQ(schedule.take_due(times.steady, 10).size(), 1U);
  schedule.finished("check-0", times.steady);
  EXPECT_TRUE(schedule.take_due(times.steady, 10).empty());
}

}  // namespace
}  // namespace vitald::daemon
