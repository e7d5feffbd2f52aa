// Recurring windows of time: "Sundays at 02:00 for 30 minutes". Pure.
//
// A window begins when its calendar says, in its time zone, and lasts its length in elapsed time: a window of 30
// minutes has 30 minutes, whatever the clock does meanwhile. Beginnings inside a window make it last longer.
#pragma once

#include <optional>

#include "config/cron.hpp"

namespace vitald {

/// [begin, end)
struct Span {
  Wall begin, end;
};

struct Window {
  Cron cron;  // the beginnings; a weekday with a time is one: weekly()
  TimeZone zone;
  Duration length = std::chrono::hours(1);

  /// The occurrence that holds at `now`. Beginnings that come at the latest when it ends belong to it, but no more than
  /// `most_joined` of them are looked at: a window that is always open ends that far away, and then goes on.
  std::optional<Span> at(Wall now) const;
  /// The first occurrence that begins later than `now`.
  Span next(Wall now) const;

  static constexpr int most_joined = 100;
};

/// Beginnings on these days of the week at a time of day: "mon-fri" and 22:30.
Result<Cron> weekly(std::string_view days, std::string_view time);

}  // namespace vitald
