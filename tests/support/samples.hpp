// Looking a sample up in what a run found.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/observation.hpp"

namespace vitald::testing {

/// Its value, or nothing where there is none of that name and those labels.
inline std::optional<double> find_sample_of(const Observation& seen, std::string_view name, const Labels& labels = {}) {
  for (const Sample& sample : seen.samples) {
    if (sample.name == name && sample.labels == labels) return sample.value;
  }
  return std::nullopt;
}

/// The text of the first evidence of that name, or "".
inline std::string find_evidence(const Observation& seen, std::string_view label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

}  // namespace vitald::testing
