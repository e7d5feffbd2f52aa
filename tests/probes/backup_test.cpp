#include "probes/backup.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <random>

#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr Duration hour = std::chrono::hours(1), day = std::chrono::hours(24);
const Wall now = Wall{} + 20'000 * day;

backup::Config config(const std::string& yaml = "") {
  return parse_yaml(backup::parse, "files: /b/*.gz\n" + yaml).config;
}

double value(const Observation& seen, std::string_view name) {
  for (const Sample& sample : seen.samples) {
    if (sample.name == name) return sample.value;
  }
  return -1;
}
std::string evidence(const Observation& seen, std::string_view label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

TEST(BackupParse, TakesItsOptions) {
  const auto parsed = parse_yaml(backup::parse,
                                 "files: [ '/b/*.gz', /c/x ]\nminimum_size: 1MiB\nkeep: 30\ndelete_after: 90d\n"
                                 "verify: zstd\nunchanged_for: 10m\n");
  EXPECT_EQ(parsed.problems, "");
  EXPECT_THAT(parsed.config.files, ElementsAre("/b/*.gz", "/c/x"));
  EXPECT_EQ(parsed.config.rules.minimum_size, 1u << 20);
  EXPECT_EQ(parsed.config.rules.keep, 30);
  EXPECT_EQ(parsed.config.rules.delete_after, 90 * day);
  EXPECT_EQ(parsed.config.verify, backup::Verify::zstd);
  EXPECT_EQ(parsed.config.unchanged_for, std::chrono::minutes(10));
  EXPECT_EQ(parsed.config.target(), "files /b/");
  EXPECT_EQ(config().unchanged_for, std::chrono::minutes(2));
}

TEST(BackupParse, NamesMistakes) {
  const std::pair<const char*, const char*> cases[] = {
      {"verify: gzip", "check test needs 'files'"},
      {"files: b/*.gz", "expected an absolute path"},
      {"files: /b/", "not their folder"},
      {"files: []", "names no file"},
      {"files: { a: b }", "found a mapping"},
      {"files: /b/*\nverify: bzip2", "expected auto, gzip, zstd or none"},
      {"files: /b/*\nkeep: many", "keep"},
      {"files: /b/*\ndelete_after: 30", "units"},
      {"files: /b/*\ndelete_after: 1m", "from 1h to"},
      {"files: /b/*\nminimum_size: 5", "size"},
      {"files: /b/*\nkept: 5", "unknown key 'kept'"},
  };
  for (const auto& [yaml, words] : cases)
    EXPECT_THAT(parse_yaml(backup::parse, yaml).problems, HasSubstr(words)) << yaml;
}

TEST(BackupParse, GoesByTheNameUnlessItIsTold) {
  EXPECT_EQ(backup::packing_for(config(), "/b/x.gz"), Packing::gzip);
  EXPECT_EQ(backup::packing_for(config("verify: none"), "/b/x.gz"), Packing::none);
  EXPECT_EQ(backup::packing_for(config("verify: zstd"), "/b/x"), Packing::zstd);
  EXPECT_EQ(backup::packing_for(config("verify: gzip"), "/b/x"), Packing::gzip);
}

// run, on real files

std::string gzipped(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A clock that goes on by an hour at each look.
struct RunningClock final : Clock {
  Now now() const override {
    at.steady += hour;
    return at;
  }
  mutable Now at{Steady{} + hour, Wall{} + 20'000 * day};
};

class BackupRun : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text, Duration age) {
    around.folder.write(name, text);
    const auto since = std::chrono::duration_cast<std::chrono::seconds>((now - age).time_since_epoch());
    const timespec times[2] = {{.tv_sec = since.count(), .tv_nsec = 0}, {.tv_sec = since.count(), .tv_nsec = 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (around.folder.path() + name).c_str(), times, 0), 0);
  }
  /// One run with what the last one left.
  Observation observe(const backup::Config& check) {
    around.workers.keys.clear();
    auto seen = backup::judge(check, around.run(backup::run, check));
    if (seen.memory) around.memory = *seen.memory;
    return seen;
  }
  std::size_t jobs() const { return around.workers.keys.size(); }

  Surroundings around;
};

TEST_F(BackupRun, TakesTheNewestFinishedOne) {
  write("/b/1.gz", gzipped("one"), 26 * hour);
  write("/b/2.gz", gzipped("two"), 2 * hour);
  write("/b/3.gz", gzipped("three").substr(0, 10), std::chrono::seconds(30));  // still being written
  const auto seen = observe(config());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_THAT(seen.summary, StartsWith("2.gz, 2 h old"));
  EXPECT_EQ(evidence(seen, "integrity"), "2.gz decodes to its end");
  EXPECT_THAT(evidence(seen, "being written"), HasSubstr("/b/3.gz"));
  EXPECT_EQ(value(seen, "kept"), 2);
  const auto later = observe(config("unchanged_for: 10s"));
  EXPECT_EQ(later.summary, "3.gz is corrupt: its end is missing");
}

TEST_F(BackupRun, ReadsEachFileOnce) {
  write("/b/1.gz", gzipped("one"), 2 * hour);
  EXPECT_EQ(evidence(observe(config()), "integrity"), "1.gz decodes to its end");
  EXPECT_EQ(jobs(), 2u);
  EXPECT_EQ(evidence(observe(config()), "integrity"), "1.gz decodes to its end");
  EXPECT_EQ(jobs(), 1u);  // only looked for
  write("/b/1.gz", gzipped(std::string(100'000, 'x')).substr(0, 100), hour);
  EXPECT_EQ(observe(config()).reason, "corrupt");
  EXPECT_EQ(observe(config()).summary, "1.gz is corrupt: its end is missing");
  EXPECT_EQ(jobs(), 1u);
  write("/b/1.gz", gzipped(""), hour);
  EXPECT_EQ(observe(config()).reason, "hollow");
  EXPECT_EQ(observe(config()).reason, "hollow");
  EXPECT_EQ(jobs(), 1u);
}

TEST_F(BackupRun, ALargeFileTakesSeveralRuns) {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> noise(3u << 20);  // 24 MiB that gzip cannot make smaller
  std::generate(noise.begin(), noise.end(), random);
  const std::string text(reinterpret_cast<const char*>(noise.data()), noise.size() * sizeof(std::uint64_t));
  write("/b/1.gz", gzipped(text), 2 * hour);
  const auto check = config();
  RunningClock clock;
  std::vector<std::string> progress;
  for (int run = 0; run < 10; ++run) {
    probes::ProbeContext context{.network = *around.network,
                                 .workers = around.workers,
                                 .helper = around.helper,
                                 .host = around.host,
                                 .clock = clock,
                                 .started = clock.now(),
                                 .deadline = clock.now().steady,
                                 .memory = around.memory,
                                 .phases = net::PhaseLog(clock)};
    const auto seen = backup::judge(check, vitald::testing::finish(around.loop, backup::run(context, check)));
    EXPECT_EQ(seen.outcome, Outcome::answered);
    progress.push_back(evidence(seen, "integrity"));
    if (progress.back() == "1.gz decodes to its end") break;
    EXPECT_THAT(progress.back(), HasSubstr("so far; the next runs go on"));
  }
  EXPECT_GE(progress.size(), 3u);
  EXPECT_EQ(progress.back(), "1.gz decodes to its end");
}

TEST_F(BackupRun, WhereNothingIs) {
  EXPECT_EQ(observe(config()).reason, "no_folder");
  around.folder.make("/b");
  EXPECT_EQ(observe(config()).reason, "no_backup");
  write("/b/1.gz", "", 2 * hour);
  EXPECT_EQ(observe(config()).reason, "empty");
  EXPECT_EQ(jobs(), 1u);
}

TEST_F(BackupRun, WithoutVerifyNothingIsRead) {
  write("/b/1.gz", "no gzip file", 2 * hour);
  EXPECT_EQ(observe(config("verify: none")).outcome, Outcome::answered);
  EXPECT_EQ(observe(config()).summary, "1.gz is corrupt: it is no gzip file");
}

TEST_F(BackupRun, DamagedMemoryDoesNoHarm) {
  write("/b/1.gz", gzipped("one"), 2 * hour);
  for (const auto* damaged : {"verified", "newest x\nsize many\nearlier a b c", "\n\n \xff", "finding corrupt"}) {
    around.memory = damaged;
    EXPECT_EQ(observe(config()).outcome, Outcome::answered) << damaged;
  }
}

TEST(BackupFinding, SurvivesTheMemory) {
  for (const auto& finding :
       {backup::Finding{}, backup::Finding{backup::Finding::What::hollow, ""},
        backup::Finding{backup::Finding::What::corrupt, "its data are damaged (incorrect data check)"}}) {
    const auto back = backup::finding_from(backup::to_text(finding));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->what, finding.what);
    EXPECT_EQ(back->words, finding.words);
  }
  EXPECT_EQ(backup::finding_from("something"), std::nullopt);
}

}  // namespace
}  // namespace vitald::probes
