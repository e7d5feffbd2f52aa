// Numbers as servers tell them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/now.hpp"

namespace vitald::probes {

/// The whole text as a number (parse_number of config/units.hpp), where nobody asks why it is none.
std::optional<double> to_number(std::string_view text);
/// A length that a server told in seconds, within a century either way: whatever it says, no clock overflows.
Duration length_of(double seconds);
/// "1 session", "3 sessions".
std::string say_count(double count, const std::string& one);
std::string say_count(std::int64_t count, const std::string& one);

}  // namespace vitald::probes
