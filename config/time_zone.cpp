#include "config/time_zone.hpp"

#include <date/tz.h>

#include <filesystem>

#include "config/reader.hpp"
#include "config/shown.hpp"

namespace vitald {
namespace {

/// The library reads a zone's file at the first question; nobody shall wait for that later, on the loop.
const date::time_zone* loaded(const date::time_zone* zone) {
  (void)zone->get_info(date::sys_seconds{});
  return zone;
}

std::string near_miss(const std::string& name) {
  std::vector<std::string> known;
  for (const date::time_zone& zone : date::get_tzdb().zones) known.push_back(zone.name());
  return config::suggestion(name, known);
}

}  // namespace

Result<TimeZone> TimeZone::named(const std::string& name) {
  const std::string expected = "expected a time zone such as Europe/Berlin or UTC" + config::but_found(name);
  try {
    const date::tzdb& database = date::get_tzdb();
    for (const date::time_zone& zone : database.zones) {
      if (zone.name() == name) return TimeZone(loaded(&zone));
    }
    const std::string close = near_miss(name);
    return Failure{
        "", expected + (close.empty() ? "; run: timedatectl list-timezones" : "; did you mean '" + close + "'?")};
  } catch (const std::exception& error) {
    return Failure{"", "the time zones of this host cannot be read (" + std::string(error.what()) +
                           "); install Debian's package tzdata"};
  }
}

Result<TimeZone> TimeZone::of_host() {
  std::error_code unreadable;
  const auto kind = std::filesystem::symlink_status("/etc/localtime", unreadable).type();
  if (kind == std::filesystem::file_type::not_found) return TimeZone();  // localtime(5): then it is UTC
  try {
    return TimeZone(loaded(date::current_zone()));
  } catch (const std::exception&) {
    return Failure{"",
                   "the time zone of this host cannot be told from /etc/localtime; write timezone: Europe/Berlin, "
                   "or whichever it is"};
  }
}

std::string TimeZone::name() const { return zone_ == nullptr ? "UTC" : zone_->name(); }

TimeZone::Stretch TimeZone::at(std::chrono::sys_seconds moment) const {
  if (zone_ == nullptr) return {std::chrono::sys_seconds::min(), std::chrono::sys_seconds::max(), {}};
  const date::sys_info info = zone_->get_info(moment);
  return {info.begin, info.end, info.offset};
}

}  // namespace vitald
