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
  std::string text = sample.name;
  std::replace(text.begin(), text.end(), '_', ' ');
  std::string row;
  for (const auto& label : sample.labels) row += (row.empty() ? "" : ", ") + label.second;
  if (!row.empty()) text += " of " + bounded(row, 80) + " is";
  text += " " + amount(value, unit);
  if (window > Duration::zero()) text += " in " + say_duration(window);
  return text + how_often(limit) + " (limit " + amount(threshold.value, unit) + ")";
}

}  // namespace vitald::alerting
