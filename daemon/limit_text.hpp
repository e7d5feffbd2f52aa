// A limit and a sample's value as people read them.
#pragma once

#include <string>

#include "config/limit.hpp"
#include "config/sample.hpp"

namespace vitald::daemon {

/// "38 ms", "1.2 GiB", "93 %", "1250".
std::string say_value(double value, Unit unit);
/// "warning above 80 %, critical above 90 %, clear below 75 %, for 5 min".
std::string say_limit(const Limit& limit);

}  // namespace vitald::daemon
