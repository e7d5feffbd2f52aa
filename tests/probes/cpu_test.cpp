#include "probes/cpu.hpp"

#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using namespace std::chrono_literals;
using vitald::testing::find_evidence;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

//                       user nice system idle iowait irq softirq steal guest guest_nice
constexpr auto before = "cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 50 0 25 400 25 0 0 0 0 0\nbtime 1\n";
constexpr auto after = "cpu  400 50 130 1250 100 10 10 50 300 0\ncpu0 50 0 25 400 25 0 0 0 0 0\nbtime 1\n";

struct CpuTest : ::testing::Test {
  Observation once() {
    const auto facts = around.run(cpu::run, cpu::Config{});
    auto seen = cpu::judge({}, facts);
    around.memory = seen.memory.value_or(around.memory);
    return seen;
  }
  void group(const std::string& used, const std::string& periods, const std::string& held_back) const {
    around.folder.write("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    around.folder.write("/sys/fs/cgroup/cpu.stat", "usage_usec " + used + "\nuser_usec 1\nnr_periods " + periods +
                                                       "\nnr_throttled " + held_back + "\nthrottled_usec 5\n");
  }
  Surroundings around;
};

TEST(CpuParse, HasNoOptions) { EXPECT_EQ(parse_yaml(cpu::parse, "{}").problems, ""); }

TEST_F(CpuTest, SaysHowBusyItWasBetweenTwoRuns) {
  around.folder.write("/proc/stat", before);
  around.folder.write("/sys/devices/system/cpu/online", "0-1,3\n");
  const auto first = once();
  EXPECT_EQ(first.outcome, Outcome::answered);
  EXPECT_EQ(find_sample_of(first, "busy"), std::nullopt);
  EXPECT_EQ(first.summary, "3 cores; the next run tells how busy");
  around.folder.write("/proc/stat", after);
  const auto second = once();
  EXPECT_DOUBLE_EQ(*find_sample_of(second, "busy"), 0.5);  // of 1000 ticks 450 were idle and 50 waited
  EXPECT_DOUBLE_EQ(*find_sample_of(second, "user"), 0.35);
  EXPECT_DOUBLE_EQ(*find_sample_of(second, "system"), 0.1);
  EXPECT_DOUBLE_EQ(*find_sample_of(second, "iowait"), 0.05);
  EXPECT_DOUBLE_EQ(*find_sample_of(second, "steal"), 0.05);
  EXPECT_EQ(find_sample_of(second, "cores"), 3);
  EXPECT_EQ(second.summary, "50 % busy, 3 cores");
}

TEST_F(CpuTest, AfterARebootItBeginsAnew) {
  around.folder.write("/proc/stat", after);
  once();
  around.folder.write("/proc/stat", before);
  EXPECT_EQ(find_sample_of(once(), "busy"), std::nullopt);
}

TEST_F(CpuTest, IowaitAndIdleMayShrink) {
  around.folder.write("/proc/stat", before);
  once();
  around.folder.write("/proc/stat", "cpu  200 0 50 790 10 0 0 0 0 0\n");
  const auto seen = once();
  EXPECT_EQ(find_sample_of(seen, "busy"), 1);
  EXPECT_EQ(find_sample_of(seen, "iowait"), 0);
}

TEST_F(CpuTest, WithoutATickThereIsNothingToSay) {
  around.folder.write("/proc/stat", before);
  once();
  EXPECT_EQ(find_sample_of(once(), "busy"), std::nullopt);
}

TEST_F(CpuTest, AMemoryOfSomethingElseIsNone) {
  around.folder.write("/proc/stat", after);
  around.memory = "user x\nnice -\n garbage";
  EXPECT_EQ(find_sample_of(once(), "busy"), std::nullopt);
}

TEST_F(CpuTest, WhereMuchIsInUseTheBusiestAreNamed) {
  const auto process = [&](int pid, const std::string& name, int ticks) {
    around.folder.write("/proc/" + std::to_string(pid) + "/stat",
                        std::to_string(pid) + " (" + name + ") R 1 1 1 0 -1 4194560 1 1 1 1 " + std::to_string(ticks) +
                            " 0 0 0 20 0 1 0 77 1 1 1 1 1 0 0 0\n");
  };
  const auto busy_for = [&](int ticks) {
    around.folder.write("/proc/stat", "cpu  " + std::to_string(ticks) + " 0 0 100 0 0 0 0 0 0\n");
    around.clock.at.steady += 10s;
  };
  process(1, "init", 50);
  process(812, "ffmpeg", 1000);
  busy_for(0);
  once();
  EXPECT_TRUE(around.workers.keys.empty());
  busy_for(1000);
  EXPECT_EQ(find_evidence(once(), "busiest processes"), "");  // the first look
  process(812, "ffmpeg", 2500);
  process(900, "php", 100);
  busy_for(2000);
  EXPECT_EQ(find_evidence(once(), "busiest processes"),
            "150 % of a core ffmpeg (pid 812)\n10 % of a core php (pid 900)");
}

TEST_F(CpuTest, AContainersQuotaIsItsCpu) {
  around.folder.write("/proc/stat", before);
  group("1000000", "100", "10");
  once();
  around.folder.write("/proc/stat", after);
  around.clock.at.steady += 10s;
  group("13000000", "200", "50");  // 12 s of the 15 s that 1.5 cores have in 10 s
  const auto seen = once();
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "busy"), 0.8);
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "throttled"), 0.4);
  EXPECT_EQ(find_sample_of(seen, "steal"), std::nullopt);
  EXPECT_EQ(find_sample_of(seen, "cores"), 1.5);
  EXPECT_EQ(seen.summary, "80 % of this container's quota of 1.5 cores in use, held back in 40 % of the time slices");
}

TEST_F(CpuTest, ANewContainerBeginsAnew) {
  around.folder.write("/proc/stat", before);
  group("13000000", "200", "50");
  once();
  around.clock.at.steady += 10s;
  group("1000000", "100", "10");
  EXPECT_EQ(find_sample_of(once(), "busy"), std::nullopt);
}

TEST_F(CpuTest, AnOldContainersQuotaToo) {
  around.folder.write("/proc/stat", before);
  around.folder.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  around.folder.write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  around.folder.write("/sys/fs/cgroup/cpu/cpu.stat", "nr_periods 1\nnr_throttled 1\n");
  around.folder.write("/sys/fs/cgroup/cpuacct/cpuacct.usage", "1000000000\n");
  once();
  around.clock.at.steady += 10s;
  around.folder.write("/sys/fs/cgroup/cpuacct/cpuacct.usage", "3500000000\n");
  EXPECT_DOUBLE_EQ(*find_sample_of(once(), "busy"), 0.5);
  around.folder.write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(find_sample_of(once(), "cores"), 1);  // no quota, and nobody says how many there are
}

TEST_F(CpuTest, WhatIsNoStatIsUnmeasured) {
  for (const auto* text : {"", "cpu 1 2 3\n", "cpu0 1 2 3 4 5 6 7 8\n", "cpu 1 2 3 4 5 6 7 x\n", "intr 5\n"}) {
    EXPECT_THROW(cpu::parse_stat(text), ProbeFailure) << text;
  }
}

TEST_F(CpuTest, WorksOnThisHost) {
  around.host.root = "";
  EXPECT_GE(*find_sample_of(once(), "cores"), 0.01);
}

}  // namespace
}  // namespace vitald::probes
