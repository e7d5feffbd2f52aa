#include "probes/heartbeat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/units.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes::heartbeat {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::parse_yaml;
using ::testing::StartsWith;
using Kind = Ping::Kind;

Wall utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const auto date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return Wall(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute);
}

Config config_of(const std::string& yaml) {
  auto parsed = parse_yaml(parse, yaml);
  EXPECT_EQ(parsed.problems, "");
  return std::move(parsed.config);
}

/// A check through time: what it remembers is handed on, as the daemon does it.
struct Life {
  explicit Life(const std::string& yaml, Wall begin = utc(2026, 11, 23)) : config(config_of(yaml)), now(begin) {
    listening_since = now;
    look();
  }
  Observation look() { return keep(judge(config, {read_history(memory), now, listening_since})); }
  Observation ping(Kind kind = Kind::success, std::optional<int> code = {}, const std::string& output = "") {
    const Ping one{kind, code, output, ""};
    Observation seen = take(config, one, memory, {Steady{}, now}, listening_since);
    EXPECT_TRUE(seen.memory) << "a ping is always to be stored";
    return keep(std::move(seen));
  }
  Observation after(Duration wait) {
    now += wait;
    return look();
  }
  void restart(Duration away) {
    now += away;
    listening_since = now;
  }
  Observation keep(Observation seen) {
    if (seen.memory) memory = *seen.memory;
    return seen;
  }

  Config config;
  Wall now, listening_since;
  std::string memory;
};

std::string said(const Observation& seen) {
  const char* outcome = seen.outcome == Outcome::answered ? "ok"
                        : seen.outcome == Outcome::wrong  ? "wrong"
                                                          : "unmeasured";
  return std::string(outcome) + (seen.reason.empty() ? "" : " " + seen.reason) + ": " + seen.summary;
}

std::string evidence(const Observation& seen, std::string_view label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

std::optional<double> sample(const Observation& seen, std::string_view name) {
  for (const Sample& each : seen.samples) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

constexpr const char* every_minute = "{ expect_every: 1m, grace: 2m }";

// ---- configuration

TEST(HeartbeatParse, TakesAnIntervalOrTheTimesOfACrontab) {
  const Config interval = config_of("{ expect_every: 1m, grace: 2m, max_run: 10m, token: { env: PING } }");
  EXPECT_EQ(interval.expect_every, 1min);
  EXPECT_EQ(interval.grace, 2min);
  EXPECT_EQ(interval.max_run, 10min);
  EXPECT_EQ(interval.token->name(), "PING");
  const Config weekly = config_of("{ cron: '0 7 * * 1', timezone: Europe/Istanbul }");
  EXPECT_EQ(weekly.cron->text(), "0 7 * * 1");
  EXPECT_EQ(weekly.zone.name(), "Europe/Istanbul");
  EXPECT_EQ(weekly.grace, 5min);
}

TEST(HeartbeatParse, SaysWhatIsWrong) {
  const auto problems = [](const std::string& yaml) { return parse_yaml(parse, yaml).problems; };
  EXPECT_THAT(problems("{}"), HasSubstr("check test needs either 'expect_every', such as 1h, or 'cron', such as"));
  EXPECT_THAT(problems("{ expect_every: 1m, cron: '@daily' }"), HasSubstr("needs either 'expect_every'"));
  EXPECT_THAT(problems("{ expect_every: 1m, timezone: UTC }"), HasSubstr("'timezone' is of use with 'cron' only"));
  EXPECT_THAT(problems("{ cron: '0 25 * * *' }"), HasSubstr("hour of a cron expression: expected 0 to 23"));
  EXPECT_THAT(problems("{ cron: '@daily', timezone: Europe/Istambul }"), HasSubstr("did you mean 'Europe/Istanbul'?"));
  EXPECT_THAT(problems("{ expect_every: 60 }"), HasSubstr("expected a duration such as 30s"));
  EXPECT_THAT(problems("{ expect_every: 0s }"), HasSubstr("expected a duration from 1s to"));
  EXPECT_THAT(problems("{ expect_every: 1m, tokn: x }"), HasSubstr("did you mean 'token'?"));
}

// ---- time

TEST(Heartbeat, WaitsForTheFirstPingBeforeAnythingIsWrong) {
  Life life(every_minute);
  EXPECT_EQ(said(life.after(2min + 59s)), "ok: waiting for the first ping, which must come by 2026-11-23 00:03:00 UTC");
  const Observation late = life.after(1s);
  EXPECT_EQ(said(late), "wrong never: no ping ever came, the first was due at 2026-11-23 00:01:00 UTC");
  EXPECT_THAT(late.remedy, HasSubstr("journalctl -t CRON"));
  EXPECT_THAT(said(life.ping()), StartsWith("ok: pinged "));
}

TEST(Heartbeat, IsLateWhenTheGraceEndsAndNotBefore) {
  Life life(every_minute);
  const Observation fine = life.ping();
  EXPECT_EQ(fine.look_again, life.now + 3min) << "to the moment, whatever `every` says";
  EXPECT_EQ(said(life.after(2min + 59s)), "ok: pinged 2 min 59 s ago, next by 2026-11-23 00:03:00 UTC");
  const Observation late = life.after(1s);
  EXPECT_EQ(said(late), "wrong late: no ping for 3 min, expected every 1 min");
  EXPECT_EQ(evidence(late, "last ping"), "2026-11-23 00:00:00 UTC, success");
  EXPECT_EQ(sample(late, "since_ping"), 180.0);
  EXPECT_FALSE(late.look_again);
  EXPECT_THAT(said(life.after(24h)), StartsWith("wrong late: no ping for 1 d,"));
  EXPECT_THAT(said(life.ping()), StartsWith("ok: "));
}

TEST(Heartbeat, FollowsACrontab) {
  Life life("{ cron: '0 7 * * 1', timezone: UTC, grace: 30m }");  // from a Monday, 00:00
  EXPECT_EQ(said(life.after(7h)), "ok: waiting for the first ping, which must come by 2026-11-23 07:30:00 UTC");
  life.now = utc(2026, 11, 23, 7, 1);
  EXPECT_EQ(said(life.ping()), "ok: pinged 1 s ago, next by 2026-11-30 07:30:00 UTC");
  life.now = utc(2026, 11, 30, 7, 29);
  EXPECT_EQ(life.look().outcome, Outcome::answered);
  EXPECT_EQ(said(life.after(1min)), "wrong late: no ping for 7 d, one was due at 2026-11-30 07:00:00 UTC");
  life.ping();
  life.now = utc(2026, 12, 7, 7, 29);
  EXPECT_EQ(life.look().outcome, Outcome::answered) << "a late ping does not move the next one";
}

TEST(Heartbeat, TakesAPingThatIsALittleEarlyForTheOneThatIsDue) {
  Life life("{ cron: '0 7 * * *', timezone: UTC, grace: 10m }");
  life.now = utc(2026, 11, 23, 7) - 2s;  // another host's clock
  EXPECT_THAT(said(life.ping()), HasSubstr("next by 2026-11-24 07:10:00 UTC"));
  life.now = utc(2026, 11, 24, 6, 59);
  EXPECT_THAT(said(life.ping()), HasSubstr("next by 2026-11-24 07:10:00 UTC")) << "a minute is not a little";
}

TEST(Heartbeat, FollowsTheClockThroughASummer) {
  Life life("{ cron: '30 2 * * *', timezone: Europe/Berlin, grace: 10m }", utc(2026, 3, 28, 1, 31));
  EXPECT_THAT(said(life.ping()), HasSubstr("next by 2026-03-29 01:10:00 UTC")) << "02:30 does not exist: 03:00 it is";
  life.now = utc(2026, 3, 29, 1);
  EXPECT_THAT(said(life.ping()), HasSubstr("next by 2026-03-30 00:40:00 UTC"));
  life.now = utc(2026, 10, 25, 0, 30);
  EXPECT_THAT(said(life.ping()), HasSubstr("next by 2026-10-26 01:40:00 UTC"))
      << "02:30 exists twice: the first counts";
}

// ---- runs

TEST(Heartbeat, MeasuresARunFromItsStartToItsEnd) {
  Life life("{ expect_every: 1h, max_run: 30m }");
  const Observation running = life.ping(Kind::start);
  EXPECT_EQ(said(running), "ok: running for 1 s");
  EXPECT_EQ(running.look_again, life.now + 30min);
  EXPECT_EQ(said(life.after(10min)), "ok: running for 10 min");
  life.now += 2min;
  const Observation done = life.ping(Kind::success, 0);
  EXPECT_THAT(said(done), StartsWith("ok: finished in 12 min, pinged 1 s ago"));
  EXPECT_EQ(sample(done, "run_time"), 720.0);
  EXPECT_EQ(sample(life.after(5min), "run_time"), 720.0);
  EXPECT_FALSE(sample(life.ping(), "run_time")) << "no start was told";
}

TEST(Heartbeat, TellsOfARunThatIsPastItsLimit) {
  Life life("{ expect_every: 1h, max_run: 30m }");
  life.ping(Kind::start);
  EXPECT_EQ(said(life.after(30min)), "wrong overrun: started 30 min ago and not finished, its limit is 30 min");
  EXPECT_THAT(said(life.ping()), StartsWith("ok: finished in 30 min"));
}

TEST(Heartbeat, WithoutALimitARunMustHaveEndedWhenTheNextIsDue) {
  Life life("{ expect_every: 1h, grace: 5m }");
  life.ping(Kind::start);
  EXPECT_EQ(life.after(64min).outcome, Outcome::answered);
  EXPECT_EQ(said(life.after(1min)),
            "wrong unfinished: started 1 h 5 min ago and not finished, due again at 2026-11-23 01:00:00 UTC");
}

TEST(Heartbeat, AJobThatBeginsAgainAndAgainHasNotFinished) {
  Life life("{ expect_every: 1m, grace: 2m }");
  Observation seen;
  for (int i = 0; i < 5; ++i) {
    seen = life.ping(Kind::start);
    life.now += 1min;
  }
  EXPECT_THAT(said(life.look()), StartsWith("wrong unfinished: started 5 min ago and not finished"));
  const Observation done = life.ping();
  EXPECT_EQ(sample(done, "run_time"), 60.0) << "of the latest start";
}

TEST(Heartbeat, TellsOfAFailureUntilASuccess) {
  Life life(every_minute);
  const Observation failed = life.ping(Kind::failure, 3, "copying\nrsync: connection \x1b[31mlost\n\n");
  EXPECT_EQ(said(failed), "wrong failed: the job failed with exit code 3");
  EXPECT_EQ(evidence(failed, "its last output"), "copying\nrsync: connection ?[31mlost");
  EXPECT_EQ(evidence(failed, "last ping"), "2026-11-23 00:00:00 UTC, failed with exit code 3");
  EXPECT_EQ(said(life.after(1min)), "wrong failed: the job failed with exit code 3");
  EXPECT_EQ(said(life.ping(Kind::start)), "wrong failed: the job failed with exit code 3") << "nothing is better yet";
  const Observation well = life.ping();
  EXPECT_EQ(well.outcome, Outcome::answered);
  EXPECT_EQ(sample(well, "failures"), 1.0);
  EXPECT_EQ(said(life.ping(Kind::failure)), "wrong failed: the job reported a failure");
  EXPECT_EQ(sample(life.ping(Kind::failure), "failures"), 3.0);
}

TEST(Heartbeat, AFailedJobThatDoesNotComeBackIsLateAsWell) {
  Life life(every_minute);
  life.ping(Kind::failure, 1);
  const Observation seen = life.after(3min);
  EXPECT_EQ(said(seen), "wrong late: no ping for 3 min, expected every 1 min");
  EXPECT_EQ(evidence(seen, "also"), "the job failed with exit code 1");
}

TEST(Heartbeat, AFailureAndASuccessInOneMomentAreBothJudged) {
  Life life(every_minute);
  EXPECT_EQ(life.ping(Kind::failure, 1).outcome, Outcome::wrong);
  const Observation after = life.ping();
  EXPECT_EQ(after.outcome, Outcome::answered);
  EXPECT_EQ(sample(after, "failures"), 1.0);
}

TEST(Heartbeat, KeepsTheEndOfALongOutput) {
  Life life(every_minute);
  std::string output;
  for (int i = 0; i < 400; ++i) output += "line " + std::to_string(i) + " " + std::string(300, 'x') + "\n";
  const std::string kept = evidence(life.ping(Kind::failure, 1, output), "its last output");
  EXPECT_THAT(kept, StartsWith("line 388 "));
  EXPECT_LT(life.memory.size(), 4096U);
}

// ---- restarts

TEST(HeartbeatRestart, WhatWasPingedIsStillKnown) {
  Life life(every_minute);
  life.ping();
  life.now += 30s;
  life.restart(20s);
  EXPECT_EQ(said(life.look()), "ok: pinged 50 s ago, next by 2026-11-23 00:03:00 UTC");
}

TEST(HeartbeatRestart, ARunPastItsLimitIsCriticalAtOnce) {
  Life life("{ expect_every: 24h, max_run: 1h }");
  life.ping(Kind::start);
  life.now += 1min;
  life.restart(3h);
  EXPECT_THAT(said(life.look()), StartsWith("wrong overrun: started 3 h 1 min ago"));
}

TEST(HeartbeatRestart, WhatFellDueWhileNobodyListenedIsUnknownUntilTheNext) {
  Life life("{ cron: '0 7 * * *', timezone: UTC, grace: 10m }", utc(2026, 11, 23, 7));
  life.ping();
  life.now = utc(2026, 11, 24, 6, 50);
  life.restart(1h);  // 07:00 to 07:10 passed unheard
  const Observation unheard = life.look();
  EXPECT_EQ(said(unheard),
            "unmeasured not_heard: nobody listened all the time when a ping was due at 2026-11-24 07:00:00 UTC: vitald "
            "was not running, or the clock was set");
  EXPECT_THAT(unheard.remedy, HasSubstr("due at 2026-11-25 07:00:00 UTC"));
  EXPECT_EQ(unheard.look_again, utc(2026, 11, 25, 7, 10));
  life.now = utc(2026, 11, 25, 7, 9);
  EXPECT_EQ(life.look().outcome, Outcome::unmeasured);
  EXPECT_EQ(said(life.after(1min)), "wrong late: no ping for 2 d, one was due at 2026-11-24 07:00:00 UTC");
  EXPECT_EQ(life.ping().outcome, Outcome::answered);
}

TEST(HeartbeatRestart, APingInsideTheGraceCanHaveBeenUnheardAsWell) {
  Life life("{ cron: '0 7 * * *', timezone: UTC, grace: 10m }", utc(2026, 11, 23, 7));
  life.ping();
  life.now = utc(2026, 11, 24, 7, 1);
  life.restart(1min);
  EXPECT_EQ(life.look().outcome, Outcome::answered);
  EXPECT_THAT(said(life.after(8min)), StartsWith("unmeasured not_heard"));
}

TEST(HeartbeatRestart, AnIntervalIsExcusedForOneTurnOnly) {
  Life life("{ expect_every: 1h, grace: 10m }");
  life.ping();
  life.now += 30min;
  life.restart(4h);  // 04:30; due were 01:00, 02:00, 03:00 and 04:00
  EXPECT_THAT(said(life.look()), StartsWith("unmeasured not_heard"));
  life.now = utc(2026, 11, 23, 4, 45);
  life.restart(5min);
  EXPECT_THAT(said(life.look()), StartsWith("unmeasured not_heard"));
  life.now = utc(2026, 11, 23, 5, 10);
  EXPECT_THAT(said(life.look()), StartsWith("wrong late")) << "a second restart gains it nothing";
}

TEST(HeartbeatRestart, WhatWasMissedBeforeStaysMissed) {
  Life life(every_minute);
  life.ping();
  EXPECT_THAT(said(life.after(3min)), StartsWith("wrong late"));
  life.restart(1h);
  EXPECT_THAT(said(life.look()), StartsWith("wrong late: no ping for 1 h 3 min"));
  life.ping();
  life.restart(1h);
  EXPECT_THAT(said(life.look()), StartsWith("unmeasured not_heard")) << "the ping ended that";
}

TEST(HeartbeatRestart, AFailureStaysOneEvenWhereTheNextPingWasUnheard) {
  Life life(every_minute);
  life.ping(Kind::failure, 2);
  life.restart(1h);
  const Observation seen = life.look();
  EXPECT_EQ(said(seen), "wrong failed: the job failed with exit code 2");
  EXPECT_THAT(evidence(seen, "also"), HasSubstr("nobody listened"));
}

TEST(HeartbeatRestart, AClockThatWasSetBackDelaysAtMostByOneTurn) {
  Life life(every_minute);
  life.ping();
  life.now -= 2h;
  life.listening_since = life.now;
  EXPECT_EQ(life.look().outcome, Outcome::answered);
  EXPECT_THAT(said(life.after(3min)), StartsWith("wrong late"));
}

// ---- what is remembered

TEST(HeartbeatHistory, ComesBackAsItWasWritten) {
  History history{.ended = utc(2026, 11, 23) + 5ms,
                  .started = utc(2026, 11, 24),
                  .unfinished = utc(2026, 11, 22),
                  .took = 1500ms,
                  .exit_code = 3,
                  .failed = true,
                  .failures = 7,
                  .missed = true,
                  .output = "a b\nc\\d \xc3\xa4"};
  const History back = read_history(written(history));
  EXPECT_EQ(back.ended, history.ended);
  EXPECT_EQ(back.started, history.started);
  EXPECT_EQ(back.unfinished, history.unfinished);
  EXPECT_EQ(back.took, history.took);
  EXPECT_EQ(back.exit_code, 3);
  EXPECT_TRUE(back.failed && back.missed);
  EXPECT_EQ(back.failures, 7);
  EXPECT_EQ(back.output, history.output);
  EXPECT_EQ(written(back), written(history));
  EXPECT_FALSE(read_history("ended soon\nexit_code 999\n\x01garbage").ended);
  EXPECT_FALSE(read_history("exit_code 999").exit_code);
  EXPECT_FALSE(read_history("ended -1e300").ended);
}

// ---- who may ping

TEST(HeartbeatToken, IsAskedForWhereThereIsOne) {
  Config config = config_of("{ expect_every: 1m }");
  config.token = Secret(Secret::Source::plain, "correct horse");
  const auto refusal = [&](const std::string& token) { return refuses(config, {Kind::success, {}, "", token}); };
  EXPECT_FALSE(refusal("correct horse"));
  for (const char* wrong : {"", "correct hors", "correct horse ", "Correct horse"}) {
    const auto refused = refusal(wrong);
    ASSERT_TRUE(refused) << wrong;
    EXPECT_EQ(refused->why, "the check's token is missing or another one");
    EXPECT_FALSE(refused->ours);
  }
  config.token = Secret(Secret::Source::file, "/nonexistent/token");
  config.token->load();
  EXPECT_TRUE(refusal("correct horse")->ours) << "nobody can say whether it is the right one";
  config.token.reset();
  EXPECT_FALSE(refusal("whatever"));
}

TEST(HeartbeatRun, JudgesWhatItRemembersAndDescribesItsOwnTrouble) {
  testing::Surroundings around;
  Config config = config_of(every_minute);
  EXPECT_THROW(
      try { around.run(run, config); } catch (const ProbeFailure& failure) {
        EXPECT_EQ(failure.reason, "local");
        EXPECT_EQ(failure.outcome, Outcome::unmeasured);
        throw;
      },
      ProbeFailure);

  auto context = around.context();
  context.listening_since = around.clock.at.wall - 1h;
  const Wall pinged = around.clock.at.wall - 10s;
  const std::string memory = written({.ended = pinged});
  context.memory = memory;
  const Facts facts = testing::finish(around.loop, run(context, config));
  EXPECT_EQ(facts.history.ended, pinged);
  EXPECT_EQ(facts.now, around.clock.at.wall);
  EXPECT_EQ(facts.listening_since, around.clock.at.wall - 1h);

  config.token = Secret(Secret::Source::file, "/nonexistent/token");
  config.token->load();
  EXPECT_THROW(testing::finish(around.loop, run(context, config)), ProbeFailure) << "no ping would be taken";
}

TEST(HeartbeatProbe, IsTheTargetOfItsPings) {
  auto parsed = parse_yaml(make, "{ expect_every: 1m, token: { env: PING } }");
  ASSERT_NE(parsed.config->ping_target(), nullptr);
  EXPECT_TRUE(parsed.config->ping_target()->has_token());
  EXPECT_FALSE(parse_yaml(make, "{ expect_every: 1m }").config->ping_target()->has_token());
}

}  // namespace
}  // namespace vitald::probes::heartbeat
