#include "probes/load.hpp"

#include <gtest/gtest.h>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::find_evidence;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

TEST(LoadParse, HasNoOptions) { EXPECT_EQ(parse_yaml(load::parse, "{}").problems, ""); }

TEST(LoadRun, SaysTheAveragesAndThoseOfACore) {
  Surroundings around;
  around.folder.write("/proc/loadavg", "6.00 3.00 1.50 3/502 29200\n");
  around.folder.write("/proc/stat", "cpu  1 2 3 4\nprocs_running 5\nprocs_blocked 2\n");
  around.folder.write("/sys/devices/system/cpu/online", "0-3\n");
  const auto seen = load::judge({}, around.run(load::run, load::Config{}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "load 6, 3, 1.5 on 4 cores");
  EXPECT_EQ(find_sample_of(seen, "load_1m"), 6);
  EXPECT_EQ(find_sample_of(seen, "load_5m"), 3);
  EXPECT_EQ(find_sample_of(seen, "load_15m"), 1.5);
  EXPECT_EQ(find_sample_of(seen, "per_core_1m"), 1.5);
  EXPECT_EQ(find_sample_of(seen, "per_core_5m"), 0.75);
  EXPECT_EQ(find_sample_of(seen, "per_core_15m"), 0.375);
  EXPECT_EQ(find_sample_of(seen, "blocked"), 2);
  EXPECT_EQ(find_sample_of(seen, "threads"), 502);
  EXPECT_EQ(find_evidence(seen, "threads"), "3 run or wait for a CPU, 2 wait for a disk, 502 in all");
}

TEST(LoadRun, AnUnknownNumberOfCoresIsOne) {
  Surroundings around;
  around.folder.write("/proc/loadavg", "6.00 3.00 1.50 3/502 29200\n");
  EXPECT_EQ(load::judge({}, around.run(load::run, load::Config{})).summary, "load 6, 3, 1.5 on 1 core");
}

TEST(LoadRun, WhereItIsHighThoseThatWaitForADiskAreNamed) {
  Surroundings around;
  const auto process = [&](int pid, const std::string& name, char state) {
    around.folder.write("/proc/" + std::to_string(pid) + "/stat", std::to_string(pid) + " (" + name + ") " + state +
                                                                      " 1 1 1 0 -1 4194560 1 1 1 1 1 1 0 0 20 0 1 0 1 "
                                                                      "1 1 1 1 1 0 0 0\n");
  };
  process(1, "init", 'S');
  process(20, "mysqld", 'D');
  process(30, "cp", 'D');
  process(31, "cp", 'D');
  process(32, "cp", 'R');
  around.folder.write("/sys/devices/system/cpu/online", "0-3\n");
  around.folder.write("/proc/loadavg", "5.00 3.00 1.50 3/502 29200\n");
  EXPECT_EQ(around.run(load::run, load::Config{}).waiting, "");
  around.folder.write("/proc/loadavg", "6.00 3.00 1.50 3/502 29200\n");
  const auto seen = load::judge({}, around.run(load::run, load::Config{}));
  EXPECT_EQ(find_evidence(seen, "waiting for a disk"), "cp 2 times\nmysqld");
}

TEST(LoadRun, WhatIsNoLoadavgIsUnmeasured) {
  for (const auto* text : {"", "1.0 2.0 3.0\n", "1.0 x 3.0 1/2 3\n", "1.0 2.0 3.0 12 3\n"}) {
    EXPECT_THROW(load::parse_loadavg(text), ProbeFailure) << text;
  }
  Surroundings around;
  EXPECT_THROW(around.run(load::run, load::Config{}), ProbeFailure);
}

TEST(LoadRun, WorksOnThisHost) {
  Surroundings around;
  around.host.root = "";
  EXPECT_GT(around.run(load::run, load::Config{}).threads, 0);
}

}  // namespace
}  // namespace vitald::probes
