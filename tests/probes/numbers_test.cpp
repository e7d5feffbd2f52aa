#include "probes/numbers.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vitald::probes {
namespace {

using namespace std::chrono_literals;

TEST(Numbers, AWordIsANumberAsAWholeAndFiniteOrNotAtAll) {
  EXPECT_EQ(to_number("12.5"), 12.5);
  EXPECT_EQ(to_number("-1e3"), -1000);
  for (const auto* none : {"", " 1", "1 ", "nan", "inf", "-inf", "1e999", "0x10", "one"})
    EXPECT_FALSE(to_number(none)) << none;
}

TEST(Numbers, NoLengthOverflowsAClock) {
  EXPECT_EQ(length_of(1.5), 1500ms);
  EXPECT_EQ(length_of(-2), -2s);
  const Duration longest = length_of(std::numeric_limits<double>::infinity());
  EXPECT_EQ(longest, length_of(1e300));
  EXPECT_GT(longest, 24h * 365 * 99);
  EXPECT_EQ(length_of(-1e300), -longest);
  EXPECT_EQ(length_of(std::numeric_limits<double>::quiet_NaN()), 0s);
}

TEST(Numbers, AreFollowedByTheirNoun) {
  EXPECT_EQ(say_count(std::int64_t{1}, "job"), "1 job");
  EXPECT_EQ(say_count(std::int64_t{0}, "job"), "0 jobs");
  EXPECT_EQ(say_count(1.0, "session"), "1 session");
  EXPECT_EQ(say_count(2.0, "session"), "2 sessions");
}

}  // namespace
}  // namespace vitald::probes
