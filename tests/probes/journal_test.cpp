#include "probes/journal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/remembered.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/written_journal.hpp"

namespace vitald::probes {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using vitald::testing::finish;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;
using vitald::testing::WrittenJournal;

journal::Config config(const std::string& yaml) {
  auto parsed = parse_yaml(journal::parse, yaml);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string problems(const std::string& yaml) { return parse_yaml(journal::parse, yaml).problems; }

TEST(JournalParse, TakesWhatChoosesEntries) {
  const auto all = config(R"({ match: [ panic, 'fail(ed|ure)' ], ignore: retrying, unit: [ nginx, cron.service ],
                              identifier: sshd, priority: err, since: 1h })");
  EXPECT_EQ(all.lines.match.size(), 2u);
  EXPECT_EQ(all.lines.ignore.size(), 1u);
  EXPECT_THAT(all.entries.units, ElementsAre("nginx.service", "cron.service"));
  EXPECT_THAT(all.entries.identifiers, ElementsAre("sshd"));
  EXPECT_EQ(all.entries.priority, 3);
  EXPECT_EQ(all.since, hours(1));
  EXPECT_FALSE(all.entries.kernel);
  EXPECT_TRUE(config("{ match: x, kernel: true }").entries.kernel);
  EXPECT_EQ(config("priority: emerg").entries.priority, 0);
}

TEST(JournalParse, SaysWhatIsWrong) {
  EXPECT_THAT(problems("unit: nginx"), HasSubstr("needs 'match' or 'priority'"));
  EXPECT_THAT(problems("{ match: x, priority: error }"), HasSubstr("err"));
  EXPECT_THAT(problems("{ match: x, kernel: true, unit: nginx }"), HasSubstr("'unit' is not possible with 'kernel'"));
  EXPECT_THAT(problems("{ match: x, unit: 'php*' }"), HasSubstr("expected the name of a unit, found 'php*'"));
  EXPECT_THAT(problems("match: '('"), HasSubstr("test.yaml:1"));
  EXPECT_THAT(problems("{ match: x, since: 5 }"), HasSubstr("since"));
  EXPECT_THAT(problems("{ match: x, units: nginx }"), HasSubstr("units"));
}

struct JournalRun : ::testing::Test {
  void SetUp() override {
    if (!WrittenJournal::possible()) GTEST_SKIP() << "there is no " << WrittenJournal::writer;
  }
  /// One run; what it left is what the next one finds.
  journal::Facts run(const std::string& yaml) {
    const auto facts = around.run(journal::run, config(yaml));
    around.memory = facts.memory;
    return facts;
  }
  void say(Duration after, const std::string& message, const std::string& fields = "") {
    written.add(around.clock.at.wall + after, message, fields);
  }
  void pass(Duration time) {
    around.clock.at.wall += time;
    around.clock.at.steady += time;
  }

  Surroundings around;
  WrittenJournal written{around.folder};
};

TEST_F(JournalRun, BeginsWithWhatIsNew) {
  say(seconds(-10), "an old error");
  written.flush();
  EXPECT_EQ(run("match: error").matches, 0u);
  say(seconds(-5), "a new error", "SYSLOG_IDENTIFIER=nginx\n");
  say(seconds(-4), "all well");
  written.flush();
  const auto second = run("match: error");
  EXPECT_EQ(second.matches, 1u);
  EXPECT_EQ(second.looked_at, 2u);
  EXPECT_EQ(second.newest, "nginx: a new error");
  EXPECT_FALSE(second.gap);
  EXPECT_EQ(run("match: error").looked_at, 0u);
  EXPECT_THAT(around.workers.keys, ElementsAre("journal", "journal", "journal"));
}

TEST_F(JournalRun, LooksBackAtItsFirstRunWhereItIsTold) {
  say(minutes(-90), "an error too old");
  say(minutes(-30), "an error");
  written.flush();
  EXPECT_EQ(run("{ match: error, since: 1h }").matches, 1u);
  EXPECT_EQ(run("{ match: error, since: 1h }").matches, 0u);
}

TEST_F(JournalRun, AnEmptySearchAtFirstFindsWhatComesLater) {
  say(seconds(-10), "unrelated");
  written.flush();
  EXPECT_EQ(run("{ match: ., unit: nginx }").looked_at, 0u);
  say(seconds(5), "here", "_SYSTEMD_UNIT=nginx.service\n");
  written.flush();
  pass(seconds(10));
  EXPECT_EQ(run("{ match: ., unit: nginx }").matches, 1u);
}

TEST_F(JournalRun, CountsEachEntryOnceOverManyRuns) {
  say(seconds(-1), "before");
  written.flush();
  run("match: error");
  std::uint64_t found = 0, looked_at = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < round; ++i) say(milliseconds(i), i % 3 == 0 ? "error " + std::to_string(i) : "fine");
    if (round > 0) written.flush();
    pass(seconds(1));
    const auto facts = run("match: error");
    found += facts.matches;
    looked_at += facts.looked_at;
    EXPECT_EQ(facts.entries, looked_at);
  }
  EXPECT_EQ(looked_at, 190u);
  EXPECT_EQ(found, 70u);
}

TEST_F(JournalRun, ChoosesByWhatTheJournalKnows) {
  say(seconds(-9), "start");
  written.flush();
  say(seconds(-8), "one", "_SYSTEMD_UNIT=nginx.service\nSYSLOG_IDENTIFIER=nginx\nPRIORITY=3\n");
  say(seconds(-7), "two", "UNIT=nginx.service\n_PID=1\nSYSLOG_IDENTIFIER=systemd\nPRIORITY=6\n");
  say(seconds(-6), "three", "UNIT=nginx.service\n_PID=77\nPRIORITY=6\n");  // anybody can claim that
  say(seconds(-5), "four", "_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel\nPRIORITY=4\n");
  written.flush();
  const auto count = [&](const std::string& yaml) {
    around.memory.clear();
    return run(yaml).matches;
  };
  EXPECT_EQ(count("{ match: ., since: 1h, unit: nginx }"), 2u);
  EXPECT_EQ(count("{ match: ., since: 1h, unit: nginx, priority: err }"), 1u);
  EXPECT_EQ(count("{ match: ., since: 1h, unit: [ nginx, cron ], identifier: systemd }"), 1u);
  EXPECT_EQ(count("{ match: ., since: 1h, kernel: true }"), 1u);
  EXPECT_EQ(count("{ priority: warning, since: 1h }"), 2u);
  EXPECT_EQ(count("{ match: ., since: 1h, identifier: [ kernel, nginx ] }"), 2u);
  EXPECT_EQ(count("{ match: ., ignore: [ one, two ], since: 1h }"), 3u);
}

TEST_F(JournalRun, AnotherSearchGoesOnInTime) {
  say(seconds(-9), "start");
  written.flush();
  run("match: error");
  say(seconds(-8), "error", "_SYSTEMD_UNIT=nginx.service\n");
  written.flush();
  const auto facts = run("{ match: error, unit: nginx }");
  EXPECT_EQ(facts.matches, 1u);
  EXPECT_FALSE(facts.gap);
}

TEST_F(JournalRun, EntriesThatWereDroppedUnseenAreAGap) {
  say(seconds(-9), "start");
  written.flush();
  run("match: error");
  written.drop();
  pass(hours(2));
  say(minutes(-1), "error");
  written.flush();
  const auto facts = run("match: error");
  EXPECT_TRUE(facts.gap);
  EXPECT_EQ(facts.matches, 1u);
  EXPECT_FALSE(run("match: error").gap);
}

TEST_F(JournalRun, AnOldEntryThatWentAfterItWasSeenIsNone) {
  say(seconds(-9), "of long ago", "_SYSTEMD_UNIT=nginx.service\n");
  written.flush();
  run("{ match: ., unit: nginx }");
  pass(hours(5));
  run("{ match: ., unit: nginx }");
  written.drop();
  say(minutes(-30), "from another unit");
  say(minutes(-1), "and from this one", "_SYSTEMD_UNIT=nginx.service\n");
  written.flush();
  const auto facts = run("{ match: ., unit: nginx }");
  EXPECT_FALSE(facts.gap);
  EXPECT_EQ(facts.matches, 1u);
}

TEST_F(JournalRun, AMemoryThatMakesNoSenseIsABeginning) {
  say(seconds(-9), "error");
  written.flush();
  around.memory = "at soon\ncursor x\n\xff";
  EXPECT_EQ(run("match: error").matches, 0u);
  Remembered broken;
  broken.set("at", 1e15);
  broken.set("cursor", "no cursor");
  broken.set("search", "");
  around.memory = broken.written();
  EXPECT_EQ(run("match: error").matches, 1u) << "from the remembered time on";
}

/// A clock on which each look costs a second.
struct BusyClock final : Clock {
  Now now() const override {
    at.steady += seconds(1);
    return at;
  }
  mutable Now at;
};

TEST_F(JournalRun, WhatTheTimeDoesNotSufficeForIsLeftToTheNextRun) {
  say(minutes(-59), "start");
  written.flush();
  run("match: error");
  for (int i = 0; i < 10; ++i) say(minutes(-50 + i), "error " + std::to_string(i));
  written.flush();
  BusyClock busy;
  busy.at = around.clock.at;
  auto plain = around.context();
  ProbeContext context{.network = plain.network,
                       .workers = plain.workers,
                       .helper = plain.helper,
                       .host = plain.host,
                       .clock = busy,
                       .started = plain.started,
                       .deadline = plain.started.steady + seconds(8),
                       .memory = plain.memory,
                       .phases = net::PhaseLog(busy)};
  const auto facts = finish(around.loop, journal::run(context, config("match: error")));
  EXPECT_GT(facts.matches, 0u);
  EXPECT_LT(facts.matches, 10u);
  ASSERT_TRUE(facts.behind);
  EXPECT_GT(*facts.behind, minutes(40));
  around.memory = facts.memory;
  EXPECT_EQ(run("match: error").matches, 10 - facts.matches);
}

TEST_F(JournalRun, WithoutAJournalNothingIsMeasured) {
  try {
    run("match: error");
    FAIL() << "there is no journal";
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
    EXPECT_EQ(failure.reason, "journal_missing");
  }
}

TEST_F(JournalRun, AFileThatIsNoJournalIsOurTrouble) {
  around.folder.write("/var/log/journal/00000000000000000000000000000001/system.journal", "not a journal");
  EXPECT_EQ(run("{ match: error, since: 1h }").looked_at, 0u);
}

TEST_F(JournalRun, TheLastLinesOfAUnit) {
  for (int i = 0; i < 12; ++i) {
    say(seconds(i), "line " + std::to_string(i) + "\x1b[31m", "_SYSTEMD_UNIT=nginx.service\n");
    say(seconds(i), "another's", "_SYSTEMD_UNIT=cron.service\n");
  }
  written.flush();
  EXPECT_EQ(last_journal_lines(around.folder.path(), "nginx.service", 2),
            "00:00:10 UTC line 10?[31m\n00:00:11 UTC line 11?[31m");
  EXPECT_EQ(last_journal_lines(around.folder.path(), "nobody.service", 2), "the journal has no line of it");
}

TEST(JournalJudge, SaysWhatIsNew) {
  journal::Facts facts;
  const auto cfg = config("match: error");
  EXPECT_EQ(journal::judge(cfg, facts).summary, "no new entries");
  facts.looked_at = 12;
  facts.entries = 100;
  EXPECT_EQ(journal::judge(cfg, facts).summary, "none of 12 new entries matches");
  facts.matches = 1;
  facts.newest = "nginx: error\x07";
  auto seen = journal::judge(cfg, facts);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "1 new entry matches: nginx: error?");
  EXPECT_EQ(seen.samples.at(0).value, 1);
  EXPECT_EQ(seen.samples.at(0).says, seen.summary);
  EXPECT_EQ(seen.samples.at(1).value, 100);
  facts.matches = 2;
  facts.gap = true;
  facts.behind = minutes(5);
  facts.distinct = {{"2 lines", "nginx: error"}};
  seen = journal::judge(cfg, facts);
  EXPECT_EQ(seen.summary, "2 new entries match, the last: nginx: error?");
  EXPECT_EQ(seen.samples.at(2).value, 1);
  EXPECT_EQ(seen.samples.at(3).value, 300);
  EXPECT_EQ(seen.evidence.at(0).text, "nginx: error");
  EXPECT_EQ(seen.evidence.size(), 3u);
}

}  // namespace
}  // namespace vitald::probes
