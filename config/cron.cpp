#include "config/cron.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "config/ascii.hpp"
#include "config/cron_field.hpp"
#include "config/shown.hpp"

namespace vitald {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 12> month_words{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_words{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<CronFieldKind, 5> kinds{
    CronFieldKind{"minute", 0, 59, {}}, CronFieldKind{"hour", 0, 23, {}}, CronFieldKind{"day of the month", 1, 31, {}},
    CronFieldKind{"month", 1, 12, month_words}, CronFieldKind{"day of the week", 0, 7, weekday_words}};

struct Nickname {
  std::string_view name, fields;
};
constexpr std::array<Nickname, 7> nicknames{Nickname{"@yearly", "0 0 1 1 *"},  Nickname{"@annually", "0 0 1 1 *"},
                                            Nickname{"@monthly", "0 0 1 * *"}, Nickname{"@weekly", "0 0 * * 0"},
                                            Nickname{"@daily", "0 0 * * *"},   Nickname{"@midnight", "0 0 * * *"},
                                            Nickname{"@hourly", "0 * * * *"}};

constexpr auto change_at_most = 3h;  // larger ones are corrections of the clock, not daylight saving
// 29 February on a given weekday: every 28 years, or 40 across a year such as 2100 that is no leap year.
constexpr auto longest_wait = days(366 * 41);

Failure no_expression(std::string_view text) {
  return {"",
          "expected a cron expression of five fields such as '0 7 * * 1' (minute, hour, day of the month, month, "
          "day of the week) or @daily" +
              config::but_found(text)};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  constexpr std::string_view blanks = " \t";
  std::size_t at = text.find_first_not_of(blanks);
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(blanks, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(blanks, end);
  }
  return words;
}

Wall wall(sys_seconds moment) { return Wall(moment); }

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  auto words = words_of(text);
  const bool nickname = words.size() == 1 && words.front().starts_with('@');
  if (nickname && equal_but_case(words.front(), "@reboot")) {
    return Failure{"", "@reboot happens at no time that could be waited for; write five fields such as '0 7 * * 1'"};
  }
  if (nickname) {
    const auto known = std::find_if(nicknames.begin(), nicknames.end(),
                                    [&](const Nickname& each) { return equal_but_case(each.name, words.front()); });
    if (known == nicknames.end()) return no_expression(text);
    words = words_of(known->fields);
  }
  if (words.size() != kinds.size()) return no_expression(text);
  std::array<CronField, kinds.size()> fields;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    auto field = parse_cron_field(words[i], kinds[i]);
    if (!field) return field.failure();
    fields[i] = *field;
  }
  Cron cron;
  cron.text_ = std::string(text);
  cron.minutes_ = fields[0].bits;
  cron.hours_ = fields[1].bits;
  cron.days_ = fields[2].bits;
  cron.months_ = fields[3].bits;
  cron.weekdays_ = fields[4].bits;
  if (cron.weekdays_[7]) cron.weekdays_.set(0);
  cron.wild_ = fields[0].star || fields[1].star;
  cron.either_day_ = !fields[2].star && !fields[4].star;
  if (!cron.ever_happens()) return Failure{"", "there is no such day of the month, ever" + config::but_found(text)};
  return cron;
}

bool Cron::ever_happens() const {
  if (either_day_) return true;
  for (unsigned month = 1; month <= 12; ++month) {
    // 2000 was a leap year.
    const std::chrono::year_month_day_last last{std::chrono::year(2000) / std::chrono::month(month) /
                                                std::chrono::last};
    for (unsigned day = 1; months_[month] && day <= unsigned{last.day()}; ++day) {
      if (days_[day]) return true;
    }
  }
  return false;
}

bool Cron::falls_on(local_days day) const {
  const std::chrono::year_month_day date{day};
  if (!months_[unsigned{date.month()}]) return false;
  const bool of_month = days_[unsigned{date.day()}];
  const bool of_week = weekdays_[std::chrono::weekday(day).c_encoding()];
  return either_day_ ? of_month || of_week : of_month && of_week;
}

std::optional<Cron::Local> Cron::first_in(Local from, Local end) const {
  for (local_days day = floor<days>(from); day < end; day += days(1)) {
    if (!falls_on(day)) continue;
    for (std::size_t hour = 0; hour < 24; ++hour) {
      if (!hours_[hour] || day + std::chrono::hours(hour + 1) <= from) continue;
      for (std::size_t minute = 0; minute < 60; ++minute) {
        const Local at = day + std::chrono::hours(hour) + minutes(minute);
        if (minutes_[minute] && at >= from) return at < end ? std::optional(at) : std::nullopt;
      }
    }
  }
  return std::nullopt;
}

std::optional<Cron::Local> Cron::last_in(Local from, Local end) const {
  for (local_days day = floor<days>(end - 1s); day + days(1) > from; day -= days(1)) {
    if (!falls_on(day)) continue;
    for (int hour = 23; hour >= 0; --hour) {
      if (!hours_[static_cast<std::size_t>(hour)] || day + std::chrono::hours(hour) >= end) continue;
      for (int minute = 59; minute >= 0; --minute) {
        const Local at = day + std::chrono::hours(hour) + minutes(minute);
        if (minutes_[static_cast<std::size_t>(minute)] && at < end)
          return at >= from ? std::optional(at) : std::nullopt;
      }
    }
  }
  return std::nullopt;
}

Cron::Local Cron::opening(const TimeZone& zone, const TimeZone::Stretch& stretch) const {
  const Local begin(stretch.begin.time_since_epoch() + stretch.offset);
  if (wild_ || stretch.begin == sys_seconds::min()) return begin;
  const seconds before = zone.at(stretch.begin - 1s).offset;
  const seconds change = stretch.offset - before;
  // cron(8) counts minutes: a change forward of three hours is a correction already, one backward is not yet.
  const bool carried_on = change < change_at_most && change >= -change_at_most;
  return carried_on ? begin - change : begin;
}

Wall Cron::next(const TimeZone& zone, Wall after) const {
  const sys_seconds start = floor<seconds>(after);
  const sys_seconds horizon = start + longest_wait;
  auto stretch = zone.at(start);
  const Local now(start.time_since_epoch() + stretch.offset + 1s);
  Local from = std::max(now, opening(zone, stretch));
  while (true) {
    const sys_seconds end = std::min(stretch.end, horizon);
    const auto found = first_in(from, Local(end.time_since_epoch() + stretch.offset));
    // What the gap swallowed happens at its end.
    if (found) return wall(std::max(stretch.begin, sys_seconds(found->time_since_epoch() - stretch.offset)));
    if (end == horizon) return wall(horizon);
    stretch = zone.at(stretch.end);
    from = opening(zone, stretch);
  }
}

Wall Cron::previous(const TimeZone& zone, Wall before) const {
  const sys_seconds start = ceil<seconds>(before);
  const sys_seconds horizon = start - longest_wait;
  auto stretch = zone.at(start - 1s);
  sys_seconds end = start;
  while (true) {
    const bool last = stretch.begin <= horizon;
    const Local from = last ? Local(horizon.time_since_epoch() + stretch.offset) : opening(zone, stretch);
    const auto found = last_in(from, Local(end.time_since_epoch() + stretch.offset));
    if (found) return wall(std::max(stretch.begin, sys_seconds(found->time_since_epoch() - stretch.offset)));
    if (last) return wall(horizon);
    end = stretch.begin;
    stretch = zone.at(end - 1s);
  }
}

}  // namespace vitald
