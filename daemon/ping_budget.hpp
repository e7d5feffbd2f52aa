// How many pings of one check are taken in: each is a commit, and a flood must not be one of the disk as well.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "config/now.hpp"

namespace vitald::daemon {

/// 60 at once, and 2 a second from then on. Asked only for checks that exist, so it does not grow with what is asked.
class PingBudget {
 public:
  bool take(std::string_view check, Steady now) {
    const auto known = free_at_.find(check);
    Steady& free_at = known != free_at_.end() ? known->second : free_at_[std::string(check)];
    if (free_at - now > cost * (at_once - 1)) return false;
    free_at = std::max(free_at, now) + cost;
    return true;
  }

 private:
  static constexpr Duration cost = std::chrono::milliseconds(500);
  static constexpr int at_once = 60;
  std::map<std::string, Steady, std::less<>> free_at_;  // when all that was taken is paid for
};

}  // namespace vitald::daemon
