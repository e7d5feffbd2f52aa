// How fast file systems fill: a point every five minutes for four hours, and the line through them (config/trend.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"

namespace vitald::probes::disk {

struct Point {
  std::int64_t minute = 0;  // of the epoch
  std::int64_t kib = 0;     // in use
  friend bool operator==(const Point&, const Point&) = default;
};

/// Bytes a second; nothing where the points span less than an hour, and where it does not plainly grow.
std::optional<double> growth_of(const std::vector<Point>& points);

class Trends {
 public:
  /// What written() made; never fails.
  static Trends read(std::string_view memory);

  /// Takes note of the bytes in use, unless the last point is younger than five minutes.
  void add(const std::string& mount, Wall at, double used);
  /// Seconds until `available` bytes are used up at the present pace; nothing where that takes more than a year.
  std::optional<double> full_in(const std::string& mount, double available) const;
  /// Without points of more than four hours ago, so that mounts which are gone are forgotten.
  std::string written(Wall at) const;

 private:
  struct Trend {
    std::string mount;
    std::vector<Point> points;  // oldest first
  };
  const Trend* find(const std::string& mount) const;

  std::vector<Trend> trends_;
};

}  // namespace vitald::probes::disk
