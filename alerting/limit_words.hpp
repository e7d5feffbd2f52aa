// A crossed limit in words: "used of /data is 93 % (limit 90 %)", "restarts 4 in 1 h (limit 3)".
#pragma once

#include <string>
#include <string_view>

#include "config/limit.hpp"
#include "config/sample.hpp"

namespace vitald::alerting {

/// In the sample's own words (Sample::says) where it has some. `value` is what stood against the threshold; `window` is
/// zero where it is no growth within a time.
std::string words(const Limit& limit, const Sample& sample, const Threshold& threshold, double value, Duration window);

/// At most `most` bytes of foreign text, cut between two characters.
std::string bounded(std::string_view text, std::size_t most);

}  // namespace vitald::alerting
