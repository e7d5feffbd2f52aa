// Since when this process has been there for every ping. A clock that was set, or a host that slept, begins it anew:
// for the time in between nobody can say what would have come.
#pragma once

#include "config/now.hpp"

namespace vitald::daemon {

class Hearing {
 public:
  explicit Hearing(const Now& now) : since_(now.wall), offset_(offset(now)) {}

  Wall since(const Now& now) {
    const Duration moved = offset(now) - offset_;
    offset_ += moved;
    if (moved > tolerance || moved < -tolerance) since_ = now.wall;
    return since_;
  }

 private:
  static constexpr Duration tolerance = std::chrono::seconds(5);  // small corrections are everyday
  /// Both clocks run alike, but the steady one is never set and stands still while the host sleeps.
  static Duration offset(const Now& now) { return now.wall.time_since_epoch() - now.steady.time_since_epoch(); }

  Wall since_;
  Duration offset_;
};

}  // namespace vitald::daemon
