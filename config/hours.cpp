#include "config/hours.hpp"

#include "config/calendar.hpp"
#include "config/shown.hpp"

namespace vitald {

Result<Hours> Hours::parse(std::string_view days, std::string_view from, std::string_view to, TimeZone zone) {
  auto begins = weekly(days, from);
  if (!begins) return begins.failure();
  auto ends = weekly("*", to == "24:00" ? "00:00" : to);
  if (!ends) return Failure{"", "expected a time of day such as 18:00, or 24:00" + config::but_found(to)};
  if (from == to)
    return Failure{"", "'from' and 'to' are the same; for whole days write from: \"00:00\", to: \"24:00\""};
  Hours hours;
  hours.always_ = false;
  hours.begins_ = std::move(*begins);
  hours.ends_ = std::move(*ends);
  hours.zone_ = zone;
  return hours;
}

bool Hours::at(Wall now) const {
  if (always_) return true;
  const Wall soon = now + Duration(1);
  // Where one day's end is the next one's beginning, they go on.
  return begins_.previous(zone_, soon) >= ends_.previous(zone_, soon);
}

Wall Hours::next_change(Wall now) const {
  if (always_) return Wall::max();
  const bool inside = at(now);
  // Most ends are followed by no beginning, and few beginnings by no change: a week has all cases.
  Wall moment = now;
  for (int tries = 0; tries < 20; ++tries) {
    moment = (inside ? ends_ : begins_).next(zone_, moment);
    if (at(moment) != inside) return moment;
  }
  return Wall::max();
}

}  // namespace vitald
