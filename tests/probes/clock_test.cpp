#include "probes/clock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

TEST(ClockParse, TakesWhetherItMustBeInStep) {
  EXPECT_TRUE(parse_yaml(clock::parse, "{}").config.synchronised);
  EXPECT_FALSE(parse_yaml(clock::parse, "synchronised: false").config.synchronised);
  EXPECT_THAT(parse_yaml(clock::parse, "synchronised: maybe").problems, HasSubstr("expected true or false"));
}

TEST(ClockJudge, SaysHowWrongItMayBe) {
  const auto seen = clock::judge(
      {}, {.synchronised = true, .offset = -0.002, .error = 0.001, .maximum_error = 0.25, .frequency = 12.5});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "synchronised, at most 250 ms off");
  EXPECT_EQ(find_sample_of(seen, "synchronised"), 1);
  EXPECT_EQ(find_sample_of(seen, "offset"), 0.002);
  EXPECT_EQ(find_sample_of(seen, "maximum_error"), 0.25);
  EXPECT_EQ(find_sample_of(seen, "estimated_error"), 0.001);
  EXPECT_EQ(find_sample_of(seen, "frequency"), 12.5);
}

TEST(ClockJudge, AClockThatNothingKeepsIsWrongUnlessThatIsAllowed) {
  const clock::Facts facts{.maximum_error = 16};
  const auto seen = clock::judge({}, facts);
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "not_synchronised");
  EXPECT_FALSE(seen.remedy.empty());
  EXPECT_EQ(find_sample_of(seen, "synchronised"), 0);
  EXPECT_EQ(find_sample_of(seen, "maximum_error"), std::nullopt);  // what it says then is not true
  EXPECT_EQ(clock::judge({.synchronised = false}, facts).outcome, Outcome::answered);
}

TEST(ClockRun, AsksThisKernel) {
  Surroundings around;
  const auto facts = around.run(clock::run, clock::Config{});
  EXPECT_GE(facts.maximum_error, 0);
}

}  // namespace
}  // namespace vitald::probes
