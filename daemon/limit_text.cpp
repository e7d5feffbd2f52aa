#include "daemon/limit_text.hpp"

#include <cmath>

#include "config/units.hpp"

namespace vitald::daemon {
namespace {

std::string say_seconds(double value) {
  constexpr double longest = 1e9;  // 30 years: beyond is no duration any more
  if (!(std::abs(value) < longest)) return say_number(value) + " s";
  const auto length = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::abs(value)));
  return (value < 0 ? "-" : "") + say_duration(length);
}

std::string say_threshold(const Threshold& threshold, Unit unit) {
  std::string text = threshold.of_maximum ? say_ratio(threshold.value) : say_value(threshold.value, unit);
  if (threshold.per) text += " per " + say_duration(*threshold.per);
  return text;
}

}  // namespace

std::string say_value(double value, Unit unit) {
  if (!std::isfinite(value)) return say_number(value);
  switch (unit) {
    case Unit::seconds:
      return say_seconds(value);
    case Unit::bytes:
      return say_bytes(value);
    case Unit::ratio:
      return say_ratio(value);
    case Unit::none:
      break;
  }
  return say_number(value);
}

std::string say_limit(const Limit& limit) {
  const std::string bad = limit.below ? "below " : "above ";
  const std::string good = limit.below ? "above " : "below ";
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (limit.warning) add("warning " + bad + say_threshold(*limit.warning, limit.unit));
  if (limit.critical) add("critical " + bad + say_threshold(*limit.critical, limit.unit));
  if (limit.clear) add("clear " + good + say_threshold(*limit.clear, limit.unit));
  if (limit.hold_for > Duration::zero()) add("for " + say_duration(limit.hold_for));
  if (limit.of_runs > 1) add(std::to_string(limit.of_bad) + " of " + std::to_string(limit.of_runs) + " runs");
  if (limit.over) add("over " + say_duration(*limit.over));
  if (limit.derived && limit.derived->over > Duration::zero()) add("over " + say_duration(limit.derived->over));
  if (limit.missing) add(std::string(to_string(*limit.missing)) + " when missing");
  return text;
}

}  // namespace vitald::daemon
