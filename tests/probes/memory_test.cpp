#include "probes/memory.hpp"

#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr std::uint64_t gib = std::uint64_t{1} << 30;
constexpr auto meminfo =
    "MemTotal:       16777216 kB\nMemFree:         1048576 kB\nMemAvailable:    4194304 kB\n"
    "SwapCached:            0 kB\nSwapTotal:       6291452 kB\nSwapFree:        3145726 kB\n";

double value(const Observation& seen, std::string_view name) {
  for (const Sample& sample : seen.samples) {
    if (sample.name == name) return sample.value;
  }
  return -1;
}

TEST(Meminfo, IsReadInBytes) {
  const auto facts = memory::parse_meminfo(meminfo);
  EXPECT_EQ(facts.total, 16 * gib);
  EXPECT_EQ(facts.available, 4 * gib);
  EXPECT_EQ(facts.swap_total, 6 * gib - 4096);
}

TEST(Meminfo, WithoutItsFieldsNothingIsMeasured) {
  for (const auto* text :
       {"", "MemTotal: 5 kB\n", "MemTotal: many kB\nMemAvailable: 1 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB"}) {
    EXPECT_THROW(memory::parse_meminfo(text), ProbeFailure) << text;
  }
}

TEST(MemoryJudge, SaysWhatIsAvailable) {
  const auto seen = memory::judge({}, memory::parse_meminfo(meminfo));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "4 GiB of 16 GiB available");
  EXPECT_DOUBLE_EQ(value(seen, "available"), static_cast<double>(4 * gib));
  EXPECT_DOUBLE_EQ(value(seen, "used"), 0.75);
  EXPECT_DOUBLE_EQ(value(seen, "swap_used"), 0.5);
  EXPECT_EQ(seen.samples.at(0).maximum, static_cast<double>(16 * gib));
}

TEST(MemoryJudge, AHostWithoutSwapHasNoShareOfItInUse) {
  const auto seen = memory::judge({}, {.total = gib, .available = gib});
  EXPECT_EQ(value(seen, "swap_used"), -1);
  EXPECT_EQ(value(seen, "swap_total"), 0);
  EXPECT_EQ(seen.outcome, Outcome::answered);
}

TEST(MemoryJudge, MissesTheSwapThatItWasTold) {
  const auto config = parse_yaml(memory::parse, "swap: 6GiB").config;
  const auto missing = memory::judge(config, {.total = gib, .available = gib});
  EXPECT_EQ(missing.outcome, Outcome::wrong);
  EXPECT_EQ(missing.reason, "swap_missing");
  EXPECT_EQ(missing.summary, "swap is missing, expected 6 GiB");
  const auto small = memory::judge(config, {.total = gib, .available = gib, .swap_total = 2 * gib, .swap_free = gib});
  EXPECT_EQ(small.reason, "swap_small");
  EXPECT_EQ(small.summary, "swap is 2 GiB, expected 6 GiB");
  EXPECT_EQ(memory::judge(config, memory::parse_meminfo(meminfo)).outcome,
            Outcome::answered);  // a page less is the header
}

TEST(MemoryRun, AContainersLimitIsItsMemory) {
  Surroundings around;
  around.folder.write("/proc/meminfo", meminfo);
  around.folder.write("/sys/fs/cgroup/memory.max", "1073741824\n");
  around.folder.write("/sys/fs/cgroup/memory.current", "805306368\n");
  around.folder.write("/sys/fs/cgroup/memory.stat", "anon 1\ninactive_file 268435456\nactive_file 3\n");
  const auto facts = around.run(memory::run, memory::Config{});
  EXPECT_TRUE(facts.container);
  EXPECT_EQ(facts.total, gib);
  EXPECT_EQ(facts.available, gib / 2);
  EXPECT_EQ(memory::judge({}, facts).summary, "512 MiB of 1 GiB available in this container");
}

TEST(MemoryRun, AnUnlimitedGroupChangesNothing) {
  for (const auto* limit : {"max\n", "9223372036854771712\n"}) {
    Surroundings around;
    around.folder.write("/proc/meminfo", meminfo);
    around.folder.write("/sys/fs/cgroup/memory.max", limit);
    around.folder.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", limit);
    const auto facts = around.run(memory::run, memory::Config{});
    EXPECT_FALSE(facts.container);
    EXPECT_EQ(facts.total, 16 * gib);
  }
}

std::string stat_of(int pid, const std::string& name, int pages) {
  return std::to_string(pid) + " (" + name + ") S 1 1 1 0 -1 4194560 1 1 1 1 1 1 0 0 20 0 1 0 1 1 " +
         std::to_string(pages) + " 1 1 1 0 0 0\n";
}

TEST(MemoryRun, WhereItIsShortTheBiggestProcessesAreNamed) {
  Surroundings around;
  for (int pid = 1; pid <= 12; ++pid) {
    const std::string name = "p" + std::to_string(pid);
    around.folder.write("/proc/" + std::to_string(pid) + "/stat", stat_of(pid, name, pid * 256 * 1024));
  }
  around.folder.write("/proc/meminfo", meminfo);  // a quarter is available
  auto facts = around.run(memory::run, memory::Config{});
  EXPECT_EQ(facts.biggest, "");
  EXPECT_TRUE(around.workers.keys.empty());
  around.folder.write("/proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 3194304 kB\n");
  facts = around.run(memory::run, memory::Config{});
  EXPECT_TRUE(facts.biggest.starts_with("12 GiB p12 (pid 12)\n11 GiB p11 (pid 11)\n")) << facts.biggest;
  EXPECT_TRUE(facts.biggest.ends_with("\n3 GiB p3 (pid 3)")) << facts.biggest;
  const auto seen = memory::judge({}, facts);
  ASSERT_EQ(seen.evidence.size(), 2u);
  EXPECT_EQ(seen.evidence[1].label, "biggest processes");
  EXPECT_EQ(seen.evidence[1].text, facts.biggest);
}

TEST(MemoryRun, WorksOnThisHost) {
  Surroundings around;
  around.host.root = "";
  EXPECT_GT(around.run(memory::run, memory::Config{}).total, 0u);
}

}  // namespace
}  // namespace vitald::probes
