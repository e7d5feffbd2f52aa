// A time zone of the host's tz database: which offset from UTC holds when. Only the transitions that the database lists
// are known (Debian's reach to 2037). A new tzdata counts after a restart.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.hpp"

namespace date {
class time_zone;
}

namespace vitald {

class TimeZone {
 public:
  /// A stretch of time with one offset: [begin, end).
  struct Stretch {
    std::chrono::sys_seconds begin, end;
    std::chrono::seconds offset;  // local time minus UTC
  };

  TimeZone() = default;  // UTC, without a look at any file
  /// "Europe/Istanbul", read whole here and now (blocks); a near miss is suggested.
  static Result<TimeZone> named(const std::string& name);
  /// The one that this host, and so its cron, lives by; UTC where nothing was set.
  static Result<TimeZone> of_host();

  std::string name() const;
  Stretch at(std::chrono::sys_seconds moment) const;

 private:
  explicit TimeZone(const date::time_zone* zone) : zone_(zone) {}
  const date::time_zone* zone_ = nullptr;  // the database's, there for good
};

}  // namespace vitald
