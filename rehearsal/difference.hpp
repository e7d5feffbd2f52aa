// What differs between two texts, line by line, for a person.
#pragma once

#include <string>

namespace vitald::rehearsal {

/// "" when they are equal. Else the lines around each difference: "-" is wanted and missing, "+" was not wanted.
std::string difference(const std::string& wanted, const std::string& got);

}  // namespace vitald::rehearsal
