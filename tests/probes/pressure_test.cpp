#include "probes/pressure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using vitald::testing::find_evidence;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr auto memory_stall =
    "some avg10=37.78 avg60=31.00 avg300=11.86 total=48592885\nfull avg10=12.00 avg60=10.50 avg300=1.00 total=4\n";

TEST(PressureParse, HasNoOptions) { EXPECT_EQ(parse_yaml(pressure::parse, "{}").problems, ""); }

TEST(PressureText, IsReadAsShares) {
  const auto stall = pressure::parse_stall(memory_stall);
  ASSERT_TRUE(stall && stall->full);
  EXPECT_DOUBLE_EQ(stall->some[0], 0.3778);
  EXPECT_DOUBLE_EQ(stall->some[2], 0.1186);
  EXPECT_DOUBLE_EQ((*stall->full)[1], 0.105);
}

TEST(PressureText, OldKernelsHaveNoFullLineForTheCpu) {
  const auto stall = pressure::parse_stall("some avg10=1.00 avg60=2.00 avg300=3.00 total=4\n");
  ASSERT_TRUE(stall);
  EXPECT_FALSE(stall->full);
}

TEST(PressureText, NonsenseIsNone) {
  for (const auto* text : {"", "some\n", "some avg10=x avg60=1 avg300=1 total=1\n",
                           "some avg60=1 avg10=1 avg300=1 t=1\n", "full avg10=1.00 avg60=2.00 avg300=3.00 total=4\n"}) {
    EXPECT_FALSE(pressure::parse_stall(text)) << text;
  }
}

TEST(PressureRun, SaysWhoWaitedHowMuch) {
  Surroundings around;
  around.folder.write("/proc/pressure/cpu", "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\n");
  around.folder.write("/proc/pressure/memory", memory_stall);
  const auto seen = pressure::judge({}, around.run(pressure::run, pressure::Config{}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "waiting in the last minute: cpu 2 %, memory 31 %");
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "cpu_some_avg300"), 0.03);
  EXPECT_EQ(find_sample_of(seen, "cpu_full_avg10"), std::nullopt);
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "memory_full_avg60"), 0.105);
  EXPECT_EQ(seen.samples.at(7).says, "all programs at once waited for memory in 10.5 % of the last minute");
  EXPECT_EQ(find_sample_of(seen, "io_some_avg10"), std::nullopt);
  EXPECT_EQ(find_evidence(seen, "memory"), "somebody waited 31 % of the last minute, everybody at once 10.5 %");
}

TEST(PressureRun, EachRowOfTheTableIsMadeAndNoOther) {
  Surroundings around;
  for (const auto* resource : {"cpu", "memory", "io"})
    around.folder.write(std::string("/proc/pressure/") + resource, memory_stall);
  const auto seen = pressure::judge({}, around.run(pressure::run, pressure::Config{}));
  ASSERT_EQ(seen.samples.size(), pressure::samples.size());
  for (std::size_t i = 0; i < seen.samples.size(); ++i) EXPECT_EQ(seen.samples[i].name, pressure::samples[i].name);
}

TEST(PressureRun, AContainersPressureIsItsOwn) {
  Surroundings around;
  around.folder.write("/sys/fs/cgroup/cgroup.events", "populated 1\nfrozen 0\n");
  around.folder.write("/sys/fs/cgroup/memory.pressure", memory_stall);
  around.folder.write("/proc/pressure/memory", "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\n");
  const auto seen = pressure::judge({}, around.run(pressure::run, pressure::Config{}));
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "memory_some_avg60"), 0.31);
  EXPECT_THAT(seen.summary, HasSubstr("this container"));
}

TEST(PressureRun, AKernelThatDoesNotMeasureIsUnmeasured) {
  Surroundings around;
  const auto seen = pressure::judge({}, around.run(pressure::run, pressure::Config{}));
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "no_psi");
  EXPECT_THAT(seen.remedy, HasSubstr("psi=1"));
}

}  // namespace
}  // namespace vitald::probes
