#include <gtest/gtest.h>

#include "probes/file_descriptors.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

TEST(FileDescriptorsParse, HasNoOptions) { EXPECT_EQ(parse_yaml(file_descriptors::parse, "{}").problems, ""); }

TEST(FileDescriptorsRun, SaysHowManyAreOpenOfHowMany) {
  Surroundings around;
  around.folder.write("/proc/sys/fs/file-nr", "6500\t100\t10000\n");
  const auto seen = file_descriptors::judge({}, around.run(file_descriptors::run, file_descriptors::Config{}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "6400 open files of 10000");
  EXPECT_EQ(find_sample_of(seen, "used"), 6400);
  EXPECT_EQ(seen.samples.at(0).maximum, 10000);
}

TEST(FileDescriptorsRun, AnEndlessMaximumIsSaidAsSuch) {
  const auto seen = file_descriptors::judge({}, file_descriptors::parse_file_nr("6498 0 9223372036854775807\n"));
  EXPECT_EQ(seen.summary, "6498 open files, as many as one likes");
}

TEST(FileDescriptorsRun, NonsenseIsUnmeasured) {
  for (const auto* text : {"", "1 2\n", "1 0 0\n", "1 2 3\n", "x 0 5\n", "1 0 5 6\n"}) {
    EXPECT_THROW(file_descriptors::parse_file_nr(text), ProbeFailure) << text;
  }
  Surroundings around;
  EXPECT_THROW(around.run(file_descriptors::run, file_descriptors::Config{}), ProbeFailure);
}

TEST(FileDescriptorsRun, WorksOnThisHost) {
  Surroundings around;
  around.host.root = "";
  EXPECT_GT(around.run(file_descriptors::run, file_descriptors::Config{}).used, 0);
}

}  // namespace
}  // namespace vitald::probes
