// The calendar against two independent witnesses: the C library's idea of local time, and the loop of Debian's cron,
// which goes through the minutes with a virtual clock. The seed is printed; CRON_SEED=N begins with that one.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <random>
#include <set>

#include "config/cron.hpp"
#include "config/units.hpp"

namespace vitald {
namespace {

constexpr std::array zones{"UTC",
                           "Europe/Berlin",
                           "Europe/Istanbul",
                           "Europe/Dublin",  // winter is the exception
                           "Europe/London",
                           "America/New_York",
                           "America/St_Johns",  // changed at 00:01
                           "America/Havana",    // at midnight
                           "America/Caracas",   // by half an hour
                           "America/Scoresbysund",
                           "Africa/Cairo",
                           "Africa/Casablanca",  // around Ramadan
                           "Asia/Beirut",
                           "Asia/Gaza",
                           "Asia/Kathmandu",
                           "Asia/Pyongyang",
                           "Asia/Tehran",
                           "Australia/Lord_Howe",  // half an hour every summer
                           "Antarctica/Casey",     // by three hours
                           "Antarctica/Troll",     // by two hours
                           "Pacific/Apia",         // a day left out
                           "Pacific/Kwajalein",
                           "Pacific/Chatham"};

/// This process' local time, as the C library has it, for as long as this lives.
class LocalTime {
 public:
  explicit LocalTime(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
  ~LocalTime() {
    unsetenv("TZ");
    tzset();
  }
  static std::tm at(std::time_t moment) {
    std::tm local{};
    localtime_r(&moment, &local);
    return local;
  }
  static long minutes(std::time_t moment) { return (moment + at(moment).tm_gmtoff) / 60; }
};

/// An expression that was made from sets, so that no parser is needed to know what it means.
struct Wanted {
  std::string text;
  std::set<int> minutes, hours, days, months, weekdays;
  bool minute_star, hour_star, day_star, weekday_star;

  bool matches(long local_minutes) const {
    const std::time_t as_utc = local_minutes * 60;
    std::tm local{};
    gmtime_r(&as_utc, &local);
    const bool day = days.count(local.tm_mday) != 0, weekday = weekdays.count(local.tm_wday) != 0;
    return minutes.count(local.tm_min) != 0 && hours.count(local.tm_hour) != 0 && months.count(local.tm_mon + 1) != 0 &&
           (day_star || weekday_star ? day && weekday : day || weekday);
  }
};

std::string add_field(std::mt19937& random, int low, int high, int star_in_ten, std::set<int>& values, bool& star) {
  const auto pick = [&](int from, int to) { return std::uniform_int_distribution(from, to)(random); };
  star = pick(1, 10) <= star_in_ten;
  if (star) {
    const int step = pick(1, 10) <= 6 ? 1 : pick(2, high / 2);
    for (int value = low; value <= high; value += step) values.insert(value);
    return step == 1 ? "*" : "*/" + std::to_string(step);
  }
  std::string text;
  for (int part = pick(1, 3); part > 0; --part) {
    const int first = pick(low, high);
    const int last = pick(1, 3) == 1 ? pick(first, high) : first;
    const int step = last > first ? pick(1, 5) : 1;
    for (int value = first; value <= last; value += step) values.insert(value);
    text += (text.empty() ? "" : ",") + std::to_string(first);
    if (last > first) text += "-" + std::to_string(last);
    if (step > 1) text += "/" + std::to_string(step);
  }
  return text;
}

Wanted some_expression(std::mt19937& random) {
  Wanted wanted;
  bool month_star = false;
  wanted.text = add_field(random, 0, 59, 3, wanted.minutes, wanted.minute_star);
  wanted.text += " " + add_field(random, 0, 23, 4, wanted.hours, wanted.hour_star);
  wanted.text += " " + add_field(random, 1, 31, 8, wanted.days, wanted.day_star);
  wanted.text += " " + add_field(random, 1, 12, 9, wanted.months, month_star);
  wanted.text += " " + add_field(random, 0, 6, 8, wanted.weekdays, wanted.weekday_star);
  return wanted;
}

/// Debian's cron from `begin` to `end`, a minute at a time: when it starts something.
std::vector<std::time_t> starts(const Wanted& wanted, std::time_t begin, std::time_t end) {
  const bool wild = wanted.minute_star || wanted.hour_star;
  std::vector<std::time_t> moments;
  long virtual_time = LocalTime::minutes(begin) - 1;
  for (std::time_t moment = begin; moment < end; moment += 60) {
    const long clock = LocalTime::minutes(moment);
    const long ahead = clock - virtual_time;
    bool runs = wild && wanted.matches(clock);
    if (ahead == 1 || ahead > 180 || ahead <= -180) {
      runs = wanted.matches(clock);
      virtual_time = clock;
    } else if (ahead > 1) {
      while (virtual_time < clock) runs = (wanted.matches(++virtual_time) && !wild) || runs;
    }
    if (runs) moments.push_back(moment);
  }
  return moments;
}

Wall wall(std::time_t moment) { return Wall(std::chrono::seconds(moment)); }

/// The changes of the clock of a year or so, to within a few hours.
std::vector<std::time_t> changes(std::time_t from) {
  std::vector<std::time_t> found;
  constexpr int step = 6 * 3600;
  for (std::time_t moment = from; moment < from + 400 * 86400; moment += step) {
    if (LocalTime::at(moment).tm_gmtoff != LocalTime::at(moment - step).tm_gmtoff) found.push_back(moment);
  }
  return found;
}

void compare(const Wanted& wanted, const TimeZone& zone, std::time_t begin, std::time_t end) {
  const auto cron = Cron::parse(wanted.text);
  if (!cron) return;                   // a day that never comes
  constexpr std::time_t lead = 86400;  // until cron's virtual clock is right, wherever it began
  std::vector<std::time_t> expected;
  for (const std::time_t moment : starts(wanted, begin - lead, end)) {
    if (moment >= begin) expected.push_back(moment);
  }
  Wall at = wall(begin) - std::chrono::nanoseconds(1);
  for (const std::time_t moment : expected) {
    const Wall next = cron->next(zone, at);
    ASSERT_EQ(next, wall(moment)) << wanted.text << " in " << zone.name() << ": next after " << say_time(at, true)
                                  << " is " << say_time(wall(moment), true) << ", not " << say_time(next, true);
    at = next;
  }
  ASSERT_GE(cron->next(zone, at), wall(end)) << wanted.text << " in " << zone.name();
  at = wall(end);
  for (auto moment = expected.rbegin(); moment != expected.rend(); ++moment) {
    const Wall before = cron->previous(zone, at);
    ASSERT_EQ(before, wall(*moment)) << wanted.text << " in " << zone.name() << ": previous before "
                                     << say_time(at, true) << " is " << say_time(wall(*moment), true) << ", not "
                                     << say_time(before, true);
    at = before;
  }
  ASSERT_LT(cron->previous(zone, at), wall(begin)) << wanted.text << " in " << zone.name();
}

TEST(CronOracle, AgreesWithDebiansCronInAllKindsOfZones) {
  const char* given = std::getenv("CRON_SEED");
  const unsigned seed =
      given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
  std::cout << "CRON_SEED=" << seed << "\n";
  std::mt19937 random(seed);
  constexpr std::time_t year = 366 * 86400;
  for (const char* name : zones) {
    const auto zone = TimeZone::named(name);
    ASSERT_TRUE(zone) << name;
    const LocalTime local(name);
    std::time_t start = std::uniform_int_distribution<std::time_t>(5 * year, 65 * year)(random);
    start -= start % 60;
    std::vector<std::time_t> around = changes(start);
    around.push_back(start + 100 * 86400);
    for (const std::time_t moment : around) {
      for (int i = 0; i < 3; ++i) {
        const Wanted wanted = some_expression(random);
        compare(wanted, *zone, moment - 2 * 86400, moment + 2 * 86400);
        if (HasFatalFailure()) return;
      }
    }
  }
}

/// The rare ones, which a year at random would hardly meet.
TEST(CronOracle, AgreesWithDebiansCronWhereAClockWasCorrected) {
  struct Correction {
    const char* zone;
    std::time_t near;
  };
  std::mt19937 random(7);
  for (const auto& [name, near] :
       {Correction{"Pacific/Apia", 1325239200}, Correction{"Pacific/Kwajalein", 745848000},
        Correction{"Antarctica/Casey", 1255802400}, Correction{"Antarctica/Casey", 1267714800},
        Correction{"Asia/Pyongyang", 1525446000}, Correction{"America/Caracas", 1197183600}}) {
    const auto zone = TimeZone::named(name);
    ASSERT_TRUE(zone) << name;
    const LocalTime local(name);
    for (int i = 0; i < 20; ++i) {
      compare(some_expression(random), *zone, near - 2 * 86400 - near % 60, near + 2 * 86400 - near % 60);
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace vitald
