#include "alerting/limits.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;

const Steady start{1000h};

Limit gauge(std::optional<double> warning, std::optional<double> critical) {
  Limit limit;
  limit.sample = "load";
  if (warning) limit.warning = Threshold{*warning};
  if (critical) limit.critical = Threshold{*critical};
  return limit;
}

/// Runs that are a second apart unless the test says otherwise.
struct Runs {
  explicit Runs(Limit one) : limits{std::move(one)} {}

  Judged run(std::vector<Sample> samples, Duration at, bool complete = true) {
    return judge_limits(limits, memory, samples, complete, start + at, start + at + 15min);
  }
  Status held(std::vector<Sample> samples, Duration at) {
    run(std::move(samples), at);
    return held_by_events(memory, start + at);
  }
  Status level(double value, Duration at) { return run({{limits[0].sample, value}}, at).level; }

  std::vector<Limit> limits;
  LimitMemory memory;
};

TEST(limits, cross_at_the_threshold_itself) {
  Runs runs(gauge(5, 10));
  EXPECT_EQ(runs.level(4.99, 0s), Status::ok);
  EXPECT_EQ(runs.level(5, 1s), Status::warning);
  EXPECT_EQ(runs.level(10, 2s), Status::critical);
  EXPECT_TRUE(runs.memory.rows.empty()) << "a plain limit must cost a quiet check no memory";
}

TEST(limits, below_crosses_downwards) {
  Limit limit = gauge(30, 7);
  limit.below = true;
  Runs runs(limit);
  EXPECT_EQ(runs.level(31, 0s), Status::ok);
  EXPECT_EQ(runs.level(30, 1s), Status::warning);
  EXPECT_EQ(runs.level(-3, 2s), Status::critical);
}

TEST(limits, clear_keeps_bad_until_it_is_passed) {
  Limit limit = gauge(80, 90);
  limit.clear = Threshold{75};
  Runs runs(limit);
  EXPECT_EQ(runs.level(78, 0s), Status::ok) << "clear alone makes nothing bad";
  EXPECT_EQ(runs.level(91, 1s), Status::critical);
  EXPECT_EQ(runs.level(85, 2s), Status::warning) << "clear holds the check bad, not critical";
  EXPECT_EQ(runs.level(75, 3s), Status::warning);
  EXPECT_EQ(runs.level(74.9, 4s), Status::ok);
  EXPECT_EQ(runs.level(78, 5s), Status::ok);
}

TEST(limits, clear_with_critical_alone_keeps_critical) {
  Limit limit = gauge({}, 2);
  limit.clear = Threshold{1.5};
  Runs runs(limit);
  EXPECT_EQ(runs.level(2, 0s), Status::critical);
  EXPECT_EQ(runs.level(1.6, 1s), Status::critical);
  EXPECT_EQ(runs.level(1.4, 2s), Status::ok);
}

TEST(limits, for_needs_every_run_of_that_time) {
  Limit limit = gauge({}, 8);
  limit.hold_for = 5min;
  Runs runs(limit);
  EXPECT_EQ(runs.level(9, 0min), Status::ok);
  EXPECT_EQ(runs.level(9, 4min), Status::ok);
  EXPECT_EQ(runs.level(7, 4min + 30s), Status::ok);
  EXPECT_EQ(runs.level(9, 5min), Status::ok) << "the run below has started it anew";
  EXPECT_EQ(runs.level(9, 9min + 59s), Status::ok);
  EXPECT_EQ(runs.level(9, 10min), Status::critical);
}

TEST(limits, of_counts_among_the_last_runs) {
  Limit limit = gauge(1, {});
  limit.of_bad = 3;
  limit.of_runs = 5;
  Runs runs(limit);
  const std::vector<std::pair<double, Status>> history = {{1, Status::ok},      {0, Status::ok},      {1, Status::ok},
                                                          {0, Status::ok},      {1, Status::warning}, {0, Status::ok},
                                                          {1, Status::warning}, {1, Status::warning}};
  Duration at = 0s;
  for (const auto& [value, expected] : history) EXPECT_EQ(runs.level(value, at += 1s), expected) << at.count();
}

TEST(limits, counters_are_judged_by_growth_and_survive_a_reset) {
  Limit limit = gauge({}, {});
  limit.sample = "restarts";
  limit.kind = SampleKind::counter;
  limit.warning = Threshold{.value = 3, .per = 1h};
  limit.critical = Threshold{.value = 10, .per = 1h};
  Runs runs(limit);
  EXPECT_EQ(runs.level(1000, 0min), Status::ok) << "the first value is where counting begins";
  EXPECT_EQ(runs.level(1002, 10min), Status::ok);
  EXPECT_EQ(runs.level(1, 20min), Status::warning) << "a smaller value is a restart and counts what it shows";
  EXPECT_EQ(runs.level(8, 30min), Status::critical);
  EXPECT_EQ(runs.level(8, 71min), Status::warning) << "the first two have left the hour";
  EXPECT_EQ(runs.level(8, 91min), Status::ok);
}

TEST(limits, windows_have_bounded_memory) {
  Limit limit = gauge({}, {});
  limit.kind = SampleKind::counter;
  limit.warning = Threshold{.value = 1e9, .per = 24h};
  Runs runs(limit);
  for (int minute = 0; minute < 10'000; ++minute) runs.level(minute, std::chrono::minutes(minute));
  ASSERT_EQ(runs.memory.rows.size(), 1u);
  EXPECT_LE(runs.memory.rows[0].warning.window.buckets.size(), Window::buckets_max);
  EXPECT_NEAR(sum(runs.memory.rows[0].warning.window, start + 9999min), 1440, 25);
}

TEST(limits, a_window_below_must_be_full_before_it_says_anything) {
  Limit limit = gauge({}, {});
  limit.kind = SampleKind::counter;
  limit.below = true;
  limit.critical = Threshold{.value = 0, .per = 10min};
  Runs runs(limit);
  EXPECT_EQ(runs.level(5, 0min), Status::ok);
  EXPECT_EQ(runs.level(5, 9min), Status::ok);
  EXPECT_EQ(runs.level(5, 10min), Status::critical);
  EXPECT_EQ(runs.level(6, 11min), Status::ok);
}

TEST(limits, events_hold_the_check_after_the_last_happening) {
  Limit limit = gauge({}, {});
  limit.sample = "failed_jobs";
  limit.kind = SampleKind::event;
  limit.warning = Threshold{1};
  limit.critical = Threshold{5};
  Runs runs(limit);
  EXPECT_EQ(runs.held({{"failed_jobs", 0}}, 0min), Status::ok);
  EXPECT_TRUE(runs.run({{"failed_jobs", 6}}, 1min).happened);
  EXPECT_EQ(runs.memory.event_why, "failed jobs 6 (limit 5)");
  EXPECT_EQ(runs.held({{"failed_jobs", 2}}, 10min), Status::critical);
  EXPECT_EQ(runs.held({{"failed_jobs", 0}}, 16min), Status::warning);
  EXPECT_EQ(held_by_events(runs.memory, start + 24min), Status::warning);
  EXPECT_EQ(next_release(runs.memory, start + 24min), start + 25min);
  EXPECT_EQ(held_by_events(runs.memory, start + 25min), Status::ok);
  EXPECT_EQ(runs.held({}, 26min), Status::ok);
  EXPECT_TRUE(runs.memory.rows.empty());
}

TEST(limits, every_row_is_judged_by_itself_and_the_worst_is_told) {
  Limit limit;
  limit.sample = "used";
  limit.unit = Unit::ratio;
  limit.warning = Threshold{0.8};
  limit.critical = Threshold{0.9};
  Runs runs(limit);
  const auto row = [](const char* mount, double value) { return Sample{"used", value, {}, {{"mount", mount}}}; };
  const Judged one = runs.run({row("/", 0.85), row("/data", 0.93), row("/home", 0.1)}, 0s);
  EXPECT_EQ(one.level, Status::critical);
  EXPECT_EQ(one.why, "used of /data is 93 % (limit 90 %)");
  const Judged three = runs.run({row("/", 0.91), row("/data", 0.93), row("/home", 0.99)}, 1s);
  EXPECT_EQ(three.why, "used of / is 91 % (limit 90 %), and 2 more");
}

TEST(limits, a_share_of_the_maximum_needs_one) {
  Limit limit = gauge({}, {});
  limit.critical = Threshold{.value = 0.95, .of_maximum = true};
  Runs runs(limit);
  EXPECT_EQ(runs.run({{"load", 96}}, 0s).level, Status::ok);
  EXPECT_EQ(runs.run({{"load", 96, 100}}, 0s).level, Status::critical);
  EXPECT_EQ(runs.run({{"load", 96, 0}}, 0s).level, Status::ok);
}

TEST(limits, rows_that_disappear_are_fine) {
  Limit limit = gauge({}, 5);
  limit.hold_for = 1min;
  Runs runs(limit);
  const std::vector<Sample> jobs = {{"load", 9, {}, {{"queue", "mail"}}}};
  runs.run(jobs, 0s);
  EXPECT_EQ(runs.run(jobs, 60s).level, Status::critical);
  EXPECT_EQ(runs.run({}, 70s).level, Status::ok);
  EXPECT_TRUE(runs.memory.rows.empty());
  EXPECT_EQ(runs.run(jobs, 80s).level, Status::ok) << "it starts anew";
}

TEST(limits, fifty_rows_are_remembered_and_no_more) {
  Limit limit = gauge({}, 5);
  limit.clear = Threshold{1};
  Runs runs(limit);
  std::vector<Sample> samples;
  for (int row = 0; row < 80; ++row) samples.push_back({"load", 9, {}, {{"row", std::to_string(row)}}});
  EXPECT_EQ(runs.run(samples, 0s).level, Status::critical);
  EXPECT_EQ(runs.memory.rows.size(), LimitMemory::rows_max);
  EXPECT_EQ(runs.run({samples.back()}, 1s).level, Status::critical) << "a row without memory is still judged";
}

TEST(limits, a_sample_with_words_of_its_own_says_them) {
  Runs runs(gauge(1, {}));
  const Sample down{.name = "load", .value = 1, .says = "worker_01 is STOPPED, 2 of 3 running"};
  EXPECT_EQ(runs.run({down}, 0s).why, "worker_01 is STOPPED, 2 of 3 running");
  Limit lasting = gauge(1, {});
  lasting.hold_for = 1min;
  Runs sustained(lasting);
  sustained.run({down}, 0s);
  EXPECT_EQ(sustained.run({down}, 60s).why, "worker_01 is STOPPED, 2 of 3 running for 1 min");
}

TEST(limits, over_a_window_the_figure_is_said) {
  Limit limit = gauge({}, {});
  limit.kind = SampleKind::counter;
  limit.warning = Threshold{3, false, 1h};
  Runs runs(limit);
  Sample restarts{.name = "load", .value = 10, .says = "restarted once"};
  runs.run({restarts}, 0s);
  restarts.value = 14;
  EXPECT_EQ(runs.run({restarts}, 60s).why, "load 4 in 1 h (limit 3)");
}

TEST(limits, numbers_that_are_none_are_ignored) {
  Runs runs(gauge(5, 10));
  EXPECT_EQ(runs.level(std::numeric_limits<double>::quiet_NaN(), 0s), Status::ok);
  EXPECT_EQ(runs.level(std::numeric_limits<double>::infinity(), 0s), Status::ok);
}

}  // namespace
}  // namespace vitald::alerting
