// Times as databases print them: `2026-11-22 02:13:41.5`, with or without an offset, or seconds since 1970.
#pragma once

#include <optional>
#include <string_view>

#include "config/now.hpp"

namespace date {
class time_zone;
}

namespace vitald::probes::sql {

/// Date, or date and time (blank or T between them, fractions allowed), or a number: seconds since 1970, and
/// milliseconds where that would be after the year 5138. `zone` (nullptr: UTC) is of times that carry no offset; of one
/// that exists twice the earlier is meant, and one that does not exist is the moment of the change. Nothing: no time.
std::optional<Wall> read_time(std::string_view text, const date::time_zone* zone);

}  // namespace vitald::probes::sql
