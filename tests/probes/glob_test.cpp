#include "probes/glob.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probes/failure.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vitald::testing::Folder;

std::vector<std::string> paths(const FoundFiles& found) {
  std::vector<std::string> names;
  for (const FoundFile& file : found.files) names.push_back(file.path);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> found(const Folder& folder, const std::vector<std::string>& patterns) {
  return paths(find_files(folder.path(), patterns));
}

TEST(Glob, FindsWhatAShellWould) {
  const Folder folder;
  for (const auto* name : {"/b/db-1.gz", "/b/db-2.gz", "/b/.db-3.gz", "/b/other.gz", "/c/x/db-1.gz", "/c/y/db-1.gz"})
    folder.write(name, "x");
  folder.make("/b/db-4.gz");
  EXPECT_THAT(found(folder, {"/b/db-*.gz"}), ElementsAre("/b/db-1.gz", "/b/db-2.gz"));
  EXPECT_THAT(found(folder, {"/b/db-[2-9].gz", "/b/db-2.gz"}), ElementsAre("/b/db-2.gz"));
  EXPECT_THAT(found(folder, {"/b/db-?.gz", "/b/other.*"}), ElementsAre("/b/db-1.gz", "/b/db-2.gz", "/b/other.gz"));
  EXPECT_THAT(found(folder, {"/b/.db*"}), ElementsAre("/b/.db-3.gz"));
  EXPECT_THAT(found(folder, {"/c/*/db-1.gz"}), ElementsAre("/c/x/db-1.gz", "/c/y/db-1.gz"));
  EXPECT_THAT(found(folder, {"/*/d*.gz"}), ElementsAre("/b/db-1.gz", "/b/db-2.gz"));
  EXPECT_THAT(found(folder, {"/b//other.gz"}), ElementsAre("/b/other.gz"));
}

TEST(Glob, SaysWhatEachFileIs) {
  const Folder folder;
  folder.write("/a", "12345");
  const timespec times[2] = {{.tv_sec = 5, .tv_nsec = 0}, {.tv_sec = 1'000'000'000, .tv_nsec = 500'000'000}};
  ASSERT_EQ(utimensat(AT_FDCWD, (folder.path() + "/a").c_str(), times, 0), 0);
  const auto file = find_files(folder.path(), {"/a"}).files.at(0);
  EXPECT_EQ(file.size, 5u);
  EXPECT_EQ(file.changed, Wall(std::chrono::milliseconds(1'000'000'000'500)));
  EXPECT_EQ(file.identity().find(' '), std::string::npos);
  folder.write("/a", "123456");
  EXPECT_NE(find_files(folder.path(), {"/a"}).files.at(0).identity(), file.identity());
}

TEST(Glob, ALinkCountsAsWhatItLeadsTo) {
  const Folder folder;
  folder.write("/real", "123");
  ASSERT_EQ(symlink((folder.path() + "/real").c_str(), (folder.path() + "/latest").c_str()), 0);
  ASSERT_EQ(symlink("nowhere", (folder.path() + "/latest2").c_str()), 0);
  ASSERT_EQ(symlink("latest3", (folder.path() + "/latest3").c_str()), 0);
  EXPECT_THAT(found(folder, {"/latest*"}), ElementsAre("/latest"));
}

TEST(Glob, AFolderThatIsMissingIsNamed) {
  const Folder folder;
  folder.write("/b/x", "");
  EXPECT_EQ(find_files(folder.path(), {"/mnt/backup/*.gz"}).missing_folder, "/mnt/backup");
  EXPECT_EQ(find_files(folder.path(), {"/b/*.gz"}).missing_folder, "");
  EXPECT_EQ(find_files(folder.path(), {"/b/x/*.gz"}).missing_folder, "/b/x");  // no folder at all
  EXPECT_EQ(find_files(folder.path(), {"/*/y/*.gz"}).missing_folder, "");      // behind a wildcard it may be so
  EXPECT_THAT(find_files(folder.path(), {"/gone"}).files, IsEmpty());
}

TEST(Glob, MoreThanTheLimitsIsRefused) {
  const Folder folder;
  for (int i = 0; i < 20; ++i) folder.write("/b/" + std::to_string(i), "");
  const GlobLimits few{.files = 19, .entries = 1000}, narrow{.files = 1000, .entries = 20};
  for (const auto& limits : {few, narrow}) {
    try {
      find_files(folder.path(), {"/b/*"}, limits);
      ADD_FAILURE() << limits.files;
    } catch (const ProbeFailure& failure) {
      EXPECT_EQ(failure.outcome, Outcome::unmeasured);
      EXPECT_EQ(failure.reason, "too_many_files");
      EXPECT_THAT(failure.remedy, HasSubstr("narrower"));
    }
  }
  EXPECT_EQ(find_files(folder.path(), {"/b/*"}, {.files = 20, .entries = 22}).files.size(), 20u);
}

TEST(Glob, RefusesPatternsThatItWouldMisunderstand) {
  EXPECT_EQ(wrong_with_pattern("/b/*.gz"), "");
  EXPECT_THAT(wrong_with_pattern("b/*.gz"), HasSubstr("absolute"));
  EXPECT_THAT(wrong_with_pattern("/b/"), HasSubstr("not their folder"));
  EXPECT_THAT(wrong_with_pattern("/b/**/x"), HasSubstr("'**'"));
  std::string deep;
  for (int i = 0; i < 33; ++i) deep += "/*";
  EXPECT_THAT(wrong_with_pattern(deep), HasSubstr("32"));
  EXPECT_NE(wrong_with_pattern(std::string_view("/a\0b", 4)), "");
}

}  // namespace
}  // namespace vitald::probes
