#include "probes/systemd_unit.hpp"

#include <gtest/gtest.h>
#include <signal.h>

namespace vitald::probes {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using systemd::keep_book;
using systemd::Properties;
using systemd::read_unit;
using systemd::say_end;
using systemd::Timer;
using systemd::UnitState;

const Wall noon = Wall{seconds(1'700'049'600)};  // 2023-11-15 12:00:00 UTC

TEST(SystemdUnit, ReadsWhatSystemdDoesNotKnowAsNothing) {
  const auto unit = read_unit("x.service", {.texts = {},
                                            .numbers = {{"MemoryCurrent", UINT64_MAX},
                                                        {"TasksCurrent", UINT64_MAX},
                                                        {"ActiveEnterTimestamp", 0},
                                                        {"StateChangeTimestamp", UINT64_MAX}}});
  EXPECT_EQ(unit.name, "x.service");
  EXPECT_EQ(unit.memory, std::nullopt);
  EXPECT_EQ(unit.tasks, std::nullopt);
  EXPECT_EQ(unit.restarts, std::nullopt);
  EXPECT_EQ(unit.started, std::nullopt);
  EXPECT_EQ(unit.since, std::nullopt);
  EXPECT_FALSE(unit.timer);
}

TEST(SystemdUnit, ReadsHowAServiceEnded) {
  const auto unit = read_unit(
      "", {.texts = {{"Id", "a.service"}, {"Type", "oneshot"}, {"Result", "exit-code"}},
           .numbers = {
               {"ExecMainCode", CLD_EXITED}, {"ExecMainStatus", 7}, {"ExecMainExitTimestamp", 1'700'000'000'000'000}}});
  EXPECT_TRUE(unit.oneshot);
  EXPECT_EQ(unit.ended, Wall{seconds(1'700'000'000)});
  EXPECT_EQ(say_end(unit), "exit code 7 (exit-code)");
}

TEST(SystemdUnit, AJobThatStaysActiveAfterItsEndIsAService) {
  EXPECT_FALSE(read_unit("a", {.texts = {{"Type", "oneshot"}}, .numbers = {{"RemainAfterExit", 1}}}).oneshot);
}

TEST(SystemdUnit, StartsWhenItLastLeftInactivityOrActivity) {
  const auto unit = read_unit("a", {.texts = {},
                                    .numbers = {{"InactiveExitTimestamp", 1'700'000'000'000'000},
                                                {"ActiveExitTimestamp", 1'700'000'100'000'000}}});
  EXPECT_EQ(unit.starting, Wall{seconds(1'700'000'100)});
}

UnitState ended(const std::string& result, int code, int status) {
  UnitState unit;
  unit.result = result;
  unit.exit_code = code;
  unit.exit_status = status;
  return unit;
}

TEST(SystemdUnit, SaysHowItEnded) {
  EXPECT_EQ(say_end(ended("exit-code", CLD_EXITED, 1)), "exit code 1 (exit-code)");
  EXPECT_EQ(say_end(ended("exit-code", CLD_EXITED, 203)), "exit code 203: its program cannot be executed (exit-code)");
  EXPECT_EQ(say_end(ended("signal", CLD_KILLED, SIGKILL)), "killed by SIGKILL (signal)");
  EXPECT_EQ(say_end(ended("core-dump", CLD_DUMPED, SIGSEGV)), "crashed with SIGSEGV (core-dump)");
  EXPECT_EQ(say_end(ended("signal", CLD_KILLED, 9999)), "killed by signal 9999 (signal)");
  EXPECT_EQ(say_end(ended("timeout", CLD_KILLED, SIGTERM)), "took too long to start or to stop (timeout)");
  EXPECT_EQ(say_end(ended("watchdog", CLD_DUMPED, SIGABRT)), "did not report to the watchdog in time (watchdog)");
  EXPECT_EQ(say_end(ended("start-limit-hit", CLD_EXITED, 1)), "ended so often that systemd gave up (start-limit-hit)");
  EXPECT_EQ(say_end(ended("oom-kill", CLD_KILLED, SIGKILL)), "killed because memory ran out (oom-kill)");
  EXPECT_EQ(say_end(ended("new-in-2030", 0, 0)), "new-in-2030");
  EXPECT_EQ(say_end(ended("", 0, 0)), "");
}

TEST(SystemdUnit, SaysSinceWhen) {
  UnitState unit;
  unit.active = "active";
  unit.sub = "running";
  unit.since = noon - minutes(1);
  unit.started = noon - hours(76);
  EXPECT_EQ(say_state(unit, noon), "active (running) for 3 d 4 h");
  unit.active = "inactive";
  unit.sub = "dead";
  EXPECT_EQ(say_state(unit, noon), "inactive (dead) for 1 min");
  EXPECT_EQ(systemd::say_when(noon - minutes(4), noon), "11:56:00 UTC, 4 min ago");
  EXPECT_EQ(systemd::say_when(noon + hours(14), noon), "2023-11-16 02:00:00 UTC, in 14 h");
}

Timer timer(std::optional<Wall> last, std::optional<Wall> next) {
  Timer made;
  made.last = last;
  made.next = next;
  made.slack = minutes(1);
  return made;
}

TEST(TimerBook, KeepsTheNextTime) {
  const auto book = keep_book(timer({}, noon + hours(1)), {}, noon);
  EXPECT_EQ(book.due, noon + hours(1));
  EXPECT_FALSE(book.missed);
}

TEST(TimerBook, ATimeThatWasKeptIsCrossedOut) {
  const auto book = keep_book(timer(noon - minutes(30), noon + hours(23)), noon - minutes(30), noon);
  EXPECT_FALSE(book.missed);
  EXPECT_EQ(book.due, noon + hours(23));
}

TEST(TimerBook, ATimeThatCameAndWentIsMissedOnce) {
  const auto first = keep_book(timer(noon - hours(25), noon + hours(23)), noon - hours(1), noon);
  EXPECT_EQ(first.missed, noon - hours(1));
  EXPECT_EQ(first.due, noon + hours(23));
  EXPECT_FALSE(keep_book(timer(noon - hours(25), noon + hours(23)), first.due, noon + minutes(1)).missed);
}

TEST(TimerBook, AfterARebootSystemdKnowsNoLastTime) {
  EXPECT_TRUE(keep_book(timer({}, noon + hours(23)), noon - hours(1), noon).missed);
}

TEST(TimerBook, SystemdMayBeLateByWhatTheTimerAllows) {
  const auto late = keep_book(timer(noon - hours(24), noon + hours(24)), noon - seconds(50), noon);
  EXPECT_FALSE(late.missed);
  EXPECT_EQ(late.due, noon - seconds(50));
  EXPECT_TRUE(keep_book(timer(noon - hours(24), noon + hours(24)), late.due, noon + seconds(11)).missed);
}

TEST(TimerBook, ATimerWhoseTimeHasComeIsAboutToFire) {
  const auto book = keep_book(timer(noon - hours(24), noon - minutes(10)), noon - minutes(10), noon);
  EXPECT_FALSE(book.missed);
  EXPECT_EQ(book.due, noon - minutes(10));
}

TEST(TimerBook, ATimerThatWasStoppedBeforeItsTimeMissesIt) {
  const auto stopped = keep_book(timer({}, {}), noon + minutes(2), noon);
  EXPECT_EQ(stopped.due, noon + minutes(2));
  EXPECT_TRUE(keep_book(timer({}, noon + hours(24)), stopped.due, noon + minutes(10)).missed);
}

TEST(TimerBook, AChangedScheduleReplacesTheTime) {
  EXPECT_EQ(keep_book(timer({}, noon + hours(4)), noon + hours(2), noon).due, noon + hours(4));
}

}  // namespace
}  // namespace vitald::probes
