// Name and value pairs that a user hangs on a check, and that rows of one observation carry.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vitald {

/// Sorted by name, names unique: the loader sees to both, so equal sets compare equal.
using Labels = std::vector<std::pair<std::string, std::string>>;

}  // namespace vitald
