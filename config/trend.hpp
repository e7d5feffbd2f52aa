// How fast something grows or falls: a straight line through points that a few odd ones do not bend (Theil and Sen:
// the median of the slopes of all pairs), and nothing where the points do not plainly go one way.
#pragma once

#include <optional>
#include <span>

namespace vitald {

struct TrendPoint {
  double at = 0;  // in any unit of time
  double value = 0;
};

enum class Direction { rising, falling };

/// Value for each unit of time, above zero where it rises and below where it falls; nothing where fewer than three of
/// four pairs of points go that way (half of them do where nothing happens), and for fewer than `trend_points`. Points
/// stand in the order of time. Costs the square of their number.
std::optional<double> slope(std::span<const TrendPoint> points, Direction direction);

inline constexpr std::size_t trend_points = 6;

}  // namespace vitald
