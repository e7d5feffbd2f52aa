// What limits remember as JSON and back; a part of a check's record.
#pragma once

#include <cstddef>

#include "alerting/json_fields.hpp"
#include "alerting/limits.hpp"
#include "alerting/records.hpp"

namespace vitald::alerting {

/// Adds "rows" and "derived", about `most` bytes of them: what does not fit is forgotten at a restart.
void add_rows(Json& record, const LimitMemory& memory, const Ages& ages, std::size_t most);
/// What cannot be read counts as absent.
void read_rows(const Json& record, const Ages& ages, LimitMemory& memory);

}  // namespace vitald::alerting
