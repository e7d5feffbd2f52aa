#include <algorithm>
#include <cmath>

#include "config/units.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes {
namespace {

constexpr double century = 100.0 * 366 * 24 * 3600;

std::string several(bool one, const std::string& noun) { return " " + noun + (one ? "" : "s"); }

}  // namespace

std::optional<double> to_number(std::string_view text) {
  const auto number = parse_number(text);
  return number ? std::optional(*number) : std::nullopt;
}

Duration length_of(double seconds) {
  if (std::isnan(seconds)) return {};
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(std::clamp(seconds, -century, century)));
}

std::string say_count(double count, const std::string& one) { return say_number(count) + several(count == 1, one); }
std::string say_count(std::int64_t count, const std::string& one) {
  return std::to_string(count) + several(count == 1, one);
}

}  // namespace vitald::probes
