// What is wrong with a file, and what has changed, in words.
#pragma once

#include <string>

#include "probes/faults.hpp"
#include "probes/file.hpp"

namespace vitald::probes::file {

inline constexpr std::size_t most_shown = 10;

ProbeFailure trouble_with(const std::string& path, int error);
Faults find_faults(const Config& config, const Facts& facts);

/// "regular file, 12 B, mode 0640, root:adm".
std::string say(const Found& found);

/// What a change is measured by: for the memory of the next run.
std::string describe(const Facts& facts);
/// What differs between two of them, in words; "" where nothing does.
std::string difference(const std::string& path, const std::string& before, const std::string& now);

}  // namespace vitald::probes::file
