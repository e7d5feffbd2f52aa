// The judgement of a stock of backups, as the kinds backup and s3 share it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/backup.hpp"
#include "tests/support/parsed.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using vitald::testing::parse_yaml;

constexpr double mib = 1 << 20;
constexpr Duration hour = std::chrono::hours(1), day = std::chrono::hours(24);
const Wall now = Wall{} + 20'000 * day;

backup::Config config(const std::string& yaml = "") {
  return parse_yaml(backup::parse, "files: /b/*.gz\n" + yaml).config;
}

/// One each day, the newest `age` old, all of the same size.
backup::Stock stock(int count, Duration age = 3 * hour, double size = 10 * mib) {
  backup::Stock made;
  made.now = now;
  for (int i = 0; i < count; ++i)
    made.copies.push_back(
        {"/b/db-" + std::to_string(count - i) + ".gz", "id" + std::to_string(i), size, now - age - i * day});
  return made;
}

backup::Facts facts(backup::Stock stock) {
  backup::Facts made;
  made.stock = std::move(stock);
  return made;
}

const Sample* find(const Observation& seen, std::string_view name) {
  for (const Sample& sample : seen.samples) {
    if (sample.name == name) return &sample;
  }
  return nullptr;
}
double value(const Observation& seen, std::string_view name) {
  const Sample* sample = find(seen, name);
  return sample == nullptr ? -1 : sample->value;
}
std::string says(const Observation& seen, std::string_view name) {
  const Sample* sample = find(seen, name);
  return sample == nullptr ? "" : sample->says;
}
std::string evidence(const Observation& seen, std::string_view label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

TEST(BackupJudge, SaysHowThingsStand) {
  const auto seen = backup::judge(config(), facts(stock(12)));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "db-12.gz, 3 h old, 10 MiB; 12 backups in all");
  EXPECT_EQ(value(seen, "age"), 3 * 3600);
  EXPECT_EQ(value(seen, "size"), 10 * mib);
  EXPECT_EQ(value(seen, "shrink"), 0);
  EXPECT_EQ(value(seen, "kept"), 12);
  EXPECT_EQ(value(seen, "oldest"), 3 * 3600 + 11 * 86400);
  EXPECT_EQ(find(seen, "missing"), nullptr);
  EXPECT_EQ(find(seen, "outlived"), nullptr);
  EXPECT_THAT(evidence(seen, "backups"),
              StartsWith("/b/db-12.gz: 10 MiB, 3 h old\n/b/db-11.gz: 10 MiB, 1 d 3 h old\n"));
  EXPECT_THAT(evidence(seen, "backups"), HasSubstr("\nand 4 more"));
  EXPECT_EQ(says(seen, "age"), "the newest backup, db-12.gz, is 3 h old");
}

TEST(BackupJudge, ShrinkIsAgainstTheMedian) {
  auto some = stock(5);
  some.copies[0].size = 4 * mib;
  some.copies[3].size = 100 * mib;  // one that is off does not matter
  some.copies[4].size = 0;          // and an empty one does not count
  const auto seen = backup::judge(config(), facts(some));
  EXPECT_DOUBLE_EQ(value(seen, "shrink"), 0.6);
  EXPECT_EQ(says(seen, "shrink"), "db-5.gz is 60 % smaller than usual: 4 MiB instead of 10 MiB");
  EXPECT_EQ(evidence(seen, "usual size"), "10 MiB");
}

TEST(BackupJudge, WithLittleToCompareItSaysNothingOfShrinking) {
  EXPECT_EQ(find(backup::judge(config(), facts(stock(3))), "shrink"), nullptr);
  EXPECT_NE(find(backup::judge(config(), facts(stock(4))), "shrink"), nullptr);
}

TEST(BackupJudge, AFileThatIsOverwrittenIsComparedWithWhatItWas) {
  Remembered memory;
  backup::Stock one = stock(1);
  for (int night = 0; night < 4; ++night) {
    one.history = backup::History::read(memory);
    one.copies[0].identity = "night" + std::to_string(night);
    if (night == 3) one.copies[0].size = 1 * mib;
    one.history.see(one.copies[0]);
    one.history.see(one.copies[0]);  // twice in one night
    one.history.write(memory);
    const auto seen = backup::judge(config(), facts(one));
    EXPECT_EQ(value(seen, "shrink"), night < 3 ? -1 : 0.9) << night;
  }
  for (int night = 4; night < 40; ++night) {
    one.copies[0].identity = std::to_string(night);
    one.history.see(one.copies[0]);
  }
  EXPECT_EQ(one.history.earlier.size(), 10u);
}

TEST(BackupJudge, TooFewAndTooOldAreSamplesOfTheirOwn) {
  const auto few = backup::judge(config("keep: 30"), facts(stock(12)));
  EXPECT_EQ(value(few, "missing"), 18);
  EXPECT_EQ(says(few, "missing"), "only 12 of 30 backups are kept; the oldest is 11 d 3 h old");
  EXPECT_EQ(value(backup::judge(config("keep: 12"), facts(stock(12))), "missing"), 0);

  EXPECT_EQ(value(backup::judge(config("delete_after: 90d"), facts(stock(92))), "outlived"), 0);  // find -mtime +90
  const auto old = backup::judge(config("delete_after: 90d"), facts(stock(95)));
  EXPECT_EQ(value(old, "outlived"), 3);
  EXPECT_EQ(says(old, "outlived"), "3 backups should have been deleted: db-1.gz is 94 d 3 h old, allowed are 90 d");
  EXPECT_EQ(value(backup::judge(config("delete_after: 24h"), facts(stock(3))), "outlived"), 1);  // a day's patience
}

TEST(BackupJudge, NamesWhatIsWrong) {
  auto none = facts({.now = now});
  EXPECT_EQ(backup::judge(config(), none).reason, "no_backup");
  EXPECT_EQ(backup::judge(config(), none).summary, "no file matches /b/*.gz");
  none.missing_folder = "/b";
  EXPECT_EQ(backup::judge(config(), none).reason, "no_folder");
  EXPECT_EQ(backup::judge(config(), none).remedy, "see whether its file system is mounted: findmnt --target /b");

  const auto empty = backup::judge(config(), facts(stock(4, 3 * hour, 0)));
  EXPECT_EQ(empty.reason, "empty");
  EXPECT_EQ(empty.summary, "the newest backup, db-4.gz, 3 h old, 0 B, is empty");

  const auto small = backup::judge(config("minimum_size: 20MiB"), facts(stock(4)));
  EXPECT_EQ(small.reason, "too_small");
  EXPECT_EQ(small.summary, "the newest backup, db-4.gz, has 10 MiB, expected at least 20 MiB");

  auto corrupt = facts(stock(4));
  corrupt.integrity.finding = {backup::Finding::What::corrupt, "its end is missing"};
  EXPECT_EQ(backup::judge(config(), corrupt).reason, "corrupt");
  EXPECT_EQ(backup::judge(config(), corrupt).summary, "db-4.gz is corrupt: its end is missing");
  EXPECT_EQ(value(backup::judge(config(), corrupt), "age"), 3 * 3600);

  corrupt.integrity.finding = {backup::Finding::What::hollow, ""};
  EXPECT_EQ(backup::judge(config(), corrupt).reason, "hollow");
  for (const auto* each : {&empty, &small}) EXPECT_EQ(each->outcome, Outcome::wrong);
}

TEST(BackupJudge, WhatCannotBeReadIsUnknownUnlessSomethingIsWrong) {
  auto closed = facts(stock(4));
  closed.integrity.trouble = unmeasured("denied:/b/db-4.gz", "vitald may not read /b/db-4.gz", "run: setfacl");
  const auto seen = backup::judge(config(), closed);
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "denied:/b/db-4.gz");
  EXPECT_EQ(value(seen, "age"), 3 * 3600);
  const auto both = backup::judge(config("minimum_size: 20MiB"), closed);
  EXPECT_EQ(both.reason, "too_small");
  EXPECT_EQ(evidence(both, "also"), "vitald may not read /b/db-4.gz");
}

TEST(BackupJudge, TheFirstOneMayStillBeComing) {
  backup::Stock coming{.now = now};
  coming.unfinished = {{"/b/db-1.gz", "x", 5 * mib, now - std::chrono::seconds(20)}};
  const auto seen = backup::judge(config(), facts(coming));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "the first backup is being written: db-1.gz, 20 s old, 5 MiB");
  EXPECT_EQ(value(seen, "kept"), 0);
  auto next = stock(2);
  next.unfinished = coming.unfinished;
  EXPECT_THAT(evidence(backup::judge(config(), facts(next)), "being written"), StartsWith("/b/db-1.gz: 5 MiB"));
}

TEST(BackupJudge, AFileOfTheFutureIsNew) {
  const auto seen = backup::judge(config(), facts(stock(2, -3 * hour)));
  EXPECT_EQ(value(seen, "age"), 0);
  EXPECT_THAT(seen.summary, HasSubstr("dated 3 h in the future"));
}

TEST(BackupJudge, ForeignNamesCannotSpoilAMessage) {
  auto hostile = stock(1);
  hostile.copies[0].name = "/b/\x1b[31m\nevil\xff.gz";
  const auto seen = backup::judge(config(), facts(hostile));
  EXPECT_THAT(seen.summary, StartsWith("?[31m evil?.gz"));
  EXPECT_EQ(evidence(seen, "backups").find('\n'), std::string::npos);
}

}  // namespace
}  // namespace vitald::probes
