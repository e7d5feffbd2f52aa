#include "alerting/derive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <deque>
#include <limits>
#include <random>

#include "alerting/limits.hpp"
#include "alerting/limits_record.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using ::testing::SizeIs;

const Steady start{1000h};

Limit share(Duration over, double at_least = 0) {
  const SampleKind kind = over > Duration::zero() ? SampleKind::counter : SampleKind::gauge;
  Limit limit{.sample = "errors / requests", .critical = Threshold{0.05}, .unit = Unit::ratio};
  limit.derived = Derived{.how = Derived::How::ratio,
                          .of = "errors",
                          .whole = "requests",
                          .of_kind = kind,
                          .whole_kind = kind,
                          .at_least = at_least,
                          .over = over};
  return limit;
}

Limit reaches(double target, bool falling = false, Duration over = 4h) {
  Limit limit{.sample = "used reaches 95%", .below = true, .unit = Unit::seconds};
  limit.critical = Threshold{4 * 3600.0};
  limit.derived =
      Derived{.how = Derived::How::trend, .of = "used", .target = Threshold{target}, .falling = falling, .over = over};
  return limit;
}

struct Runs {
  explicit Runs(Limit one) : limits{std::move(one)} {}

  Judged judge(std::vector<Sample> samples, Duration at) {
    return judge_limits(limits, memory, samples, true, start + at, start + at);
  }
  std::vector<Sample> made(const std::vector<Sample>& samples, Duration at) {
    return derive(limits, memory.derived, samples, start + at).samples;
  }
  std::optional<double> value(const std::vector<Sample>& samples, Duration at) {
    const auto all = made(samples, at);
    return all.empty() ? std::nullopt : std::optional(all.front().value);
  }

  std::vector<Limit> limits;
  LimitMemory memory;
};

TEST(derive, share_of_levels_is_taken_as_it_is) {
  Runs runs(share(Duration::zero()));
  EXPECT_EQ(runs.value({{"errors", 1}, {"requests", 4}}, 0s), 0.25);
  EXPECT_FALSE(runs.value({{"errors", 1}, {"requests", 0}}, 1s)) << "of nothing there is no share";
  EXPECT_FALSE(runs.value({{"errors", 1}}, 2s));
  EXPECT_FALSE(runs.value({{"requests", 1}}, 3s));
  EXPECT_FALSE(runs.value({{"errors", 1}, {"requests", std::numeric_limits<double>::quiet_NaN()}}, 4s));
  EXPECT_TRUE(runs.memory.derived.rows.empty());
}

TEST(derive, share_of_counters_is_that_of_their_growth) {
  Runs runs(share(10min));
  EXPECT_FALSE(runs.value({{"errors", 500}, {"requests", 600}}, 0min)) << "what was before the first run is not known";
  EXPECT_DOUBLE_EQ(runs.value({{"errors", 510}, {"requests", 800}}, 1min).value_or(0), 10.0 / 200);
  EXPECT_DOUBLE_EQ(runs.value({{"errors", 510}, {"requests", 1000}}, 2min).value_or(0), 10.0 / 400);
  EXPECT_DOUBLE_EQ(runs.value({{"errors", 5}, {"requests", 100}}, 3min).value_or(0), 15.0 / 500) << "after a restart";
  EXPECT_DOUBLE_EQ(runs.value({{"errors", 5}, {"requests", 150}}, 14min).value_or(1), 0) << "the rest is too old";
}

TEST(derive, a_small_denominator_says_nothing) {
  Runs runs(share(10min, 100));
  runs.judge({{"errors", 0}, {"requests", 0}}, 0min);
  EXPECT_EQ(runs.judge({{"errors", 99}, {"requests", 99}}, 1min).level, Status::ok);
  const Judged judged = runs.judge({{"errors", 99}, {"requests", 110}}, 2min);
  EXPECT_EQ(judged.level, Status::critical);
  EXPECT_EQ(judged.why, "errors are 90 % of requests in 10 min (limit 5 %)");
  EXPECT_TRUE(judged.remembers);
}

TEST(derive, each_row_has_its_own_share) {
  Runs runs(share(Duration::zero()));
  const Labels a{{"queue", "a"}}, b{{"queue", "b"}};
  const auto own =
      runs.made({{"errors", 1, {}, a}, {"errors", 3, {}, b}, {"requests", 2, {}, a}, {"requests", 4, {}, b}}, 0s);
  ASSERT_THAT(own, SizeIs(2));
  EXPECT_EQ(own[0].value, 0.5);
  EXPECT_EQ(own[1].value, 0.75);
  EXPECT_EQ(own[1].labels, b);
  const auto shared = runs.made({{"errors", 1, {}, a}, {"errors", 3, {}, b}, {"requests", 4}}, 1s);
  ASSERT_THAT(shared, SizeIs(2));
  EXPECT_EQ(shared[0].value, 0.25);
}

TEST(derive, a_level_that_grows_says_when_it_is_there) {
  Runs runs(reaches(0.95));
  std::optional<double> left;
  for (int minutes = 0; minutes <= 40; minutes += 10)
    EXPECT_FALSE(runs.value({{"used", 0.5 + minutes * 0.001}}, std::chrono::minutes(minutes))) << "five points";
  for (int minutes = 50; minutes <= 60; minutes += 10)
    left = runs.value({{"used", 0.5 + minutes * 0.001}}, std::chrono::minutes(minutes));
  ASSERT_TRUE(left);
  EXPECT_NEAR(*left, (0.95 - 0.56) / 0.001 * 60, 1);
  const Judged judged = runs.judge({{"used", 0.57, {}, {}}}, 70min);
  EXPECT_EQ(judged.level, Status::ok) << "more than four hours";
  for (int minutes = 80; minutes <= 250; minutes += 10)
    runs.judge({{"used", 0.5 + minutes * 0.001}}, std::chrono::minutes(minutes));
  const Judged soon = runs.judge({{"used", 0.76}}, 260min);
  EXPECT_EQ(soon.level, Status::critical);
  EXPECT_EQ(soon.why, "used reaches 95% in 3 h 10 min at its present pace (limit 4 h)");
  EXPECT_EQ(runs.judge({{"used", 0.95}}, 270min).why, "used has reached 95% (limit 4 h)");
}

TEST(derive, what_does_not_move_says_nothing) {
  Runs runs(reaches(0.95));
  for (int minutes = 0; minutes < 600; minutes += 5)
    EXPECT_FALSE(runs.value({{"used", 0.5 + (minutes % 10) * 0.01}}, std::chrono::minutes(minutes)));
  Runs drifts(reaches(0.95));
  for (int minutes = 0; minutes < 200; minutes += 10)
    EXPECT_FALSE(
        drifts.value({{"used", 0.5 + minutes * 0.0001 - (minutes % 20) * 0.01}}, std::chrono::minutes(minutes)))
        << "most points lie above the earlier ones, but not plainly enough";
  Runs slow(reaches(0.95));
  for (int minutes = 0; minutes < 600; minutes += 5)
    EXPECT_FALSE(slow.value({{"used", 0.5 + minutes * 1e-9}}, std::chrono::minutes(minutes))) << "in centuries";
}

TEST(derive, what_falls_comes_from_above) {
  Runs runs(reaches(10, true, 30min));
  std::optional<double> left;
  for (int minutes = 0; minutes <= 10; ++minutes)
    left = runs.value({{"used", 100.0 - minutes}}, std::chrono::minutes(minutes));
  ASSERT_TRUE(left);
  EXPECT_NEAR(*left, 80 * 60, 1);
  EXPECT_EQ(runs.value({{"used", 9}}, 11min), 0);
}

TEST(derive, a_share_of_the_maximum_is_a_target_too) {
  Limit limit = reaches(0.9);
  limit.derived->target.of_maximum = true;
  Runs runs(limit);
  EXPECT_EQ(runs.value({{"used", 180, 200}}, 0s), 0);
  EXPECT_FALSE(runs.value({{"used", 180}}, 1s)) << "no maximum";
}

TEST(derive, memory_has_a_bound) {
  Runs runs(reaches(1e6));
  for (int round = 0; round < 300; ++round) {
    std::vector<Sample> samples;
    for (int row = 0; row < 60; ++row) samples.push_back({"used", round * 1.0, {}, {{"row", std::to_string(row)}}});
    runs.made(samples, std::chrono::minutes(round));
  }
  EXPECT_EQ(runs.memory.derived.rows.size(), DerivedMemory::rows_max);
  for (const DerivedRow& row : runs.memory.derived.rows) EXPECT_LE(row.points.size(), DerivedRow::points_max);
}

TEST(derive, rows_that_are_gone_make_room) {
  Runs runs(share(10min));
  for (int row = 0; row < 200; ++row)
    runs.made({{"errors", 1, {}, {{"row", std::to_string(row)}}}, {"requests", 1}}, std::chrono::seconds(row));
  EXPECT_EQ(runs.memory.derived.rows.size(), DerivedMemory::rows_max);
  EXPECT_EQ(runs.memory.derived.rows.back().labels.front().second, "199");
}

TEST(derive, a_restart_forgets_nothing) {
  Runs ratio(share(10min)), trend(reaches(0.95));
  for (int minutes = 0; minutes <= 60; minutes += 5) {
    ratio.judge({{"errors", minutes * 1.0}, {"requests", minutes * 10.0}}, std::chrono::minutes(minutes));
    trend.judge({{"used", minutes * 0.001}}, std::chrono::minutes(minutes));
  }
  const Now then{start + 60min, Wall{500h}}, later{Steady{7h}, Wall{500h} + 2min};
  for (Runs* runs : {&ratio, &trend}) {
    Json record = Json::object();
    add_rows(record, runs->memory, Ages(then), 60'000);
    LimitMemory read;
    read_rows(record, Ages(later, then.wall), read);
    runs->memory = read;
  }
  const auto at = [&](Duration after) { return Steady{7h} - start + after; };
  EXPECT_DOUBLE_EQ(ratio.value({{"errors", 60}, {"requests", 700}}, at(0s)).value_or(0), 10.0 / (100 + 100));
  EXPECT_TRUE(trend.value({{"used", 0.062}}, at(0s)));
}

TEST(derive, what_is_no_record_is_none) {
  LimitMemory memory;
  const Json record = Json::parse(
      R"({"derived":[1,{},{"sample":5,"points":[1,[2],["x",1],[5,6,7]]},{"points":[[10,1.5],[5,2.5],[7,3]]}]})");
  read_rows(record, Ages(Now{Steady{1h}, Wall{1h}}, Wall{1h}), memory);
  ASSERT_EQ(memory.derived.rows.size(), 3u);
  EXPECT_EQ(memory.derived.rows.back().points.size(), 2u) << "in the order of time only";
}

TEST(derive, a_reload_forgets_what_nobody_asks_for) {
  Runs runs(share(10min));
  runs.made({{"errors", 1}, {"requests", 1}}, 0s);
  runs.made({{"errors", 2}, {"requests", 2}}, 1s);
  adopt_limits(runs.memory, runs.limits);
  EXPECT_FALSE(runs.memory.derived.rows.front().part.buckets.empty());
  runs.limits.front().derived->over = 5min;
  adopt_limits(runs.memory, runs.limits);
  EXPECT_TRUE(runs.memory.derived.rows.front().part.buckets.empty()) << "another window";
  runs.limits.clear();
  adopt_limits(runs.memory, runs.limits);
  EXPECT_TRUE(runs.memory.derived.rows.empty());
}

/// Against a window that keeps everything.
TEST(derive, share_at_random_is_that_of_all_growth_in_the_window) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const auto upto = [&](int most) { return std::uniform_int_distribution<int>(0, most)(random); };
  for (int world = 0; world < 50; ++world) {
    Runs runs(share(60s));
    double errors = upto(1000), requests = upto(1000);
    runs.value({{"errors", errors}, {"requests", requests}}, 0s);
    std::deque<std::tuple<Duration, double, double>> all;
    Duration at{};
    for (int run = 0; run < 200; ++run) {
      at += std::chrono::seconds(1 + upto(9));
      const bool restarted = upto(20) == 0;
      if (restarted) errors = requests = 0;
      const double more = upto(3), more_of_all = more + upto(50);
      errors += more;
      requests += more_of_all;
      all.emplace_back(at, more, more_of_all);
      while (std::get<0>(all.front()) <= at - 60s) all.pop_front();
      double part = 0, whole = 0;
      for (const auto& [when, one, other] : all) part += one, whole += other;
      const auto found = runs.value({{"errors", errors}, {"requests", requests}}, at);
      // A restart is seen only by a smaller value than before.
      if (restarted) break;
      ASSERT_EQ(found.has_value(), whole > 0);
      if (found) {
        ASSERT_NEAR(*found, part / whole, 0.02 + 2.0 / whole);
      }
    }
  }
}

TEST(missing, is_what_the_limit_says) {
  Limit limit{.sample = "pending", .warning = Threshold{500}, .missing = Status::critical};
  Runs runs(limit);
  EXPECT_EQ(runs.judge({{"pending", 3}}, 0s).level, Status::ok);
  const Judged judged = runs.judge({{"other", 3}}, 1s);
  EXPECT_EQ(judged.level, Status::critical);
  EXPECT_EQ(judged.why, "the answer has no 'pending'");
  EXPECT_EQ(runs.judge({{"pending", std::numeric_limits<double>::quiet_NaN()}}, 2s).level, Status::critical);
  EXPECT_EQ(judge_limits(runs.limits, runs.memory, {}, false, start + 3s, start).level, Status::ok)
      << "a target that did not answer has its own verdict";
  EXPECT_EQ(runs.judge({{"pending", 3, {}, {{"queue", "a"}}}}, 4s).level, Status::ok) << "any row will do";
}

TEST(missing, may_have_to_last) {
  Limit limit{.sample = "pending", .critical = Threshold{500}, .hold_for = 5min, .missing = Status::warning};
  Runs runs(limit);
  EXPECT_EQ(runs.judge({}, 0min).level, Status::ok);
  EXPECT_EQ(runs.judge({}, 4min).level, Status::ok);
  EXPECT_EQ(runs.judge({{"pending", 3}}, 5min).level, Status::ok);
  EXPECT_EQ(runs.judge({}, 6min).level, Status::ok);
  const Judged judged = runs.judge({}, 11min);
  EXPECT_EQ(judged.level, Status::warning);
  EXPECT_EQ(judged.why, "the answer has no 'pending' for 5 min");
  limit.over = 1h;
  Runs growth(limit);
  EXPECT_EQ(growth.judge({}, 0min).level, Status::ok);
  EXPECT_EQ(growth.judge({}, 6min).why, "the answer has no 'pending' for 5 min");
}

}  // namespace
}  // namespace vitald::alerting
