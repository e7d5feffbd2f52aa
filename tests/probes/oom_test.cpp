#include "probes/oom.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitald::testing::find_evidence;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

// As Linux 6 writes it, shortened.
constexpr auto log_of_two =
    "6,100,5000000,-;eth0: link becomes ready\n SUBSYSTEM=net\n DEVICE=n2\n"
    "4,101,6000000,-;mysqld invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
    "6,102,6000001,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/db,"
    "task_memcg=/db/mysql.service,task=mysqld,pid=812,uid=105\n"
    "3,103,6000002,-;Memory cgroup out of memory: Killed process 812 (mysqld) total-vm:2097152kB, anon-rss:1048576kB, "
    "file-rss:512kB, shmem-rss:512kB, UID:105 pgtables:2100kB oom_score_adj:0\n"
    "3,104,7000000,-;Out of memory: Killed process 900 (a (b) total-vm:) total-vm:8kB, anon-rss:4kB, file-rss:0kB, "
    "shmem-rss:0kB, UID:0 pgtables:2kB oom_score_adj:0\n"
    "6,105,7000001,-;oom_reaper: reaped process 900 (a (b)), now anon-rss:0kB\n";

struct OomTest : ::testing::Test {
  OomTest() { boot("one"); }
  void boot(const std::string& id) const { around.folder.write("/proc/sys/kernel/random/boot_id", id + "\n"); }
  void kills(int count) const {
    around.folder.write("/proc/vmstat", "nr_free_pages 5\noom_kill " + std::to_string(count) + "\nballoon 1\n");
  }
  Observation once() {
    auto seen = oom::judge({}, around.run(oom::run, oom::Config{}));
    around.memory = seen.memory.value_or(around.memory);
    return seen;
  }
  Surroundings around;
};

TEST(OomParse, HasNoOptions) { EXPECT_EQ(parse_yaml(oom::parse, "{}").problems, ""); }

TEST(KernelLog, NamesTheVictims) {
  const auto victims = find_victims(log_of_two);
  ASSERT_EQ(victims.size(), 2u);
  EXPECT_EQ(victims[0].record, 103u);
  EXPECT_EQ(victims[0].pid, 812);
  EXPECT_EQ(victims[0].name, "mysqld");
  EXPECT_EQ(victims[0].bytes, 1049600.0 * 1024);
  EXPECT_EQ(victims[0].group, "/db/mysql.service");
  EXPECT_EQ(victims[1].name, "a (b) total-vm:");
  EXPECT_EQ(victims[1].group, "");
}

TEST(KernelLog, ALineThatIsCutOrForgedNamesNobody) {
  for (const auto* text :
       {"", ";", "3,1,2,-;Killed process", "3,1,2,-;Killed process x (y) total-vm:1kB", "3,1,2,-;Killed process 5 (y",
        " 3,1,2,-;Killed process 5 (y) total-vm:1kB", "3;1,2,-,Killed process 5 (y) total-vm:1kB"}) {
    EXPECT_TRUE(find_victims(text).empty()) << text;
  }
}

TEST(KernelLog, OnlyTheLastVictimsAreKept) {
  std::string text;
  for (int i = 1; i <= 100; ++i)
    text += "3," + std::to_string(i) + ",1,-;Killed process " + std::to_string(i) + " (x) total-vm:1kB\n";
  const auto victims = find_victims(text);
  EXPECT_EQ(victims.size(), 64u);
  EXPECT_EQ(victims.back().pid, 100);
}

TEST(KernelLog, OfALargeOneTheEndIsRead) {
  Surroundings around;
  std::string text;
  for (int i = 0; text.size() < 9u << 20; ++i)
    text += "6," + std::to_string(i) + ",1,-;" + std::string(200, 'x') + "\n";
  around.folder.write("/dev/kmsg", text + "3,9,1,-;the end\n");
  const auto log = read_kernel_log(around.folder.path() + "/dev/kmsg");
  EXPECT_EQ(log.error, 0);
  EXPECT_LE(log.text.size(), (4u << 20) + (16u << 10));
  EXPECT_TRUE(log.text.starts_with("6,"));
  EXPECT_TRUE(log.text.ends_with("the end\n"));
}

TEST_F(OomTest, WhatWasKilledBeforeTheFirstRunIsNoNews) {
  kills(3);
  const auto seen = once();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find_sample_of(seen, "kills"), 0);
  EXPECT_EQ(find_sample_of(seen, "killed"), 3);
  EXPECT_EQ(seen.summary, "nothing was killed for want of memory since the last run, 3 before");
}

TEST_F(OomTest, NamesTheVictimsWhereTheLogMayBeRead) {
  kills(0);
  EXPECT_EQ(once().summary, "nothing was killed for want of memory");
  kills(2);
  around.folder.write("/dev/kmsg", log_of_two);
  const auto seen = once();
  EXPECT_EQ(find_sample_of(seen, "kills"), 2);
  EXPECT_EQ(seen.summary, "2 processes were killed for want of memory: mysqld (pid 812), a (b) total-vm: (pid 900)");
  EXPECT_EQ(find_evidence(seen, "killed"), "mysqld (pid 812, held 1 GiB, in /db/mysql.service)");
  EXPECT_EQ(seen.samples.at(0).says, seen.summary);
  EXPECT_EQ(find_sample_of(once(), "kills"), 0);
}

TEST_F(OomTest, AVictimIsNamedOnce) {
  kills(0);
  once();
  kills(2);
  around.folder.write("/dev/kmsg", log_of_two);
  once();
  kills(3);  // and the log is late
  const auto seen = once();
  EXPECT_EQ(seen.summary, "1 process was killed for want of memory");
  EXPECT_EQ(find_evidence(seen, "killed"), "the kernel log does not name it (any more)");
}

TEST_F(OomTest, OlderVictimsAreNotTakenForTheNewOne) {
  kills(1);
  once();
  kills(2);
  around.folder.write("/dev/kmsg", log_of_two);
  EXPECT_EQ(once().summary, "1 process was killed for want of memory: a (b) total-vm: (pid 900)");
}

TEST_F(OomTest, WithoutTheLogItSaysWhichRightIsMissing) {
  kills(0);
  once();
  kills(1);
  const auto seen = once();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find_sample_of(seen, "kills"), 1);
  EXPECT_THAT(find_evidence(seen, "killed"), HasSubstr("vitald may not read the kernel log (/dev/kmsg: "));
  EXPECT_THAT(seen.remedy, HasSubstr("docs/probes/oom.md"));
  EXPECT_THAT(around.workers.keys, ElementsAre("/dev/kmsg"));
}

TEST_F(OomTest, AfterARebootAllAreNews) {
  kills(5);
  once();
  boot("two");
  kills(7);
  EXPECT_EQ(find_sample_of(once(), "kills"), 7);
}

TEST_F(OomTest, AContainersKillsAreItsOwn) {
  kills(5);
  around.folder.write("/sys/fs/cgroup/memory.events", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 1\noom_group_kill 0\n");
  EXPECT_EQ(find_sample_of(once(), "killed"), 1);
  kills(6);
  EXPECT_EQ(find_sample_of(once(), "kills"), 0);
  around.folder.write("/sys/fs/cgroup/memory.events", "oom_kill 3\n");
  const auto seen = once();
  EXPECT_EQ(seen.summary, "2 processes were killed for want of memory in this container");
  EXPECT_THAT(find_evidence(seen, "killed"), HasSubstr("kernel log of the host"));
  around.folder.write("/sys/fs/cgroup/memory.events", "oom_kill 1\n");  // another container of the same name
  EXPECT_EQ(find_sample_of(once(), "kills"), 1);
}

TEST_F(OomTest, AnOldContainersKillsToo) {
  kills(5);
  around.folder.write("/proc/meminfo", "MemTotal: 4194304 kB\n");
  around.folder.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
  around.folder.write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "5\n");
  around.folder.write("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  EXPECT_EQ(find_sample_of(once(), "killed"), 2);
}

TEST_F(OomTest, AKernelThatDoesNotCountIsUnmeasured) {
  around.folder.write("/proc/vmstat", "nr_free_pages 5\n");
  try {
    once();
    FAIL();
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
    EXPECT_EQ(failure.reason, "no_counter");
  }
}

TEST_F(OomTest, WorksOnThisHost) {
  around.host.root = "";
  EXPECT_TRUE(find_sample_of(once(), "killed"));
}

}  // namespace
}  // namespace vitald::probes
