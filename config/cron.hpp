// When a line of a crontab runs: the five fields (or @daily and its like) of Debian's cron, in a time zone.
//
// Across a change of the clock as Debian's cron(8), of changes by up to three hours: a fixed time inside the gap
// happens at the gap's end, one that exists twice happens the first time; where the minute or the hour begins with '*',
// it follows the clock. A larger change is a correction: what it skips does not happen, what it repeats happens twice.
#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/result.hpp"
#include "config/time_zone.hpp"

namespace vitald {

class Cron {
 public:
  Cron() = default;  // every minute
  /// What never happens (30 February) is refused here, so that next() and previous() always have an answer.
  static Result<Cron> parse(std::string_view text);
  /// As it was written.
  const std::string& text() const { return text_; }

  /// The first moment at which it happens, later than `after`.
  Wall next(const TimeZone& zone, Wall after) const;
  /// The last moment at which it happened, earlier than `before`.
  Wall previous(const TimeZone& zone, Wall before) const;

 private:
  using Local = std::chrono::local_time<std::chrono::seconds>;

  bool falls_on(std::chrono::local_days day) const;
  bool ever_happens() const;
  /// The first, or the last, full minute of [from, end) at which it happens by a calendar without changes of the clock.
  std::optional<Local> first_in(Local from, Local end) const;
  std::optional<Local> last_in(Local from, Local end) const;
  /// The local time from which on a stretch's minutes are its own: those of a gap before it are, those that have been
  /// before are not.
  Local opening(const TimeZone& zone, const TimeZone::Stretch& stretch) const;

  using Bits = std::bitset<60>;
  std::string text_ = "* * * * *";
  Bits minutes_ = ~Bits(), hours_ = ~Bits(), days_ = ~Bits(), months_ = ~Bits(), weekdays_ = ~Bits();
  bool wild_ = true;         // minute or hour begins with '*'
  bool either_day_ = false;  // neither day field begins with '*': one of them is enough
};

}  // namespace vitald
