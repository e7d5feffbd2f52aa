#include "config/calendar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>
#include <vector>

#include "config/units.hpp"

namespace vitald {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Wall utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const auto date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return Wall(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute);
}

Window window(const std::string& cron, const std::string& zone, Duration length) {
  const auto parsed = Cron::parse(cron);
  const auto named = TimeZone::named(zone);
  EXPECT_TRUE(parsed && named);
  return {*parsed, *named, length};
}

std::string said(const std::optional<Span>& span) {
  return span ? say_time(span->begin, true) + " to " + say_time(span->end, true) : "none";
}

TEST(Window, BeginsByTheCalendarAndEndsAfterItsLength) {
  const Window deploy = window("0 2 * * 0", "Europe/Istanbul", 30min);  // Sundays, 23:00 UTC of the day before
  EXPECT_EQ(said(deploy.at(utc(2026, 11, 28, 22, 59))), "none");
  EXPECT_EQ(said(deploy.at(utc(2026, 11, 28, 23))), "2026-11-28 23:00:00 UTC to 2026-11-28 23:30:00 UTC");
  EXPECT_EQ(said(deploy.at(utc(2026, 11, 28, 23, 30) - 1ns)), "2026-11-28 23:00:00 UTC to 2026-11-28 23:30:00 UTC");
  EXPECT_EQ(said(deploy.at(utc(2026, 11, 28, 23, 30))), "none");
  EXPECT_EQ(said(deploy.next(utc(2026, 11, 28, 22))), "2026-11-28 23:00:00 UTC to 2026-11-28 23:30:00 UTC");
  EXPECT_EQ(said(deploy.next(utc(2026, 11, 28, 23))), "2026-12-05 23:00:00 UTC to 2026-12-05 23:30:00 UTC");
}

TEST(Window, LastsInElapsedTimeWhateverTheClockDoes) {
  const Window night = window("0 1 * * *", "Europe/Berlin", 3h);
  // 01:00 to 05:00 by the clock in spring, to 03:00 in autumn: three hours each.
  EXPECT_EQ(said(night.at(utc(2026, 3, 29, 1))), "2026-03-29 00:00:00 UTC to 2026-03-29 03:00:00 UTC");
  EXPECT_EQ(said(night.at(utc(2026, 10, 25, 1))), "2026-10-24 23:00:00 UTC to 2026-10-25 02:00:00 UTC");
  const Window gap = window("30 2 * * *", "Europe/Berlin", 1h);
  EXPECT_EQ(said(gap.next(utc(2026, 3, 28, 12))), "2026-03-29 01:00:00 UTC to 2026-03-29 02:00:00 UTC");
  EXPECT_EQ(said(gap.at(utc(2026, 10, 25, 0, 45))), "2026-10-25 00:30:00 UTC to 2026-10-25 01:30:00 UTC");
  EXPECT_EQ(said(gap.at(utc(2026, 10, 25, 1, 45))), "none") << "02:30 comes again, the window does not";
}

TEST(Window, BeginningsInsideAWindowMakeItLonger) {
  const Window halves = window("0,30 2 * * *", "UTC", 30min);
  EXPECT_EQ(said(halves.at(utc(2026, 11, 28, 2, 45))), "2026-11-28 02:00:00 UTC to 2026-11-28 03:00:00 UTC");
  EXPECT_EQ(said(halves.next(utc(2026, 11, 28, 2, 10))), "2026-11-29 02:00:00 UTC to 2026-11-29 03:00:00 UTC");
  const Window always = window("* * * * *", "UTC", 1h);
  const auto present = always.at(utc(2026, 11, 28));
  ASSERT_TRUE(present);
  EXPECT_LE(present->begin, utc(2026, 11, 28));
  EXPECT_GE(present->end, utc(2026, 11, 28) + 1h);
  EXPECT_GT(always.next(utc(2026, 11, 28)).begin, utc(2026, 11, 28));
}

TEST(Window, AWeekdayAndATimeAreACalendarToo) {
  EXPECT_EQ(weekly("mon-fri", "22:30")->text(), "30 22 * * mon-fri");
  EXPECT_EQ(weekly("sun", "00:05")->text(), "5 0 * * sun");
  for (const char* time : {"", "2:30", "24:00", "22:60", "22-30", "22:3", "-1:30", "22:30:00"}) {
    EXPECT_THAT(weekly("sun", time).failure().what, HasSubstr("expected a time of day such as 22:30")) << time;
  }
  EXPECT_THAT(weekly("funday", "22:30").failure().what, HasSubstr("day of the week of a cron expression"));
  EXPECT_THAT(weekly("", "22:30").failure().what, HasSubstr("expected days of the week"));
  EXPECT_THAT(weekly("1 2", "22:30").failure().what, HasSubstr("expected days of the week"));
}

/// Minute by minute: inside is whoever began less than a length ago. WINDOW_SEED=N begins with that seed.
TEST(WindowOracle, AgreesWithGoingThroughTheMinutes) {
  const char* given = std::getenv("WINDOW_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
  std::cout << "WINDOW_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  const auto pick = [&](int from, int to) { return std::uniform_int_distribution(from, to)(random); };
  constexpr std::array zones{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"};
  for (int round = 0; round < 10; ++round) {
    const std::string hour = pick(0, 3) == 0 ? "*" : std::to_string(pick(0, 23));
    const std::string minutes =
        std::to_string(pick(0, 29)) + (pick(0, 1) == 0 ? "" : "," + std::to_string(pick(30, 59)));
    const std::string text = minutes + " " + hour + " * * *";
    const Window one = window(text, zones[static_cast<std::size_t>(pick(0, 4))], std::chrono::minutes(pick(1, 150)));
    const int year = pick(2000, 2036);
    const Wall begin = pick(0, 1) == 0 ? utc(year, 3, 27) : utc(year, 10, 24);
    std::optional<Wall> last;
    std::optional<Span> span;
    for (Wall now = begin - 24h; now < begin + 48h; now += 1min) {
      if (one.cron.next(one.zone, now - 1ns) == now) last = now;
      if (now < begin) continue;
      const bool inside = last && now < *last + one.length;
      const auto found = one.at(now);
      ASSERT_EQ(found.has_value(), inside) << text << " in " << one.zone.name() << " at " << say_time(now, true);
      if (!found) {
        if (span) {
          ASSERT_EQ(span->end, now) << "the window before said so";
        }
      } else if (span && found->begin == span->begin) {
        ASSERT_LE(span->end, found->end);
      }
      span = found;
    }
  }
}

}  // namespace
}  // namespace vitald
