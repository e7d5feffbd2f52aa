#include "probes/disk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "probes/disk_trend.hpp"
#include "probes/mounts.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;
using namespace std::chrono_literals;

constexpr std::uint64_t gib = std::uint64_t{1} << 30;

disk::MountFacts mount(std::string point, std::uint64_t used_gib, std::uint64_t available_gib) {
  FileSystemUse use{.size = 100 * gib,
                    .free = (100 - used_gib) * gib,
                    .available = available_gib * gib,
                    .inodes = 1000,
                    .inodes_free = 250};
  return {.mount = {.point = std::move(point), .type = "ext4", .device = "1:1"}, .use = use};
}

const Sample* find(const Observation& seen, std::string_view name, std::string_view point) {
  for (const Sample& sample : seen.samples) {
    if (sample.name == name && sample.labels == Labels{{"mount", std::string(point)}}) return &sample;
  }
  return nullptr;
}

TEST(DiskParse, TakesOneMountOrAList) {
  EXPECT_THAT(parse_yaml(disk::parse, "mount: /").config.mounts, ElementsAre("/"));
  EXPECT_THAT(parse_yaml(disk::parse, "mount: [ /, /srv/ ]").config.mounts, ElementsAre("/", "/srv"));
  EXPECT_TRUE(parse_yaml(disk::parse, "{}").config.mounts.empty());
  EXPECT_THAT(parse_yaml(disk::parse, "mount: srv").problems,
              HasSubstr("expected an absolute path such as /var, found 'srv'"));
  EXPECT_TRUE(parse_yaml(disk::parse, "read_only: allow").config.read_only_allowed);
}

TEST(DiskJudge, ComputesUseAsDfDoes) {
  // Root keeps 10 GiB: 60 used, 30 available, so df says 60 / 90.
  const auto seen = disk::judge({}, {.mounts = {mount("/", 60, 30)}, .missing = {}});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "/: 66.7 % used, 30 GiB available");
  EXPECT_DOUBLE_EQ(find(seen, "used", "/")->value, 60.0 / 90.0);
  EXPECT_DOUBLE_EQ(find(seen, "used_bytes", "/")->value, static_cast<double>(60 * gib));
  EXPECT_DOUBLE_EQ(find(seen, "available", "/")->value, static_cast<double>(30 * gib));
  EXPECT_EQ(find(seen, "available", "/")->maximum, static_cast<double>(100 * gib));
  EXPECT_DOUBLE_EQ(find(seen, "inodes_used", "/")->value, 0.75);
}

TEST(DiskJudge, NamesTheFullestMount) {
  const auto seen = disk::judge({}, {.mounts = {mount("/", 10, 90), mount("/srv", 95, 5)}, .missing = {}});
  EXPECT_EQ(seen.summary, "/srv: 95 % used, 5 GiB available");
  EXPECT_EQ(seen.samples.size(), 8u);
}

TEST(DiskJudge, AFileSystemWithoutAFixedNumberOfInodesHasNoInodeSample) {
  auto facts = mount("/", 10, 90);
  facts.use.inodes = facts.use.inodes_free = 0;
  EXPECT_EQ(find(disk::judge({}, {.mounts = {facts}, .missing = {}}), "inodes_used", "/"), nullptr);
}

TEST(DiskJudge, SurvivesNumbersThatContradictThemselves) {
  auto facts = mount("/", 10, 90);
  facts.use = FileSystemUse{.size = 1, .free = 5, .available = 0, .inodes = 1, .inodes_free = 9};
  const auto seen = disk::judge({}, {.mounts = {facts}, .missing = {}});
  EXPECT_EQ(find(seen, "used", "/")->value, 0);
  EXPECT_EQ(find(seen, "inodes_used", "/")->value, 0);
}

TEST(DiskJudge, AReadOnlyRemountIsWrongUnlessItIsAllowed) {
  auto facts = mount("/", 10, 90);
  facts.mount.read_only = true;
  const auto seen = disk::judge({}, {.mounts = {facts}, .missing = {}});
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "read_only");
  EXPECT_EQ(seen.summary, "/ is mounted read-only");
  EXPECT_NE(find(seen, "used", "/"), nullptr);
  EXPECT_EQ(
      disk::judge({.mounts = {}, .exclude = {}, .read_only_allowed = true}, {.mounts = {facts}, .missing = {}}).outcome,
      Outcome::answered);
}

TEST(DiskJudge, AMissingMountIsWrong) {
  const auto seen = disk::judge({.mounts = {"/data"}, .exclude = {}}, {.mounts = {}, .missing = {"/data"}});
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.summary, "nothing is mounted at /data");
}

TEST(DiskJudge, AStuckMountLeavesTheOthersTheirSamples) {
  auto stuck = mount("/nfs", 0, 0);
  stuck.trouble = ProbeFailure(Outcome::refused, "mount_stuck", "/nfs hangs");
  const auto seen = disk::judge({}, {.mounts = {stuck, mount("/", 10, 90)}, .missing = {}});
  EXPECT_EQ(seen.outcome, Outcome::refused);
  EXPECT_EQ(seen.reason, "mount_stuck");
  EXPECT_EQ(find(seen, "used", "/nfs"), nullptr);
  EXPECT_NE(find(seen, "used", "/"), nullptr);
}

TEST(DiskJudge, AFaultOfTheTargetOutranksOneOfOurs) {
  auto denied = mount("/secret", 0, 0);
  denied.trouble = statvfs_failure("/secret", EACCES);
  const auto alone = disk::judge({}, {.mounts = {denied, mount("/", 10, 90)}, .missing = {}});
  EXPECT_EQ(alone.outcome, Outcome::unmeasured);
  EXPECT_EQ(alone.reason, "denied:/secret");
  EXPECT_FALSE(alone.remedy.empty());
  const auto both = disk::judge({}, {.mounts = {denied}, .missing = {"/data"}});
  EXPECT_EQ(both.outcome, Outcome::wrong);
  EXPECT_EQ(both.evidence.at(0).text, "vitald may not look at /secret");
}

constexpr Wall noon = Wall{} + std::chrono::hours(24 * 20'000);

/// What a check of one mount says at the end of `hours`, run every minute; `used` tells GiB at a minute.
template <class Used>
Observation watch(int hours, Used used) {
  std::string memory;
  Observation seen;
  for (int minute = 0; minute <= hours * 60; ++minute) {
    const auto now = static_cast<std::uint64_t>(used(minute) * 1024);
    auto facts = mount("/my data", 0, 0);
    facts.use.free = 100 * gib - (now << 20);
    facts.use.available = facts.use.free;
    const auto at = noon + std::chrono::minutes(minute);
    seen = disk::judge({}, {.mounts = {facts}, .missing = {}, .now = at, .before = memory});
    memory = *seen.memory;
    EXPECT_LT(memory.size(), 1200u);
  }
  return seen;
}

std::optional<double> full_in(const Observation& seen) {
  const Sample* sample = find(seen, "full_in", "/my data");
  return sample == nullptr ? std::nullopt : std::optional(sample->value);
}

TEST(DiskTrend, TellsWhenItIsFull) {
  const auto seen = watch(4, [](int minute) { return 50 + 5 * minute / 60.0; });  // 70 GiB by now, 5 an hour
  ASSERT_TRUE(full_in(seen));
  EXPECT_NEAR(*full_in(seen), 6 * 3600, 60);
  EXPECT_THAT(seen.summary, HasSubstr("/my data: 70 % used, 30 GiB available, full in 6 h at this pace"));
}

TEST(DiskTrend, SaysNothingInTheFirstHour) {
  EXPECT_FALSE(full_in(watch(0, [](int minute) { return 50 + minute; })));
  std::string memory;
  EXPECT_TRUE(full_in(watch(1, [](int minute) { return 30 + minute; })));
}

TEST(DiskTrend, SaysNothingWhereItDoesNotGrow) {
  EXPECT_FALSE(full_in(watch(6, [](int) { return 50; })));
  EXPECT_FALSE(full_in(watch(6, [](int minute) { return 90 - minute / 60.0; })));
  EXPECT_FALSE(full_in(watch(6, [](int minute) { return 50 + minute % 20; })));         // written and deleted
  EXPECT_FALSE(full_in(watch(6, [](int minute) { return 50 + minute / 100'000.0; })));  // in years
}

TEST(DiskTrend, AFewOddPointsDoNotBendIt) {
  const auto seen = watch(4, [](int minute) { return 50 + 5 * minute / 60.0 + (minute % 50 == 0 ? 25 : 0); });
  ASSERT_TRUE(full_in(seen));
  EXPECT_NEAR(*full_in(seen), 6 * 3600, 1200);
}

TEST(DiskTrend, AfterACleanUpItIsQuiet) {
  EXPECT_FALSE(full_in(watch(5, [](int minute) { return minute < 270 ? 50 + minute / 10.0 : 20 + minute / 10.0; })));
}

TEST(DiskTrend, AGrowthThatBeginsIsSeenWithinHours) {
  EXPECT_TRUE(full_in(watch(9, [](int minute) { return minute < 360 ? 40 : 40 + (minute - 360) / 10.0; })));
}

TEST(DiskTrend, ForgetsMountsThatAreGone) {
  const disk::Facts before{.mounts = {mount("/old", 10, 90), mount("/", 10, 90)}, .missing = {}, .now = noon};
  const auto seen = disk::judge({}, before);
  EXPECT_THAT(*seen.memory, HasSubstr(" /old\n"));
  const auto later =
      disk::judge({}, {.mounts = {mount("/", 10, 90)}, .missing = {}, .now = noon + 5h, .before = *seen.memory});
  EXPECT_THAT(*later.memory, ::testing::Not(HasSubstr("/old")));
}

TEST(DiskTrend, AClockThatWasSetBackBeginsAnew) {
  auto seen = disk::judge({}, {.mounts = {mount("/", 10, 90)}, .missing = {}, .now = noon});
  seen = disk::judge({}, {.mounts = {mount("/", 10, 90)}, .missing = {}, .now = noon - 100h, .before = *seen.memory});
  EXPECT_EQ(disk::Trends::read(*seen.memory).written(noon), "");
}

TEST(DiskTrend, ItsMemoryIsBoundedAndMayBeNonsense) {
  disk::Facts facts{.mounts = {}, .missing = {}, .now = noon};
  for (int i = 0; i < 100; ++i) facts.mounts.push_back(mount("/" + std::string(20, 'x') + std::to_string(i), 50, 50));
  for (int run = 0; run < 100; ++run, facts.now += 5min) facts.before = *disk::judge({}, facts).memory;
  EXPECT_LT(facts.before.size(), 60u * 1024);
  for (const auto* text : {"trend.0 x:1 /", "trend.0 1:1 2 /", "trend.0 /", "trend.0 1:99999999999999999999 /", "a"}) {
    EXPECT_EQ(disk::Trends::read(text).written(noon), "") << text;
  }
}

TEST(DiskJudge, NothingToLookAtIsUnmeasured) { EXPECT_EQ(disk::judge({}, {}).outcome, Outcome::unmeasured); }

TEST(DiskRun, AsksLocalFileSystemsHereAndAllOthersThroughTheHelper) {
  Surroundings around;
  around.folder.make("/srv");
  around.folder.write("/proc/self/mountinfo",
                      "1 0 254:0 / / rw - ext4 /dev/vda rw\n2 0 0:50 / /nfs rw - nfs4 a:/b rw\n3 0 254:1 / /srv rw - "
                      "xfs /dev/vdb rw\n");
  around.helper.known[around.folder.path() + "/nfs"] = FileSystemUse{.size = 8, .free = 4, .available = 4};
  const auto facts = around.run(disk::run, disk::Config{});
  ASSERT_EQ(facts.mounts.size(), 3u);
  for (const auto& each : facts.mounts) {
    EXPECT_FALSE(each.trouble) << each.mount.point;
    EXPECT_GT(each.use.size, 0u) << each.mount.point;
  }
  ASSERT_EQ(around.helper.asked.size(), 1u);
  EXPECT_EQ(around.helper.asked[0].second, 2500ms);  // half of the five seconds that are left
}

TEST(DiskRun, AStuckMountIsThatMountsTroubleAlone) {
  Surroundings around;
  around.folder.write("/proc/self/mountinfo",
                      "1 0 254:0 / / rw - ext4 /dev/vda rw\n2 0 0:50 / /nfs rw - nfs4 a:/b rw\n");
  const auto facts = around.run(disk::run, disk::Config{});
  EXPECT_FALSE(facts.mounts.at(0).trouble);
  ASSERT_TRUE(facts.mounts.at(1).trouble);
  EXPECT_EQ(facts.mounts.at(1).trouble->reason, "mount_stuck");
}

TEST(DiskRun, NamedMountsAreTakenWhateverTheirTypeAndMissingOnesNoted) {
  Surroundings around;
  around.folder.make("/run");
  around.folder.write("/proc/self/mountinfo",
                      "1 0 254:0 / / rw - ext4 /dev/vda rw\n2 0 0:50 / /run rw - tmpfs tmpfs rw\n");
  const auto facts = around.run(disk::run, parse_yaml(disk::parse, "mount: [ /run, /data ]").config);
  ASSERT_EQ(facts.mounts.size(), 1u);
  EXPECT_EQ(facts.mounts[0].mount.point, "/run");
  EXPECT_THAT(facts.missing, ElementsAre("/data"));
}

TEST(DiskRun, WithoutMountinfoNothingIsMeasured) {
  Surroundings around;
  try {
    around.run(disk::run, disk::Config{});
    FAIL();
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
    EXPECT_EQ(failure.reason, "missing:/proc/self/mountinfo");
  }
}

TEST(DiskRun, WorksOnThisHost) {
  Surroundings around;
  around.host.root = "";
  const auto mounts = parse_mountinfo(around.host.read("/proc/self/mountinfo"));
  const bool has_root =
      std::any_of(mounts.begin(), mounts.end(), [](const Mount& mount) { return mount.point == "/"; });
  if (!has_root) GTEST_SKIP() << "a chroot: nothing is mounted at / here";
  const auto config = parse_yaml(disk::parse, "mount: /").config;
  const auto seen = disk::judge(config, around.run(disk::run, config));
  EXPECT_NE(find(seen, "used", "/"), nullptr) << seen.summary;
}

}  // namespace
}  // namespace vitald::probes
