#include "probes/systemd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "probes/remembered.hpp"
#include "tests/support/parsed.hpp"

namespace vitald::probes {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using systemd::Config;
using systemd::Expect;
using systemd::Facts;
using systemd::UnitState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vitald::testing::parse_yaml;

const Wall noon = Wall{seconds(1'700'049'600)};  // 2023-11-15 12:00:00 UTC

Config config(const std::string& yaml) {
  const auto parsed = parse_yaml(systemd::parse, yaml);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string problems(const std::string& yaml) { return parse_yaml(systemd::parse, yaml).problems; }

UnitState unit(const std::string& name, const std::string& active, const std::string& sub) {
  UnitState made;
  made.name = name;
  made.load = "loaded";
  made.active = active;
  made.sub = sub;
  made.since = made.started = made.starting = noon - minutes(5);
  made.restarts = 0;
  return made;
}

UnitState failed(const std::string& name) {
  UnitState made = unit(name, "failed", "failed");
  made.result = "exit-code";
  made.exit_code = CLD_EXITED;
  made.exit_status = 1;
  return made;
}

UnitState timer(const std::string& name, const std::string& triggers) {
  UnitState made = unit(name + ".timer", "active", "waiting");
  made.restarts.reset();
  made.timer = systemd::Timer{
      .triggers = triggers, .last = noon - hours(10), .next = noon + hours(14), .repeats = true, .slack = minutes(1)};
  return made;
}

Facts facts(std::vector<UnitState> units) {
  Facts made;
  made.now = noon;
  made.units = std::move(units);
  return made;
}

Observation judge(const UnitState& one, const std::string& yaml = "unit: a") {
  return systemd::judge(config(yaml), facts({one}));
}

const Sample* sample(const Observation& seen, std::string_view name) {
  for (const Sample& each : seen.samples) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

std::string evidence(const Observation& seen, std::string_view label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

TEST(SystemdParse, TakesNamesAsSystemctlDoes) {
  EXPECT_THAT(config("unit: nginx").names, ElementsAre("nginx.service"));
  EXPECT_THAT(config("unit: php8.3-fpm").names, ElementsAre("php8.3-fpm.service"));
  const auto many = config(R"({ unit: [ backup.timer, 'php*-fpm', 'queue@*', 'dev-x\x2dy.swap' ], exclude: queue@9 })");
  EXPECT_THAT(many.names, ElementsAre("backup.timer", "dev-x\\x2dy.swap"));
  EXPECT_THAT(many.patterns, ElementsAre("php*-fpm.service", "queue@*"));
  EXPECT_THAT(many.exclude, ElementsAre("queue@9.service"));
  EXPECT_EQ(many.expect, Expect::active);
  EXPECT_EQ(config("{ unit: a, expect: not-failed }").expect, Expect::not_failed);
  EXPECT_EQ(config("{ unit: a, expect: inactive }").expect, Expect::inactive);
  EXPECT_TRUE(config("failed: any").any_failed);
  EXPECT_EQ(config("failed: any").target(), "systemd");
}

TEST(SystemdParse, SaysWhatIsWrong) {
  EXPECT_THAT(problems("{}"), HasSubstr("give either 'unit' or 'failed'"));
  EXPECT_THAT(problems("{ unit: a, failed: any }"), HasSubstr("give either 'unit' or 'failed'"));
  EXPECT_THAT(problems("failed: some"), HasSubstr("any"));
  EXPECT_THAT(problems("{ failed: any, expect: active }"), HasSubstr("'expect' is not possible with 'failed'"));
  EXPECT_THAT(problems("unit: /etc/nginx"), HasSubstr("expected the name of a unit"));
  EXPECT_THAT(problems("unit: 'a b'"), HasSubstr("found 'a b.service'"));
  EXPECT_THAT(problems("unit: " + std::string(300, 'a')), HasSubstr("expected the name of a unit"));
  EXPECT_THAT(problems("unit: queue@.service"),
              HasSubstr("is a template: name an instance of it, or all of them: 'queue@*'"));
  EXPECT_THAT(problems("{ unit: a, expect: activ }"), HasSubstr("active"));
  EXPECT_THAT(problems("{ unit: a, units: b }"), HasSubstr("units"));
  EXPECT_THAT(problems("unit: []"), HasSubstr("names no unit"));
}

TEST(SystemdJudge, OneThatRuns) {
  UnitState running = unit("a.service", "active", "running");
  running.started = noon - hours(76);
  running.restarts = 2;
  running.memory = 1 << 20;
  running.memory_most = 1 << 22;
  running.tasks = 3;
  const auto seen = judge(running);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "a.service: active (running) for 3 d 4 h, 2 restarts, 1 MiB");
  EXPECT_EQ(sample(seen, "restarts")->value, 2);
  EXPECT_EQ(sample(seen, "uptime")->value, 76 * 3600);
  EXPECT_EQ(sample(seen, "memory")->maximum, 1 << 22);
  EXPECT_EQ(sample(seen, "tasks")->maximum, std::nullopt);
  EXPECT_EQ(sample(seen, "starting"), nullptr);
  EXPECT_EQ(sample(seen, "restarts")->labels.at(0).second, "a.service");
}

TEST(SystemdJudge, OneThatFailed) {
  auto seen = judge(failed("vertex-queue.service"));
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "failed");
  EXPECT_EQ(seen.summary, "vertex-queue.service failed: exit code 1 (exit-code)");
  EXPECT_EQ(seen.remedy, "run: systemctl restart vertex-queue.service");
  EXPECT_EQ(evidence(seen, "vertex-queue.service"), "failed (failed) for 5 min");
  EXPECT_EQ(judge(failed("a.service"), "{ unit: a, expect: not-failed }").reason, "failed");
}

TEST(SystemdJudge, OneThatIsStartedOverAndOver) {
  UnitState looping = failed("a.service");
  looping.active = "activating";
  looping.sub = "auto-restart";
  looping.restarts = 7;
  const auto seen = judge(looping);
  EXPECT_EQ(seen.reason, "restarting");
  EXPECT_EQ(seen.summary, "a.service ended: exit code 1 (exit-code); it waits to be started again, after 7 restarts");
  EXPECT_EQ(sample(seen, "restarts")->value, 7);
  EXPECT_EQ(sample(seen, "starting"), nullptr);
}

TEST(SystemdJudge, OneThatTakesLongToStartIsForTheLimits) {
  UnitState starting = unit("a.service", "activating", "start-pre");
  const auto seen = judge(starting);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(sample(seen, "starting")->value, 300);
  EXPECT_EQ(sample(seen, "starting")->says, "a.service has been starting for 5 min (start-pre)");
  starting.oneshot = true;
  EXPECT_EQ(sample(judge(starting), "starting"), nullptr);
  EXPECT_EQ(sample(judge(starting), "job_runtime")->value, 300);
}

TEST(SystemdJudge, OneThatIsStopped) {
  const auto stopped = unit("a.service", "inactive", "dead");
  const auto seen = judge(stopped);
  EXPECT_EQ(seen.reason, "inactive");
  EXPECT_EQ(seen.summary, "a.service is stopped: inactive (dead) for 5 min");
  EXPECT_EQ(seen.remedy, "run: systemctl start a.service");
  EXPECT_EQ(judge(stopped, "{ unit: a, expect: not-failed }").outcome, Outcome::answered);
  EXPECT_EQ(judge(stopped, "{ unit: a, expect: inactive }").outcome, Outcome::answered);
  EXPECT_EQ(judge(unit("a.service", "deactivating", "stop-sigterm")).reason, "stopping");
}

TEST(SystemdJudge, AJobIsInactiveBetweenItsRuns) {
  UnitState job = unit("a.service", "inactive", "dead");
  job.oneshot = true;
  EXPECT_EQ(judge(job).summary, "a.service: has not run since the host came up");
  job.ended = noon - minutes(30);
  EXPECT_EQ(judge(job).summary, "a.service: last ran until 11:30:00 UTC, 30 min ago");
  EXPECT_EQ(judge(job).outcome, Outcome::answered);
}

TEST(SystemdJudge, OneThatMustNotRun) {
  const auto seen = judge(unit("telnet.service", "active", "running"), "{ unit: telnet, expect: inactive }");
  EXPECT_EQ(seen.reason, "still_active");
  EXPECT_EQ(seen.summary, "telnet.service is active (running) for 5 min, but must not run");
}

TEST(SystemdJudge, OneThatCannotBeStarted) {
  UnitState gone = unit("a.service", "inactive", "dead");
  gone.load = "not-found";
  EXPECT_EQ(judge(gone).reason, "not_found");
  EXPECT_EQ(judge(gone).summary, "there is no unit a.service on this host");
  EXPECT_EQ(judge(gone, "{ unit: a, expect: not-failed }").reason, "not_found");
  EXPECT_EQ(judge(gone, "{ unit: a, expect: inactive }").outcome, Outcome::answered);
  gone.load = "masked";
  EXPECT_EQ(judge(gone).summary, "a.service is masked: nothing can start it");
  gone.load = "bad-setting";
  gone.load_error = "Unit has \x1b[31m no ExecStart";
  EXPECT_EQ(judge(gone).summary, "systemd cannot use the file of a.service: Unit has ?[31m no ExecStart");
  gone.active = "active";
  gone.load = "not-found";
  EXPECT_EQ(judge(gone).outcome, Outcome::answered) << "its file went, but it runs";
}

TEST(SystemdJudge, ATimerThatWaits) {
  const auto seen = judge(timer("backup", "backup.service"));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary,
            "backup.timer: last started backup.service at 02:00:00 UTC, 10 h ago; next time 2023-11-16 02:00:00 UTC, "
            "in 14 h");
  EXPECT_EQ(sample(seen, "since_trigger")->value, 36000);
  EXPECT_EQ(sample(seen, "missed")->value, 0);
}

TEST(SystemdJudge, ATimerThatNeverFiredIsAsOldAsItself) {
  UnitState fresh = timer("backup", "backup.service");
  fresh.timer->last.reset();
  const auto seen = judge(fresh);
  EXPECT_EQ(sample(seen, "since_trigger")->value, 300);
  EXPECT_THAT(seen.summary, HasSubstr("has not started backup.service yet"));
}

TEST(SystemdJudge, ATimerThatMissedItsTime) {
  const UnitState waiting = timer("backup", "backup.service");
  Facts seen_before = facts({waiting});
  Remembered memory;
  memory.set("due:backup.timer", 1'700'049'600.0 - 3600);
  seen_before.remembered = memory.written();
  const auto seen = systemd::judge(config("unit: backup.timer"), seen_before);
  EXPECT_EQ(sample(seen, "missed")->value, 1);
  EXPECT_EQ(sample(seen, "missed")->says, "backup.timer did not start backup.service at 11:00:00 UTC, 1 h ago");
  EXPECT_EQ(Remembered::read(*seen.memory).number("due:backup.timer"), 1'700'049'600.0 + 14 * 3600);
}

TEST(SystemdJudge, ATimerThatStoppedOrHasNoNextTime) {
  UnitState stopped = timer("backup", "backup.service");
  stopped.active = "inactive";
  stopped.sub = "dead";
  EXPECT_THAT(judge(stopped).summary, HasSubstr("backup.timer is stopped and starts nothing"));
  UnitState elapsed = timer("backup", "backup.service");
  elapsed.sub = "elapsed";
  EXPECT_EQ(judge(elapsed).reason, "timer_elapsed");
  elapsed.timer->repeats = false;  // once after the boot, and that was it
  EXPECT_EQ(judge(elapsed).outcome, Outcome::answered);
}

TEST(SystemdJudge, WhatATimerStartsBelongsToIt) {
  Facts both = facts({timer("backup", "backup.service")});
  both.triggered["backup.service"] = failed("backup.service");
  auto seen = systemd::judge(config("unit: backup.timer"), both);
  EXPECT_EQ(seen.reason, "triggered_failed");
  EXPECT_EQ(seen.summary, "backup.service failed: exit code 1 (exit-code); backup.timer starts it");
  both.triggered["backup.service"] = unit("backup.service", "inactive", "dead");
  EXPECT_EQ(systemd::judge(config("unit: backup.timer"), both).outcome, Outcome::answered);
  both.triggered["backup.service"].load = "not-found";
  EXPECT_EQ(systemd::judge(config("unit: backup.timer"), both).reason, "triggered_not_found");
  UnitState busy = unit("backup.service", "activating", "start");
  busy.oneshot = true;
  both.triggered["backup.service"] = busy;
  seen = systemd::judge(config("unit: backup.timer"), both);
  EXPECT_EQ(sample(seen, "job_runtime")->says, "backup.service has been running for 5 min");
}

TEST(SystemdJudge, SeveralAreSaidInOneLine) {
  const auto fine = unit("a.service", "active", "running");
  EXPECT_EQ(systemd::judge(config("unit: [ a, b ]"), facts({fine, fine})).summary, "2 units, all as they should be");
  const auto seen = systemd::judge(config("unit: [ a, b, c ]"),
                                   facts({fine, failed("b.service"), unit("c.service", "inactive", "dead")}));
  EXPECT_EQ(seen.summary, "b.service failed: exit code 1 (exit-code), and 1 other unit in trouble");
  EXPECT_EQ(evidence(seen, "also"), "c.service is stopped: inactive (dead) for 5 min");
}

TEST(SystemdJudge, AnyFailedUnit) {
  const auto none = systemd::judge(config("failed: any"), facts({}));
  EXPECT_EQ(none.outcome, Outcome::answered);
  EXPECT_EQ(none.summary, "no unit has failed");
  EXPECT_EQ(sample(none, "failed")->value, 0);
  Facts two = facts({failed("a.service"), failed("b.mount")});
  two.left_out = 3;
  const auto seen = systemd::judge(config("failed: any"), two);
  EXPECT_EQ(seen.reason, "failed");
  EXPECT_EQ(sample(seen, "failed")->value, 5);
  EXPECT_EQ(seen.samples.size(), 1u);
  EXPECT_EQ(evidence(seen, "left out"), "3 units more than are looked at");
}

TEST(SystemdJudge, APatternThatNothingMatches) {
  Facts none = facts({});
  none.unmatched = {"php*-fpm.service"};
  EXPECT_EQ(systemd::judge(config("unit: 'php*-fpm'"), none).summary, "no unit of this host matches php*-fpm.service");
  EXPECT_EQ(systemd::judge(config("{ unit: 'php*-fpm', expect: inactive }"), none).outcome, Outcome::answered);
}

TEST(SystemdJudge, TheJournalOfUnitsInTroubleIsEvidence) {
  Facts one = facts({failed("a.service")});
  one.journal["a.service"] = "11:55:00 UTC no such table: jobs\n11:55:01 UTC giving up";
  const auto seen = systemd::judge(config("unit: a"), one);
  EXPECT_EQ(evidence(seen, "journal of a.service"), "11:55:00 UTC no such table: jobs\n11:55:01 UTC giving up");
}

TEST(SystemdReading, IsForUnitsInTroubleAndForThoseThatWereRestarted) {
  const auto all = config("unit: [ a, b, c, d ]");
  UnitState restarted = unit("b.service", "active", "running");
  restarted.restarts = 4;
  UnitState gone = unit("c.service", "inactive", "dead");
  gone.load = "not-found";  // there is no journal of what does not exist
  Facts some = facts({failed("a.service"), restarted, gone, unit("d.service", "active", "running")});
  EXPECT_THAT(systemd::worth_reading(all, some), ElementsAre("a.service"));
  Remembered memory;
  memory.set("restarts:b.service", 3.0);
  some.remembered = memory.written();
  EXPECT_THAT(systemd::worth_reading(all, some), ElementsAre("a.service", "b.service"));
  EXPECT_THAT(systemd::worth_reading(all, facts({unit("d.service", "active", "running")})), IsEmpty());
  EXPECT_EQ(Remembered::read(*systemd::judge(all, some).memory).number("restarts:b.service"), 4.0);
}

}  // namespace
}  // namespace vitald::probes
