#include "config/trend.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <vector>

namespace vitald {
namespace {

std::vector<TrendPoint> line(std::initializer_list<double> values) {
  std::vector<TrendPoint> points;
  for (const double value : values) points.push_back({static_cast<double>(points.size()), value});
  return points;
}

TEST(Trend, is_the_slope_of_a_line) {
  EXPECT_DOUBLE_EQ(slope(line({0, 2, 4, 6, 8, 10}), Direction::rising).value_or(0), 2);
  EXPECT_DOUBLE_EQ(slope(line({9, 8, 7, 6, 5, 4}), Direction::falling).value_or(0), -1);
}

TEST(Trend, is_not_bent_by_a_few_odd_points) {
  EXPECT_DOUBLE_EQ(slope(line({0, 1, 2, 300, 4, 5, 6, 7, 8}), Direction::rising).value_or(0), 1);
}

TEST(Trend, needs_points_that_plainly_go_one_way) {
  EXPECT_FALSE(slope(line({0, 1, 2, 3, 4}), Direction::rising)) << "too few";
  EXPECT_FALSE(slope(line({5, 5, 5, 5, 5, 5, 5}), Direction::rising));
  EXPECT_FALSE(slope(line({0, 1, 2, 3, 4, 5}), Direction::falling));
  EXPECT_FALSE(slope(line({0, 9, 0, 9, 0, 9, 0, 9}), Direction::rising));
  EXPECT_FALSE(slope(line({10, 0, 11, 1, 12, 2, 13, 3}), Direction::rising)) << "18 pairs of 28";
  EXPECT_FALSE(slope({}, Direction::rising));
  const std::vector<TrendPoint> at_once(8, TrendPoint{1, 2});
  EXPECT_FALSE(slope(at_once, Direction::rising));
}

TEST(Trend, of_a_line_with_noise_is_near_the_line) {
  const auto seed = std::random_device{}();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0, 1);
  for (int round = 0; round < 200; ++round) {
    std::vector<TrendPoint> points;
    for (int at = 0; at < 24; ++at) points.push_back({static_cast<double>(at), 2.0 * at + noise(random)});
    const auto found = slope(points, Direction::rising);
    ASSERT_TRUE(found);
    EXPECT_NEAR(*found, 2, 0.4);
    EXPECT_FALSE(slope(points, Direction::falling));
  }
}

}  // namespace
}  // namespace vitald
