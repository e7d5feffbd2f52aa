// One bad observation, kept as proof: what it said and what it had to show.
#pragma once

#include <string>
#include <vector>

#include "config/now.hpp"
#include "config/observation.hpp"

namespace vitald::alerting {

struct Sighting {
  Wall at{};
  std::string summary;
  std::vector<Evidence> evidence;
};

}  // namespace vitald::alerting
