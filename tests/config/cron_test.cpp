#include "config/cron.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/calendar_kinds.hpp"
#include "config/document.hpp"
#include "config/units.hpp"

namespace vitald {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

Wall utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0, int second = 0) {
  const auto date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return Wall(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

TimeZone zone(const std::string& name) {
  const auto found = TimeZone::named(name);
  EXPECT_TRUE(found) << (found ? "" : found.failure().what);
  return found ? *found : TimeZone();
}

std::string objection(const std::string& text) {
  const auto parsed = Cron::parse(text);
  return parsed ? "" : parsed.failure().what;
}

/// The next moments after `from`, as text.
std::vector<std::string> moments(const std::string& text, const TimeZone& where, Wall from, int count) {
  const auto cron = Cron::parse(text);
  EXPECT_TRUE(cron) << text << ": " << objection(text);
  if (!cron) return {};
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    from = cron->next(where, from);
    all.push_back(say_time(from, true));
  }
  return all;
}

std::vector<std::string> moments(const std::string& text, Wall from, int count = 1) {
  return moments(text, TimeZone(), from, count);
}

using List = std::vector<std::string>;

TEST(Cron, TakesWhatACrontabTakes) {
  const Wall from = utc(2026, 11, 28, 16, 50);  // a Saturday
  EXPECT_EQ(moments("0 7 * * 1", from), List{"2026-11-30 07:00:00 UTC"});
  EXPECT_EQ(moments("0 7 * * mon", from), List{"2026-11-30 07:00:00 UTC"});
  EXPECT_EQ(moments(" \t0 7  *\t* MON ", from), List{"2026-11-30 07:00:00 UTC"});
  EXPECT_EQ(moments("*/20 * * * *", from, 2), (List{"2026-11-28 17:00:00 UTC", "2026-11-28 17:20:00 UTC"}));
  EXPECT_EQ(moments("5-7,58 * * * *", from, 2), (List{"2026-11-28 16:58:00 UTC", "2026-11-28 17:05:00 UTC"}));
  EXPECT_EQ(moments("0 0-23/12 * * *", from, 2), (List{"2026-11-29 00:00:00 UTC", "2026-11-29 12:00:00 UTC"}));
  EXPECT_EQ(moments("0 0 1 jan-mar/2,DEC *", from, 3),
            (List{"2026-12-01 00:00:00 UTC", "2027-01-01 00:00:00 UTC", "2027-03-01 00:00:00 UTC"}));
  EXPECT_EQ(moments("0 0 * * 7", from), moments("0 0 * * 0", from));
  EXPECT_EQ(moments("0 0 * * sat-sun", from, 2), (List{"2026-11-29 00:00:00 UTC", "2026-12-05 00:00:00 UTC"}));
}

TEST(Cron, TakesNicknames) {
  const Wall from = utc(2026, 11, 28, 16, 50);
  EXPECT_EQ(moments("@hourly", from), List{"2026-11-28 17:00:00 UTC"});
  EXPECT_EQ(moments("@daily", from), List{"2026-11-29 00:00:00 UTC"});
  EXPECT_EQ(moments("@Midnight", from), List{"2026-11-29 00:00:00 UTC"});
  EXPECT_EQ(moments("@weekly", from), List{"2026-11-29 00:00:00 UTC"});
  EXPECT_EQ(moments("@monthly", from), List{"2026-12-01 00:00:00 UTC"});
  EXPECT_EQ(moments("@yearly", from), List{"2027-01-01 00:00:00 UTC"});
  EXPECT_EQ(moments("@annually", from), List{"2027-01-01 00:00:00 UTC"});
}

TEST(Cron, DayOfMonthOrDayOfWeekUnlessOneIsAStar) {
  const Wall from = utc(2026, 11, 28);
  EXPECT_EQ(moments("0 0 1 * 1", from, 2), (List{"2026-11-30 00:00:00 UTC", "2026-12-01 00:00:00 UTC"}));
  EXPECT_EQ(moments("0 0 * * 1", from, 2), (List{"2026-11-30 00:00:00 UTC", "2026-12-07 00:00:00 UTC"}));
  // A step makes it no less of a star to cron: Mondays on odd days.
  EXPECT_EQ(moments("0 0 */2 * 1", from, 2), (List{"2026-12-07 00:00:00 UTC", "2026-12-21 00:00:00 UTC"}));
}

TEST(Cron, FindsWhatIsRare) {
  EXPECT_EQ(moments("0 0 29 2 *", utc(2096, 3, 1)), List{"2104-02-29 00:00:00 UTC"});
  EXPECT_EQ(moments("0 0 29 2 */7", utc(2026, 1, 1), 2), (List{"2032-02-29 00:00:00 UTC", "2060-02-29 00:00:00 UTC"}));
  EXPECT_EQ(moments("0 0 29 2 */7", utc(2088, 3, 1)), List{"2128-02-29 00:00:00 UTC"});
}

TEST(Cron, NextIsLaterAndPreviousIsEarlier) {
  const auto cron = *Cron::parse("0 7 * * *");
  const Wall seven = utc(2026, 11, 28, 7);
  EXPECT_EQ(cron.next(TimeZone(), seven), utc(2026, 11, 29, 7));
  EXPECT_EQ(cron.next(TimeZone(), seven - 1ns), seven);
  EXPECT_EQ(cron.next(TimeZone(), seven + 1ns), utc(2026, 11, 29, 7));
  EXPECT_EQ(cron.previous(TimeZone(), seven), utc(2026, 11, 27, 7));
  EXPECT_EQ(cron.previous(TimeZone(), seven + 1ns), seven);
}

TEST(Cron, AFixedTimeInsideTheGapHappensAtItsEnd) {
  const TimeZone berlin = zone("Europe/Berlin");  // 2026-03-29 02:00 becomes 03:00, 01:00 UTC
  const Wall night = utc(2026, 3, 28, 22);
  EXPECT_EQ(moments("30 2 * * *", berlin, night, 2), (List{"2026-03-29 01:00:00 UTC", "2026-03-30 00:30:00 UTC"}));
  // Twice in the gap, and at its end: one moment.
  EXPECT_EQ(moments("0,30 2,3 * * *", berlin, night, 3),
            (List{"2026-03-29 01:00:00 UTC", "2026-03-29 01:30:00 UTC", "2026-03-30 00:00:00 UTC"}));
  // A wildcard follows the clock.
  EXPECT_EQ(moments("30 * * * *", berlin, utc(2026, 3, 29, 0), 2),
            (List{"2026-03-29 00:30:00 UTC", "2026-03-29 01:30:00 UTC"}));
  EXPECT_EQ(moments("*/30 2 * * *", berlin, night, 1), List{"2026-03-30 00:00:00 UTC"});
}

TEST(Cron, AFixedTimeThatExistsTwiceHappensTheFirstTime) {
  const TimeZone berlin = zone("Europe/Berlin");  // 2026-10-25 03:00 becomes 02:00, 01:00 UTC
  const Wall night = utc(2026, 10, 24, 22);
  EXPECT_EQ(moments("30 2 * * *", berlin, night, 2), (List{"2026-10-25 00:30:00 UTC", "2026-10-26 01:30:00 UTC"}));
  EXPECT_EQ(moments("0 3 * * *", berlin, night, 1), List{"2026-10-25 02:00:00 UTC"});
  EXPECT_EQ(moments("30 * * * *", berlin, utc(2026, 10, 25, 0), 3),
            (List{"2026-10-25 00:30:00 UTC", "2026-10-25 01:30:00 UTC", "2026-10-25 02:30:00 UTC"}));
}

TEST(Cron, ALargeChangeIsACorrection) {
  const TimeZone apia = zone("Pacific/Apia");  // 2011-12-30 did not take place
  EXPECT_EQ(moments("0 7 * * *", apia, utc(2011, 12, 29), 2),
            (List{"2011-12-29 17:00:00 UTC", "2011-12-30 17:00:00 UTC"}));
}

TEST(Cron, SaysWhatIsWrongAndWhatIsExpected) {
  for (const char* text : {"", "  ", "* * * *", "0 0 7 * * 1", "@often", "daily", "@daily 7"}) {
    EXPECT_THAT(objection(text), StartsWith("expected a cron expression of five fields such as '0 7 * * 1'")) << text;
  }
  EXPECT_EQ(objection("60 * * * *"), "minute of a cron expression: expected 0 to 59, or '*', found '60'");
  EXPECT_EQ(objection("* 24 * * *"), "hour of a cron expression: expected 0 to 23, or '*', found '24'");
  EXPECT_EQ(objection("* * 0 * *"), "day of the month of a cron expression: expected 1 to 31, or '*', found '0'");
  EXPECT_EQ(objection("* * * foo *"), "month of a cron expression: expected 1 to 12, jan to dec, or '*', found 'foo'");
  EXPECT_EQ(objection("* * * * 1,8"),
            "day of the week of a cron expression: expected 0 to 7, sun to sat, or '*', found '8'");
  EXPECT_EQ(objection("* 5-1 * * *"),
            "hour of a cron expression: expected a range that goes up, such as 1-5, found '5-1'");
  EXPECT_EQ(objection("*/0 * * * *"),
            "minute of a cron expression: expected a step from 1 to 59 behind the '/', found '*/0'");
  EXPECT_EQ(objection("5/10 * * * *"),
            "minute of a cron expression: expected a range before the '/', such as 5-59/10, found '5/10'");
  EXPECT_EQ(objection("0 0 30 2 *"), "there is no such day of the month, ever, found '0 0 30 2 *'");
  EXPECT_EQ(objection("0 0 31 4,6,9,11 *"), "there is no such day of the month, ever, found '0 0 31 4,6,9,11 *'");
  EXPECT_EQ(objection("0 0 30 2 1"), "") << "either the day or a Monday";
  EXPECT_THAT(objection("@reboot"), HasSubstr("no time that could be waited for"));
  for (const char* text : {", * * * *", "1, * * * *", "- * * * *", "-1 * * * *", "1- * * * *", "+1 * * * *",
                           "*5 * * * *", "** * * * *", "*-5 * * * *", "1-5/ * * * *", "1.5 * * * *", "0x1 * * * *",
                           "1-2-3 * * * *", "99999999999999999999 * * * *", "* * L * *", "* * ? * *", "* * * * 5#2"}) {
    EXPECT_THAT(objection(text), HasSubstr("of a cron expression: expected ")) << text;
  }
}

TEST(TimeZone, KnowsTheDatabaseAndSuggestsANearMiss) {
  EXPECT_EQ(TimeZone().name(), "UTC");
  EXPECT_EQ(TimeZone().at(std::chrono::sys_seconds{}).offset, 0s);
  EXPECT_EQ(zone("Asia/Kathmandu").at(std::chrono::sys_seconds{40 * 365 * 24h}).offset, 5h + 45min);
  EXPECT_EQ(TimeZone::named("Europe/Istambul").failure().what,
            "expected a time zone such as Europe/Berlin or UTC, found 'Europe/Istambul'; did you mean "
            "'Europe/Istanbul'?");
  EXPECT_THAT(TimeZone::named("Nowhere").failure().what, HasSubstr("timedatectl list-timezones"));
  EXPECT_FALSE(TimeZone::named("../../etc/passwd"));
  EXPECT_FALSE(TimeZone::named(""));
}

TEST(CalendarKinds, ReadShowAndRefuse) {
  config::Problems problems;
  const auto node = [&](const std::string& text) { return config::parse_text(text, "t.yaml", problems); };
  EXPECT_EQ(config::CronText{}.read(node("'0 7 * * 1'"), problems)->text(), "0 7 * * 1");
  EXPECT_EQ(config::CronText{}.read(node("[ 1 ]"), problems).failure().what,
            "expected a cron expression such as '0 7 * * 1', found a list");
  EXPECT_EQ(config::ZoneName{}.read(node("UTC"), problems)->name(), "UTC");
  EXPECT_EQ(config::ZoneName{}.read(node("{ a: 1 }"), problems).failure().what,
            "expected a time zone such as Europe/Berlin, found a mapping");
}

}  // namespace
}  // namespace vitald
