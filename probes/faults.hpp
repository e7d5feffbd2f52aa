// What judge() found wrong, and how it becomes the verdict. A fault is a ProbeFailure that nobody throws: the same four
// things are to be said of it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/observation.hpp"
#include "probes/failure.hpp"

namespace vitald::probes {

ProbeFailure wrong(std::string reason, std::string summary, std::string remedy = "");
ProbeFailure refused(std::string reason, std::string summary, std::string remedy = "");
ProbeFailure unmeasured(std::string reason, std::string summary, std::string remedy = "");

using Faults = std::vector<ProbeFailure>;

/// Makes it the verdict of `seen`.
void blame(const ProbeFailure& fault, Observation& seen);
/// The first is the verdict, the others are evidence; `most` in all. Without a fault nothing happens.
void blame(const Faults& faults, Observation& seen, std::size_t most);

}  // namespace vitald::probes
