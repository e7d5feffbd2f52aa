#include "probes/swap.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr auto meminfo = "MemTotal: 16777216 kB\nSwapTotal: 6291456 kB\nSwapFree: 1572864 kB\n";

TEST(SwapParse, HasNoOptions) { EXPECT_EQ(parse_yaml(swap::parse, "{}").problems, ""); }

TEST(SwapRun, SaysHowMuchIsInUseAndWhatGoesInAndOut) {
  Surroundings around;
  around.folder.write("/proc/meminfo", meminfo);
  around.folder.write("/proc/vmstat", "pgpgin 5\npswpin 10\npswpout 20\n");
  const auto seen = swap::judge({}, around.run(swap::run, swap::Config{}));
  EXPECT_EQ(seen.summary, "4.5 GiB of 6 GiB of swap in use");
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "used"), 0.75);
  EXPECT_EQ(find_sample_of(seen, "total"), 6291456.0 * 1024);
  EXPECT_EQ(find_sample_of(seen, "read"), 10.0 * static_cast<double>(sysconf(_SC_PAGESIZE)));
  EXPECT_EQ(find_sample_of(seen, "written"), 20.0 * static_cast<double>(sysconf(_SC_PAGESIZE)));
}

TEST(SwapRun, AHostWithoutSwapHasNoShareOfItInUse) {
  Surroundings around;
  around.folder.write("/proc/meminfo", "SwapTotal: 0 kB\nSwapFree: 0 kB\n");
  const auto seen = swap::judge({}, around.run(swap::run, swap::Config{}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "no swap");
  EXPECT_EQ(find_sample_of(seen, "used"), std::nullopt);
  EXPECT_EQ(find_sample_of(seen, "total"), 0);
  EXPECT_EQ(find_sample_of(seen, "read"), std::nullopt);
}

TEST(SwapRun, AContainersLimitIsItsSwap) {
  Surroundings around;
  around.folder.write("/proc/meminfo", meminfo);
  around.folder.write("/sys/fs/cgroup/memory.swap.max", "1073741824\n");
  around.folder.write("/sys/fs/cgroup/memory.swap.current", "536870912\n");
  auto seen = swap::judge({}, around.run(swap::run, swap::Config{}));
  EXPECT_EQ(seen.summary, "512 MiB of 1 GiB of swap in use in this container");
  around.folder.write("/sys/fs/cgroup/memory.swap.max", "0\n");
  seen = swap::judge({}, around.run(swap::run, swap::Config{}));
  EXPECT_EQ(seen.summary, "no swap in this container");
  around.folder.write("/sys/fs/cgroup/memory.swap.max", "max\n");
  seen = swap::judge({}, around.run(swap::run, swap::Config{}));
  EXPECT_EQ(seen.summary, "4.5 GiB of 6 GiB of swap in use");
}

TEST(SwapRun, WithoutItsFieldsNothingIsMeasured) {
  Surroundings around;
  EXPECT_THROW(around.run(swap::run, swap::Config{}), ProbeFailure);
  around.folder.write("/proc/meminfo", "MemTotal: 5 kB\n");
  EXPECT_THROW(around.run(swap::run, swap::Config{}), ProbeFailure);
}

TEST(SwapRun, WorksOnThisHost) {
  Surroundings around;
  around.host.root = "";
  EXPECT_TRUE(around.run(swap::run, swap::Config{}).in);
}

}  // namespace
}  // namespace vitald::probes
