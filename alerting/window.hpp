// What was added within the last so-and-so much time, in bounded memory: at most 60 buckets, each a sixtieth of the
// span wide. An amount leaves up to one bucket's width early, never late.
#pragma once

#include <cstddef>
#include <vector>

#include "config/now.hpp"

namespace vitald::alerting {

struct Window {
  static constexpr std::size_t buckets_max = 60;
  struct Bucket {
    Steady from;
    double amount = 0;
    friend bool operator==(const Bucket&, const Bucket&) = default;
  };

  Duration span{};
  std::vector<Bucket> buckets;  // oldest first; only times at which something was added

  friend bool operator==(const Window&, const Window&) = default;
};

/// `at` never lies before an earlier one.
void add(Window& window, Steady at, double amount);
double sum(const Window& window, Steady at);

}  // namespace vitald::alerting
