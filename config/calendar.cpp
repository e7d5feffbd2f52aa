#include "config/calendar.hpp"

#include <charconv>

#include "config/shown.hpp"

namespace vitald {
namespace {

std::optional<int> two_digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = text.size() == 2 && error == std::errc{} && end == text.data() + 2 && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<Span> Window::at(Wall now) const {
  const Wall latest = cron.previous(zone, now + Duration(1));
  if (latest + length <= now) return std::nullopt;
  Span span{latest, latest + length};
  for (int joined = 0; joined < most_joined; ++joined) {
    const Wall before = cron.previous(zone, span.begin);
    if (before + length < span.begin) break;
    span.begin = before;
  }
  Wall begin = latest;
  for (int joined = 0; joined < most_joined; ++joined) {
    begin = cron.next(zone, begin);
    if (begin > span.end) break;
    span.end = begin + length;
  }
  return span;
}

Span Window::next(Wall now) const {
  const auto present = at(now);
  const Wall begin = cron.next(zone, present ? present->end : now);
  return *at(begin);
}

Result<Cron> weekly(std::string_view days, std::string_view time) {
  const auto hour = two_digits(time.substr(0, 2));
  const auto minute = two_digits(time.size() == 5 && time[2] == ':' ? time.substr(3) : "");
  if (!hour || !minute || *hour > 23 || *minute > 59) {
    return Failure{"", "expected a time of day such as 22:30" + config::but_found(time)};
  }
  if (days.empty() || days.find_first_of(" \t") != std::string_view::npos) {
    return Failure{"", "expected days of the week such as sun or mon-fri" + config::but_found(days)};
  }
  return Cron::parse(std::to_string(*minute) + " " + std::to_string(*hour) + " * * " + std::string(days));
}

}  // namespace vitald
