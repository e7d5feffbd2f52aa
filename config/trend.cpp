#include "config/trend.hpp"

#include <algorithm>
#include <vector>

namespace vitald {

std::optional<double> slope(std::span<const TrendPoint> points, Direction direction) {
  constexpr double least_agreement = 0.75;
  if (points.size() < trend_points) return std::nullopt;
  const double sign = direction == Direction::rising ? 1 : -1;
  std::vector<double> slopes;
  std::size_t agreeing = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const double time = points[j].at - points[i].at;
      if (!(time > 0)) continue;
      slopes.push_back((points[j].value - points[i].value) / time);
      if (slopes.back() * sign > 0) agreeing += 1;
    }
  }
  if (slopes.empty() || static_cast<double>(agreeing) < least_agreement * static_cast<double>(slopes.size()))
    return std::nullopt;
  const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::nth_element(slopes.begin(), middle, slopes.end());
  return *middle * sign > 0 ? std::optional(*middle) : std::nullopt;
}

}  // namespace vitald
