// The derive stage: figures that are made of samples, for limits on "errors / requests" and on "used reaches 95%". Each
// comes out as one more sample, named by its limit, one for each row, and is judged as a level like any other.
//
// A run that cannot tell (no denominator yet, no plain trend) gives no sample, which is as good as a fine one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alerting/window.hpp"
#include "config/limit.hpp"
#include "config/sample.hpp"

namespace vitald::alerting {

/// What one row of one derived figure remembers.
struct DerivedRow {
  struct Point {
    Steady at{};
    double value = 0;
    friend bool operator==(const Point&, const Point&) = default;
  };

  std::string sample;  // Limit::sample
  Labels labels;
  Steady used{};                                     // the run that had it last
  std::optional<double> last = {}, last_whole = {};  // ratio: counters at that run
  Window part, whole;                                // ratio: what they grew by
  std::vector<Point> points;                         // trend: oldest first, at most points_max

  static constexpr std::size_t points_max = 24;
};

struct DerivedMemory {
  static constexpr std::size_t rows_max = 50;
  std::vector<DerivedRow> rows;
};

struct DerivedSamples {
  std::vector<Sample> samples;
  bool remembers = false;  // the memory differs from before
};

/// Of one run that began `at`.
DerivedSamples derive(std::span<const Limit> limits, DerivedMemory& memory, std::span<const Sample> samples, Steady at);

/// After a reload: forgets what no limit needs any more, and what was gathered over another time.
void adopt_derived(DerivedMemory& memory, std::span<const Limit> limits);

}  // namespace vitald::alerting
