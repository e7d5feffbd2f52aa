#include "probes/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "probes/distinct_lines.hpp"
#include "probes/log_names.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

std::string problems(const std::string& yaml) { return parse_yaml(log::parse, yaml).problems; }

TEST(LogParse, TakesOneOrMany) {
  const auto one =
      parse_yaml(log::parse, "{ file: /var/log/a.log, match: ERROR, limits: { matches: { warning: 1 } } }");
  EXPECT_THAT(one.problems, HasSubstr("limits"));  // the daemon reads those, not the probe
  const auto many =
      parse_yaml(log::parse,
                 "{ file: [ /var/log/a.log, /srv/*/b.log ], match: [ ERROR, CRITICAL ], ignore: [ harmless ],"
                 " from: start, missing: ok, rotated: { within: 25h, files: /var/log/old/a.log* } }");
  EXPECT_EQ(many.problems, "");
  EXPECT_THAT(many.config.files, ElementsAre("/var/log/a.log", "/srv/*/b.log"));
  EXPECT_EQ(many.config.lines.match.size(), 2u);
  EXPECT_TRUE(many.config.from_start);
  EXPECT_EQ(many.config.missing, Missing::ok);
  EXPECT_EQ(many.config.rotated_within, std::chrono::hours(25));
  EXPECT_EQ(many.config.target(), "log:/var/log/a.log");
}

TEST(LogParse, SaysWhatDoesNotFit) {
  EXPECT_THAT(problems("{ file: /a, ignore: x }"), HasSubstr("needs 'match', 'rotated', or a limit"));
  EXPECT_THAT(problems("{ file: /a, ignore: x, rotated: {} }"), HasSubstr("'ignore' needs 'match'"));
  EXPECT_THAT(problems("{ file: a.log, match: x }"), HasSubstr("expected an absolute path"));
  EXPECT_THAT(problems("{ file: /a, match: '(' }"), HasSubstr("no valid regular expression"));
  EXPECT_THAT(problems("{ match: x }"), HasSubstr("file"));
  EXPECT_THAT(problems("{ file: /a, match: x, form: start }"), HasSubstr("from"));
  EXPECT_THAT(problems("{ file: /a, match: x, missing: maybe }"), HasSubstr("unknown, ok or fault"));
  EXPECT_THAT(problems("{ file: /a, rotated: { within: 25 } }"), HasSubstr("duration"));
  EXPECT_THAT(problems("{ file: /a, rotated: { files: old } }"), HasSubstr("expected an absolute path"));
}

TEST(LogNames, KnowWhatRotationMakes) {
  for (const auto* name :
       {"app.log.1", "app.log.12.gz", "app.log-20261128", "app.log-20261128.xz", "app-20261128.log", "app.1.log.gz",
        "app__2026-11-28_00-00-00.log", "app.log.old", "app.log-2026-11-28T00:00:00Z"}) {
    EXPECT_TRUE(is_rotated_name("app.log", name)) << name;
  }
  for (const auto* name : {"app.log", "app.log.gz", "app.log.bak", "app2.log", "app-worker.log", "app.log.",
                           "app.log.x1", "other.log.1", "app.log.lock", "app.log-", "app.logs.1"}) {
    EXPECT_FALSE(is_rotated_name("app.log", name)) << name;
  }
  EXPECT_TRUE(is_rotated_name("syslog", "syslog.1"));
  EXPECT_FALSE(is_rotated_name("syslog", "syslog-ng"));
}

TEST(DistinctLines, AreMasked) {
  EXPECT_EQ(masked("[2026-11-28 02:13:41] job 7f3c91d2 failed"), "[#-#-# #:#:#] job # failed");
  EXPECT_EQ(masked(""), "");
}

TEST(DistinctLines, AreCountedOverRuns) {
  const Wall now{std::chrono::hours(1000)};
  DistinctLines first(now);
  for (int i = 0; i < 3; ++i) first.add("user " + std::to_string(i) + " failed");
  first.add("disk is full\x1b[31m");
  Remembered memory;
  first.write(memory);
  DistinctLines second(Remembered::read(memory.written()), now + std::chrono::minutes(59));
  second.add("user 77 failed");
  const auto evidence = second.evidence();
  ASSERT_EQ(evidence.size(), 2u);
  EXPECT_EQ(evidence[0].label, "4 times");
  EXPECT_EQ(evidence[0].text, "user 77 failed");
  EXPECT_EQ(evidence[1].label, "1 time");
  EXPECT_THAT(evidence[1].text, ::testing::Not(HasSubstr("\x1b")));
  EXPECT_THAT(DistinctLines(Remembered::read(memory.written()), now + std::chrono::minutes(61)).evidence(), IsEmpty());
}

TEST(DistinctLines, AreBounded) {
  DistinctLines lines(Wall{});
  for (int i = 0; i < 1000; ++i)
    lines.add(std::string(static_cast<std::size_t>(i % 300), 'x') + std::string(1000, 'y'));
  EXPECT_EQ(lines.evidence(100).size(), 12u);
}

class LogRun : public ::testing::Test {
 protected:
  LogRun() { around.clock.at.wall = std::chrono::system_clock::now() + std::chrono::minutes(1); }

  Observation run(const std::string& yaml) {
    const auto parsed = parse_yaml(log::parse, yaml);
    EXPECT_EQ(parsed.problems, "");
    auto seen = log::judge(parsed.config, around.run(log::run, parsed.config));
    if (seen.memory) around.memory = *seen.memory;
    return seen;
  }
  Observation errors() { return run("{ file: /var/log/app.log, match: ERROR, ignore: harmless }"); }

  void append(const std::string& text, const std::string& name = "/var/log/app.log") {
    around.folder.make("/var/log");
    std::ofstream(around.folder.path() + name, std::ios::app | std::ios::binary) << text;
  }
  std::string real(const std::string& path) const { return around.folder.path() + path; }

  static double value(const Observation& seen, std::string_view name) {
    for (const Sample& sample : seen.samples) {
      if (sample.name == name) return sample.value;
    }
    return -1;
  }

  Surroundings around;
};

TEST_F(LogRun, CountsWhatIsNew) {
  append("old ERROR\n");
  EXPECT_EQ(value(errors(), "matches"), 0);
  append("[1] ERROR one\n[2] info\n[3] ERROR harmless\n[4] ERROR two\r\n");
  const auto seen = errors();
  EXPECT_EQ(value(seen, "matches"), 2);
  EXPECT_EQ(value(seen, "lines"), 4);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "2 new lines match, the last: [4] ERROR two");
  EXPECT_EQ(seen.samples.at(0).says, seen.summary);
  EXPECT_EQ(value(errors(), "matches"), 0);
  EXPECT_EQ(value(errors(), "lines"), 4);
  EXPECT_EQ(errors().summary, "none of 0 new lines in /var/log/app.log matches");
  EXPECT_EQ(around.workers.keys.back(), "log:/var/log/app.log");
}

TEST_F(LogRun, AHalfWrittenLineWaitsForItsNewline) {
  append("x\nERR");
  errors();
  append("OR a");
  EXPECT_EQ(value(errors(), "matches"), 0);
  append("nd more\nERROR");
  EXPECT_EQ(value(errors(), "matches"), 1);
  append("\n");
  EXPECT_EQ(value(errors(), "matches"), 1);
}

TEST_F(LogRun, BeginsAtTheStartWhereItIsTold) {
  append("ERROR old\n");
  EXPECT_EQ(value(run("{ file: /var/log/app.log, match: ERROR, from: start }"), "matches"), 1);
}

TEST_F(LogRun, ALogThatComesLaterIsReadFromItsStart) {
  const auto before = errors();
  EXPECT_EQ(before.outcome, Outcome::unmeasured);
  EXPECT_EQ(before.reason, "missing:/var/log/app.log");
  EXPECT_EQ(before.summary, "/var/log/app.log does not exist");
  append("ERROR first\n");
  EXPECT_EQ(value(errors(), "matches"), 1);
}

TEST_F(LogRun, MissingIsWhatTheCheckSays) {
  EXPECT_EQ(run("{ file: /no.log, match: x, missing: ok }").outcome, Outcome::answered);
  around.memory.clear();
  const auto fault = run("{ file: /no.log, match: x, missing: fault }");
  EXPECT_EQ(fault.outcome, Outcome::wrong);
  EXPECT_EQ(fault.reason, "missing");
  around.memory.clear();
  EXPECT_EQ(run("{ file: /no/*.log, match: x, missing: fault }").summary, "no file matches /no/*.log");
  EXPECT_EQ(run("{ file: /no/*.log, match: x }").outcome, Outcome::unmeasured);
}

TEST_F(LogRun, ALogThatWasJustRenamedIsNotMissing) {
  append("x\n");
  errors();
  append("ERROR the last words\n");
  std::filesystem::rename(real("/var/log/app.log"), real("/var/log/app.log.1"));
  const auto seen = errors();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(value(seen, "matches"), 1);
}

TEST_F(LogRun, OneOfTheSameSizeInItsPlaceIsAnother) {
  append("ERROR 1\n");
  errors();
  std::filesystem::remove(real("/var/log/app.log"));
  append("ERROR 2\n");
  EXPECT_EQ(value(errors(), "matches"), 1);
  const auto seen = errors();
  EXPECT_EQ(value(seen, "gaps"), 1);
  EXPECT_THAT(seen.evidence.back().text, HasSubstr("was emptied, deleted or replaced"));
  EXPECT_EQ(value(errors(), "gaps"), 0);
}

TEST_F(LogRun, AHoleInFrontIsNoLine) {
  append("x\n");
  errors();
  std::filesystem::resize_file(real("/var/log/app.log"), 0);
  std::filesystem::resize_file(real("/var/log/app.log"), 300'000'000);
  append("ERROR behind the hole\n");
  EXPECT_EQ(errors().summary, "1 new line matches: ERROR behind the hole");
}

TEST_F(LogRun, LinesHaveABound) {
  append("x\n");
  errors();
  append("ERROR " + std::string(3'000'000, 'x'));
  EXPECT_EQ(value(errors(), "matches"), 1);
  append(" ERROR still the same line ERROR\nERROR next\n");
  EXPECT_EQ(value(errors(), "matches"), 1);
}

TEST_F(LogRun, PatternsFindLogsButNoRotatedOnes) {
  append("x\n", "/var/log/a.log");
  append("x\n", "/var/log/b.log");
  append("ERROR\n", "/var/log/b.log.1");
  const std::string check = "{ file: /var/log/*.log*, match: ERROR }";
  EXPECT_EQ(value(run(check), "matches"), 0);
  append("ERROR\n", "/var/log/a.log");
  append("ERROR\n", "/var/log/b.log");
  append("ERROR new\n", "/var/log/c.log");
  EXPECT_EQ(value(run(check), "matches"), 3);
  std::filesystem::copy_file(real("/var/log/a.log"), real("/var/log/a.log.2"));
  append("not a log", "/var/log/d.log.gz");
  EXPECT_EQ(value(run(check), "matches"), 0);
}

TEST_F(LogRun, TooManyLogsAreSaidToBe) {
  for (int i = 0; i < 101; ++i) append("x\n", "/var/log/x" + std::to_string(i) + "y.log");
  const auto parsed = parse_yaml(log::parse, "{ file: /var/log/*.log, match: ERROR }");
  try {
    around.run(log::run, parsed.config);
    FAIL();
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.reason, "too_many_logs");
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
  }
}

TEST_F(LogRun, AFolderIsNoLog) {
  around.folder.make("/var/log/app.log");
  const auto seen = errors();
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "not_a_file:/var/log/app.log");
}

TEST_F(LogRun, AFifoDoesNotHoldIt) {
  around.folder.make("/var/log");
  ASSERT_EQ(::mkfifo(real("/var/log/app.log").c_str(), 0600), 0);
  EXPECT_EQ(errors().reason, "not_a_file:/var/log/app.log");
}

TEST_F(LogRun, RubbishInTheMemoryIsAFirstRun) {
  append("ERROR\n");
  errors();
  for (const std::string& text : {std::string("log.0 /var/log/app.log\\n1 2 3"), std::string("\x01\x02"),
                                  around.memory.substr(0, around.memory.size() / 2)}) {
    around.memory = text;
    const auto seen = errors();
    EXPECT_GE(value(seen, "matches"), 0) << text;
  }
}

TEST_F(LogRun, ReadsABoundedAmountAndTheRestLater) {
  append("x\n");
  errors();
  std::string lines;
  for (int i = 0; i < 800; ++i) lines += "ERROR " + std::string(1000, '.') + "\n";
  for (int i = 0; i < 100; ++i) append(lines);
  double matches = 0;
  auto seen = errors();
  EXPECT_GT(value(seen, "lag"), 0);
  EXPECT_THAT(seen.evidence.back().text, HasSubstr("are left for the next run"));
  for (int i = 0; i < 3; ++i) {
    matches += value(seen, "matches");
    seen = errors();
  }
  EXPECT_EQ(matches, 80'000);
  EXPECT_EQ(value(seen, "lag"), 0);
}

TEST_F(LogRun, RotationIsWatched) {
  const std::string check = "{ file: /var/log/app.log, rotated: { within: 25h } }";
  append("x\n");
  EXPECT_EQ(run(check).outcome, Outcome::answered);  // nobody knows yet
  around.clock.at.wall += std::chrono::hours(26);
  const auto never = run(check);
  EXPECT_EQ(never.reason, "never_rotated");
  EXPECT_EQ(never.summary, "/var/log/app.log has no rotated file, expected one every 1 d 1 h");
  append("x\n", "/var/log/app.log.1.gz");
  const auto old = run(check);
  EXPECT_EQ(old.reason, "not_rotated");
  EXPECT_THAT(old.summary, HasSubstr("/var/log/app.log was last rotated"));
  EXPECT_GT(value(old, "rotated_age"), 0);
  EXPECT_EQ(value(old, "matches"), -1);
  struct stat facts {};
  ASSERT_EQ(::stat(real("/var/log/app.log.1.gz").c_str(), &facts), 0);
  around.clock.at.wall = Wall(std::chrono::seconds(facts.st_ctim.tv_sec)) + std::chrono::hours(24);
  EXPECT_EQ(run(check).outcome, Outcome::answered);
}

TEST_F(LogRun, RotatedFilesMayBeElsewhere) {
  append("x\n");
  errors();
  append("ERROR moved away\n");
  around.folder.make("/var/log/old");
  std::filesystem::rename(real("/var/log/app.log"), real("/var/log/old/app.log-20261128"));
  append("ERROR new\n");
  const auto seen = run("{ file: /var/log/app.log, match: ERROR, rotated: { files: /var/log/old/app.log* } }");
  EXPECT_EQ(value(seen, "matches"), 2);
}

TEST_F(LogRun, AnEmptyLogThatWasFilledCutFilledAndRenamedCountsOnce) {
  const std::string log = "/var/log/app.log";
  const auto written = [&](const std::string& name, int seconds) {
    std::filesystem::last_write_time(real(name),
                                     std::filesystem::file_time_type::clock::now() + std::chrono::seconds(seconds));
  };
  append("");
  errors();
  append("1 ERROR which is in the copy, and is long enough that nothing else is like it by chance\n", log + ".2");
  written(log + ".2", 1);
  append("2 ERROR short\n");
  std::filesystem::rename(real(log), real(log + ".1"));
  written(log + ".1", 2);
  EXPECT_EQ(value(errors(), "matches"), 2);
  // Packed, it is known by its content and by the place in time that it has among the others.
  std::filesystem::copy_file(real(log + ".1"), real(log + ".3"));
  std::filesystem::remove(real(log + ".1"));
  written(log + ".3", 2);
  EXPECT_EQ(value(errors(), "matches"), 0);
}

}  // namespace
}  // namespace vitald::probes
