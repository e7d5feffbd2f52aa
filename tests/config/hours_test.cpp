#include "config/hours.hpp"

#include <gtest/gtest.h>

#include "config/units.hpp"

namespace vitald {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

/// Of 2026: 29 March is the last Sunday, on which Berlin's clocks go from 02:00 to 03:00 (01:00 UTC).
Wall utc(unsigned month, unsigned day, int hour, int minute = 0) {
  using namespace std::chrono;
  return Wall(sys_days(year(2026) / std::chrono::month(month) / std::chrono::day(day))) + hours(hour) + minutes(minute);
}

Hours made(std::string_view when, std::string_view from, std::string_view to, const char* zone) {
  auto found = Hours::parse(when, from, to, *TimeZone::named(zone));
  EXPECT_TRUE(found) << found.failure().what;
  return *found;
}

TEST(hours, of_an_office) {
  const Hours office = made("mon-fri", "09:00", "18:00", "Europe/Istanbul");  // UTC+3
  EXPECT_FALSE(office.at(utc(6, 5, 5, 59)));                                  // a Friday
  EXPECT_TRUE(office.at(utc(6, 5, 6)));
  EXPECT_TRUE(office.at(utc(6, 5, 14, 59)));
  EXPECT_FALSE(office.at(utc(6, 5, 15)));
  EXPECT_FALSE(office.at(utc(6, 6, 10)));  // Saturday
  EXPECT_EQ(office.next_change(utc(6, 5, 6)), utc(6, 5, 15));
  EXPECT_EQ(office.next_change(utc(6, 5, 15)), utc(6, 8, 6));
}

TEST(hours, of_the_night_end_by_the_clock_on_the_wall) {
  const Hours night = made("*", "22:00", "06:00", "Europe/Berlin");
  EXPECT_TRUE(night.at(utc(3, 29, 3, 59)));  // 05:59 in summer time: seven hours after it began
  EXPECT_FALSE(night.at(utc(3, 29, 4)));
  EXPECT_EQ(night.next_change(utc(3, 28, 21)), utc(3, 29, 4));
  EXPECT_EQ(night.next_change(utc(3, 29, 4)), utc(3, 29, 20));
}

TEST(hours, that_begin_in_a_gap_of_the_clock_begin_at_its_end) {
  const Hours early = made("*", "02:30", "08:00", "Europe/Berlin");
  EXPECT_FALSE(early.at(utc(3, 29, 0, 59)));
  EXPECT_TRUE(early.at(utc(3, 29, 1)));
}

TEST(hours, of_whole_days_go_on_over_midnight) {
  const Hours weekend = made("sat,sun", "00:00", "24:00", "UTC");
  EXPECT_TRUE(weekend.at(utc(6, 7, 0)));
  EXPECT_EQ(weekend.next_change(utc(6, 6, 0)), utc(6, 8, 0));
  EXPECT_EQ(weekend.next_change(utc(6, 8, 0)), utc(6, 13, 0));
}

TEST(hours, of_the_whole_week_never_change) {
  const Hours all = made("*", "00:00", "24:00", "UTC");
  EXPECT_TRUE(all.at(utc(6, 7, 0)));
  EXPECT_EQ(all.next_change(utc(6, 7, 0)), Wall::max());
}

TEST(hours, that_make_no_sense_are_refused) {
  EXPECT_FALSE(Hours::parse("mon-fri", "09:00", "09:00", {}));
  EXPECT_FALSE(Hours::parse("mon-fri", "09:00", "25:00", {}));
  EXPECT_FALSE(Hours::parse("mon-fri", "24:00", "09:00", {}));
  EXPECT_FALSE(Hours::parse("someday", "08:00", "09:00", {}));
}

}  // namespace
}  // namespace vitald
