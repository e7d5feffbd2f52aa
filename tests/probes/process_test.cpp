#include "probes/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitald::testing::find_evidence;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

const double page = static_cast<double>(sysconf(_SC_PAGESIZE));

/// As the kernel writes it; times in ticks, memory in pages.
struct Line {
  int pid = 0;
  std::string name;
  char state = 'S';
  unsigned flags = 0x400100;
  int user = 100, system = 50, threads = 2;
  int started = 1000;
  int memory = 2560;

  std::string text() const {
    return std::to_string(pid) + " (" + name + ") " + state + " 1 1 1 0 -1 " + std::to_string(flags) + " 1 1 1 1 " +
           std::to_string(user) + " " + std::to_string(system) + " 0 0 20 0 " + std::to_string(threads) + " 0 " +
           std::to_string(started) + " 9999 " + std::to_string(memory) + " 18446744073709551615 1 1 0 0 0\n";
  }
};

struct ProcessTest : ::testing::Test {
  ProcessTest() {
    around.folder.write("/proc/uptime", "4000.50 7000.00\n");
    around.folder.write("/proc/sys/kernel/random/boot_id", "one\n");
    add({.pid = 1, .name = "systemd"});
    add({.pid = 2, .name = "kthreadd", .flags = 0x208040});
  }
  void add(const Line& line, const std::string& command = "", int files = -1) const {
    const std::string folder = "/proc/" + std::to_string(line.pid);
    around.folder.write(folder + "/stat", line.text());
    around.folder.write(folder + "/status", "Name:\tx\nUid:\t0\t33\t33\t33\nGid:\t0\t0\t0\t0\n");
    around.folder.write(folder + "/limits",
                        "Limit                     Soft Limit           Hard Limit           Units\n"
                        "Max open files            10                   524288               files\n");
    std::string line_of = command;
    std::replace(line_of.begin(), line_of.end(), ' ', '\0');
    around.folder.write(folder + "/cmdline", line_of);
    if (files >= 0) around.folder.make(folder + "/fd");
    for (int i = 0; i < files; ++i) around.folder.write(folder + "/fd/" + std::to_string(i), "");
  }
  void remove(int pid) const { std::filesystem::remove_all(around.folder.path() + "/proc/" + std::to_string(pid)); }
  Observation once(const std::string& yaml) {
    const auto parsed = parse_yaml(process::parse, yaml);
    EXPECT_EQ(parsed.problems, "");
    auto seen = process::judge(parsed.config, around.run(process::run, parsed.config));
    around.memory = seen.memory.value_or(around.memory);
    around.clock.at.steady += 10s;
    return seen;
  }
  Surroundings around;
};

TEST(ProcessParse, WantsToKnowWhichProcesses) {
  EXPECT_THAT(parse_yaml(process::parse, "{}").problems, HasSubstr("needs 'pidfile', 'name' or 'command'"));
  EXPECT_THAT(parse_yaml(process::parse, "user: root").problems, HasSubstr("needs 'pidfile', 'name' or 'command'"));
  EXPECT_THAT(parse_yaml(process::parse, "pidfile: run/x").problems, HasSubstr("absolute path such as /run/nginx.pid"));
  EXPECT_THAT(parse_yaml(process::parse, "command: '('").problems, HasSubstr("command"));
  EXPECT_THAT(parse_yaml(process::parse, "{ name: a, user: 'a b' }").problems, HasSubstr("a name or a number"));
  EXPECT_THAT(parse_yaml(process::parse, "{ name: a, expect: { min: 3, max: 2 } }").problems,
              HasSubstr("'max' is less than 'min'"));
  EXPECT_THAT(parse_yaml(process::parse, "{ name: a, expect: { mni: 3 } }").problems, HasSubstr("min"));
  const auto config = parse_yaml(process::parse, "{ name: a, command: b, user: c, expect: { min: 2, max: 4 } }").config;
  EXPECT_EQ(config.least, 2);
  EXPECT_EQ(config.most, 4);
  EXPECT_EQ(config.meant(), "process named a with a command line like 'b' of user c");
}

TEST(ProcessText, ANameMayHoldAnything) {
  const auto seen = parse_process(Line{.pid = 7, .name = "a) R 1 (b"}.text());
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->name, "a) R 1 (b");
  EXPECT_EQ(seen->state, 'S');
  EXPECT_EQ(seen->threads, 2);
  EXPECT_EQ(seen->memory, 2560 * page);
  EXPECT_EQ(seen->started, 1000.0 / static_cast<double>(sysconf(_SC_CLK_TCK)));
  for (const auto* text : {"", "7 (a", "7 (a) S 1 2", "x (a) S 1 1 1 0 -1 4 1 1 1 1 1 1 0 0 20 0 1 0 1 1 1 1 1"}) {
    EXPECT_FALSE(parse_process(text)) << text;
  }
}

TEST_F(ProcessTest, FindsByName) {
  add({.pid = 812, .name = "mysqld"}, "/usr/sbin/mysqld --daemon", 4);
  add({.pid = 813, .name = "mysqld_safe"}, "/bin/sh mysqld_safe");
  auto seen = once("name: mysqld");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(find_sample_of(seen, "running"), 1);
  EXPECT_EQ(find_sample_of(seen, "cpu"), std::nullopt);
  EXPECT_EQ(find_sample_of(seen, "memory"), 2560 * page);
  EXPECT_EQ(find_sample_of(seen, "threads"), 2);
  EXPECT_EQ(find_sample_of(seen, "age"), 3990);
  EXPECT_EQ(find_sample_of(seen, "open_files"), 4);
  EXPECT_EQ(find_evidence(seen, "open files"), "4 of 10, pid 812");
  EXPECT_EQ(find_evidence(seen, "processes"), "10 MiB mysqld (pid 812)");
  EXPECT_EQ(seen.summary, "mysqld (pid 812) runs, 10 MiB, up for 1 h 7 min");
  add({.pid = 812, .name = "mysqld", .user = 300, .system = 100}, "/usr/sbin/mysqld --daemon", 4);
  seen = once("name: mysqld");
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "cpu"), 0.25);  // 2.5 s of 10 s
  EXPECT_EQ(find_sample_of(seen, "ended"), 0);
}

TEST_F(ProcessTest, ALongNameIsComparedAsFarAsTheKernelKeepsIt) {
  add({.pid = 9, .name = "a-rather-long-n"});
  EXPECT_EQ(find_sample_of(once("name: a-rather-long-name"), "running"), 1);
}

TEST_F(ProcessTest, FindsByCommandLineAndUser) {
  add({.pid = 20, .name = "php"}, "php artisan queue:work --queue=high");
  add({.pid = 21, .name = "php"}, "php artisan queue:work --queue=low");
  add({.pid = 22, .name = "php"}, "php artisan schedule:run");
  add({.pid = 23, .name = "idle"}, "");
  EXPECT_EQ(find_sample_of(once("command: 'artisan queue:work'"), "running"), 2);
  EXPECT_EQ(find_sample_of(once("command: '^php artisan .*--queue=low$'"), "running"), 1);
  EXPECT_EQ(find_sample_of(once("command: idle"), "running"), 1);  // one without a command line has its name
  EXPECT_EQ(find_sample_of(once("{ name: php, user: '33' }"), "running"), 3);
  EXPECT_EQ(once("{ name: php, user: '34' }").summary, "no process named php of user 34 runs");
}

TEST_F(ProcessTest, NoSuchUserIsOurTrouble) {
  try {
    once("{ name: php, user: no-such-user-here }");
    FAIL();
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
    EXPECT_EQ(failure.reason, "no_such_user");
  }
}

TEST_F(ProcessTest, NoneIsWrongAndSaysWhenItWasLastSeen) {
  add({.pid = 812, .name = "mysqld"});
  once("name: mysqld");
  remove(812);
  const auto seen = once("name: mysqld");
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "not_running");
  EXPECT_EQ(seen.summary, "no process named mysqld runs");
  EXPECT_EQ(find_sample_of(seen, "running"), 0);
  EXPECT_EQ(find_sample_of(seen, "ended"), 1);
  EXPECT_THAT(find_evidence(seen, "last seen"), HasSubstr("UTC, pid 812"));
  EXPECT_THAT(find_evidence(once("name: mysqld"), "last seen"), HasSubstr("UTC, pid 812"));
}

TEST_F(ProcessTest, ARestartIsSeenEvenWithTheSameNumber) {
  add({.pid = 812, .name = "mysqld"});
  once("name: mysqld");
  add({.pid = 812, .name = "mysqld", .user = 50, .system = 0, .started = 5000});
  const auto seen = once("name: mysqld");
  EXPECT_EQ(find_sample_of(seen, "ended"), 1);
  EXPECT_DOUBLE_EQ(*find_sample_of(seen, "cpu"), 0.05);
}

TEST_F(ProcessTest, AfterARebootNothingHasEnded) {
  add({.pid = 812, .name = "mysqld"});
  once("name: mysqld");
  around.folder.write("/proc/sys/kernel/random/boot_id", "two\n");
  add({.pid = 812, .name = "mysqld", .started = 5000});
  EXPECT_EQ(find_sample_of(once("name: mysqld"), "ended"), std::nullopt);
}

TEST_F(ProcessTest, CountsAreHeldToWhatIsExpected) {
  for (int pid = 20; pid < 23; ++pid) add({.pid = pid, .name = "worker"});
  EXPECT_EQ(once("{ name: worker, expect: { min: 3, max: 3 } }").summary, "3 processes run, 30 MiB, up for 1 h 7 min");
  auto seen = once("{ name: worker, expect: { min: 4 } }");
  EXPECT_EQ(seen.reason, "too_few");
  EXPECT_EQ(seen.summary, "3 instead of at least 4: process named worker");
  seen = once("{ name: worker, expect: { max: 2 } }");
  EXPECT_EQ(seen.reason, "too_many");
  EXPECT_EQ(once("{ name: worker, expect: { min: 0, max: 0 } }").outcome, Outcome::wrong);
  EXPECT_EQ(once("{ name: intruder, expect: { min: 0, max: 0 } }").summary,
            "no process named intruder runs, as it should be");
}

TEST_F(ProcessTest, ZombiesAndTheKernelsOwnDoNotCount) {
  add({.pid = 30, .name = "job", .state = 'Z'});
  const auto seen = once("name: job");
  EXPECT_EQ(seen.reason, "not_running");
  EXPECT_THAT(find_evidence(seen, "zombie"), HasSubstr("job (pid 30) has ended"));
  EXPECT_EQ(once("name: kthreadd").reason, "not_running");
}

TEST_F(ProcessTest, WhatIsHiddenIsUnmeasured) {
  remove(1);
  const auto seen = once("name: mysqld");
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "hidden");
  EXPECT_THAT(seen.remedy, HasSubstr("hidepid="));
  add({.pid = 812, .name = "mysqld"});
  EXPECT_EQ(once("name: mysqld").outcome, Outcome::answered);
}

struct PidFileTest : ProcessTest {
  void write(const std::string& text, std::chrono::seconds before_now) const {
    around.folder.write("/run/x.pid", text);
    std::filesystem::last_write_time(
        around.folder.path() + "/run/x.pid",
        std::filesystem::file_time_type::clock::from_sys(
            std::chrono::time_point_cast<std::chrono::seconds>(around.clock.at.wall - before_now)));
  }
};

TEST_F(PidFileTest, NamesTheProcess) {
  add({.pid = 812, .name = "mysqld"});  // began 3990 s ago
  write("812\n", 3989s);
  EXPECT_EQ(once("pidfile: /run/x.pid").summary, "mysqld (pid 812) runs, 10 MiB, up for 1 h 7 min");
  EXPECT_EQ(once("{ pidfile: /run/x.pid, name: mysqld }").outcome, Outcome::answered);
}

TEST_F(PidFileTest, ANumberThatWasUsedAgainIsNoTrap) {
  add({.pid = 812, .name = "bash"});
  write("812", 9000s);
  const auto seen = once("pidfile: /run/x.pid");
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "pid_reused");
  EXPECT_EQ(seen.summary, "not running: 812 in /run/x.pid is now another process, bash");
  write("812", 3989s);
  EXPECT_EQ(once("{ pidfile: /run/x.pid, name: mysqld }").reason, "pid_reused");
}

TEST_F(PidFileTest, AClockThatWasSetDoesNotMatterWhereTheNameFits) {
  add({.pid = 812, .name = "mysqld"});
  write("812", 9000s);
  EXPECT_EQ(once("{ pidfile: /run/x.pid, name: mysqld }").outcome, Outcome::answered);
}

TEST_F(PidFileTest, WithoutAFileOrAProcessItDoesNotRun) {
  auto seen = once("pidfile: /run/x.pid");
  EXPECT_EQ(seen.reason, "no_pidfile");
  EXPECT_EQ(seen.summary, "not running: /run/x.pid does not exist");
  write("812", 1s);
  seen = once("pidfile: /run/x.pid");
  EXPECT_EQ(seen.reason, "not_running");
  EXPECT_EQ(seen.summary, "/run/x.pid names process 812, which does not run any more");
  for (const auto* text : {"", "x", "-5", "0", "99999999999"}) {
    write(text, 1s);
    EXPECT_EQ(once("pidfile: /run/x.pid").reason, "bad_pidfile") << text;
  }
  write("2", 1s);
  EXPECT_EQ(once("pidfile: /run/x.pid").reason, "pid_reused");  // the kernel's own
}

TEST_F(ProcessTest, ManyAreCountedButNotAllRemembered) {
  for (int pid = 1000; pid < 1600; ++pid) add({.pid = pid, .name = "worker"});
  once("name: worker");
  const auto seen = once("name: worker");
  EXPECT_EQ(find_sample_of(seen, "running"), 600);
  EXPECT_EQ(find_sample_of(seen, "cpu"), std::nullopt);
  EXPECT_LT(seen.memory->size(), 60u * 1024);
}

TEST_F(ProcessTest, FindsItselfOnThisHost) {
  around.host.root = "";
  const auto seen = once("command: _tests");
  EXPECT_GE(*find_sample_of(seen, "running"), 1) << seen.summary;
  EXPECT_GE(*find_sample_of(seen, "open_files"), 1);
  EXPECT_THAT(around.workers.keys, ElementsAre("/proc"));
}

}  // namespace
}  // namespace vitald::probes
