#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "probes/reboot_required.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/samples.hpp"

namespace vitald::probes {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using vitald::testing::find_evidence;
using vitald::testing::find_sample_of;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr Wall noon = Wall{} + std::chrono::hours(24 * 20'000);

TEST(RebootRequiredParse, HasNoOptions) { EXPECT_EQ(parse_yaml(reboot_required::parse, "{}").problems, ""); }

TEST(RebootRequiredRun, WithoutTheFileNoneIs) {
  Surroundings around;
  const auto seen = reboot_required::judge({}, around.run(reboot_required::run, reboot_required::Config{}));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "no reboot is required");
  EXPECT_EQ(find_sample_of(seen, "required"), 0);
  EXPECT_EQ(find_sample_of(seen, "age"), std::nullopt);
  EXPECT_EQ(seen.memory, "");
}

TEST(RebootRequiredRun, NamesThePackagesOnce) {
  Surroundings around;
  around.folder.write("/run/reboot-required", "*** System restart required ***\n");
  around.folder.write("/run/reboot-required.pkgs", "linux-image-6.1.0-37-amd64\nlibc6\n\nlinux-image-6.1.0-37-amd64\n");
  const auto facts = around.run(reboot_required::run, reboot_required::Config{});
  EXPECT_TRUE(facts.required);
  EXPECT_THAT(facts.packages, ElementsAre("linux-image-6.1.0-37-amd64", "libc6"));
  const auto seen = reboot_required::judge({}, facts);
  EXPECT_EQ(find_sample_of(seen, "required"), 1);
  EXPECT_EQ(find_sample_of(seen, "packages"), 2);
  EXPECT_EQ(find_evidence(seen, "packages"), "linux-image-6.1.0-37-amd64, libc6");
  EXPECT_FALSE(seen.remedy.empty());
}

TEST(RebootRequiredRun, TheListNeedNotBeThere) {
  Surroundings around;
  around.folder.write("/run/reboot-required", "");
  const auto facts = around.run(reboot_required::run, reboot_required::Config{});
  EXPECT_TRUE(facts.required);
  EXPECT_TRUE(facts.packages.empty());
}

TEST(RebootRequiredJudge, CountsFromWhenItWasFirstSeen) {
  reboot_required::Facts facts{.required = true, .written = noon - 2h, .packages = {}, .now = noon};
  auto seen = reboot_required::judge({}, facts);
  EXPECT_EQ(find_sample_of(seen, "age"), 7200);
  EXPECT_EQ(seen.summary, "a reboot has been required for 2 h");
  // The next package writes the file anew.
  facts = {.required = true, .written = noon + 1h, .packages = {}, .now = noon + 2h, .before = *seen.memory};
  seen = reboot_required::judge({}, facts);
  EXPECT_EQ(find_sample_of(seen, "age"), 4 * 3600);
  // After the reboot it begins anew.
  seen = reboot_required::judge({}, {.required = false, .now = noon + 3h, .before = *seen.memory});
  facts = {.required = true, .written = noon + 4h, .packages = {}, .now = noon + 4h, .before = *seen.memory};
  EXPECT_EQ(find_sample_of(reboot_required::judge({}, facts), "age"), 0);
}

TEST(RebootRequiredJudge, AFileFromTheFutureIsNew) {
  const reboot_required::Facts facts{.required = true, .written = noon + 5h, .packages = {}, .now = noon};
  EXPECT_EQ(find_sample_of(reboot_required::judge({}, facts), "age"), 0);
}

TEST(RebootRequiredJudge, ALongListIsShortened) {
  reboot_required::Facts facts{.required = true, .written = noon, .packages = {}, .now = noon};
  for (int i = 0; i < 25; ++i) facts.packages.push_back("p" + std::to_string(i));
  EXPECT_THAT(find_evidence(reboot_required::judge({}, facts), "packages"), ::testing::EndsWith("p19 and 5 more"));
}

}  // namespace
}  // namespace vitald::probes
