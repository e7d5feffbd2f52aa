#include "alerting/limit_words.hpp"

#include <algorithm>
#include <cmath>

#include "config/units.hpp"

namespace vitald::alerting {
namespace {

std::string amount(double value, Unit unit) {
  switch (unit) {
    case Unit::seconds: {
      // 290 years fit a Duration; a probe that reports more has a broken clock, not a long answer.
      const double nanoseconds = std::clamp(value * 1e9, -9e18, 9e18);
      const Duration length(static_cast<Duration::rep>(std::abs(nanoseconds)));
      return (value < 0 ? "-" : "") + say_duration(length);
    }
    case Unit::bytes:
      return say_bytes(value);
    case Unit::ratio:
      return say_ratio(value);
    case Unit::none:
      break;
  }
  return say_number(value);
}

std::string spoken(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

/// " of /data": which row it is, or "".
std::string of_row(const Sample& sample) {
  std::string row;
  for (const auto& label : sample.labels) row += (row.empty() ? "" : ", ") + label.second;
  return row.empty() ? "" : " of " + bounded(row, 80);
}

/// "errors are 7 % of requests in 10 min", "used of /data reaches 95 % in 3 h at its present pace".
std::string derived_words(const Limit& limit, const Derived& derived, const Sample& sample, double value) {
  const std::string what = spoken(derived.of) + of_row(sample);
  if (derived.how == Derived::How::ratio) {
    const std::string within = derived.over > Duration::zero() ? " in " + say_duration(derived.over) : "";
    return what + " are " + say_ratio(value) + " of " + spoken(derived.whole) + within;
  }
  const std::string target = limit.sample.substr(limit.sample.rfind(' ') + 1);
  if (value <= 0) return what + " has reached " + target;
  return what + " reaches " + target + " in " + amount(value, Unit::seconds) + " at its present pace";
}

std::string how_often(const Limit& limit) {
  std::string text;
  if (limit.of_runs > 1) {
    text += " in " + std::to_string(limit.of_bad) + " of " + std::to_string(limit.of_runs) + " runs";
  }
  if (limit.hold_for > Duration::zero()) text += " for " + say_duration(limit.hold_for);
  return text;
}

}  // namespace

std::string bounded(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most > 3 ? most - 3 : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string words(const Limit& limit, const Sample& sample, const Threshold& threshold, double value, Duration window) {
  // Over a window the figure is the news: the sentence of this run knows only what this run saw.
  const bool own_words = !sample.says.empty() && window == Duration::zero();
  if (own_words) return bounded(sample.says, 300) + how_often(limit);
  const Unit unit = threshold.of_maximum ? Unit::ratio : limit.unit;
  const std::string bound = how_often(limit) + " (limit " + amount(threshold.value, unit) + ")";
  if (limit.derived) return derived_words(limit, *limit.derived, sample, value) + bound;
  const std::string row = of_row(sample);
  std::string text = spoken(sample.name) + row + (row.empty() ? " " : " is ") + amount(value, unit);
  if (window > Duration::zero()) text += " in " + say_duration(window);
  return text + bound;
}

}  // namespace vitald::alerting
