// Named hours of the week: "Monday to Friday from 09:00 to 18:00 in Istanbul". Pure.
//
// They follow the clock on the wall: night hours that end at 06:00 end at 06:00 on the night of a clock change too,
// unlike a Window, which lasts its length.
#pragma once

#include <string_view>

#include "config/cron.hpp"

namespace vitald {

class Hours {
 public:
  Hours() = default;  // always
  /// "mon-fri", "09:00", "18:00". `days` are those on which they begin; where `to` is not later than `from` they end on
  /// the day after. "24:00" is the end of the day.
  static Result<Hours> parse(std::string_view days, std::string_view from, std::string_view to, TimeZone zone);

  bool at(Wall now) const;
  /// The next moment, later than `now`, from which on at() differs from what it is now; the end of time where none
  /// does.
  Wall next_change(Wall now) const;

 private:
  bool always_ = true;
  Cron begins_, ends_;  // the latter on every day: an end without a beginning changes nothing
  TimeZone zone_;
};

}  // namespace vitald
