// The status page: one HTML document without script, readable on a phone and in the dark, rendered whole on the loop.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/operations.hpp"

namespace vitald::daemon {

/// At most this many checks stand on the page, problems first; a note says how many are left out.
inline constexpr std::size_t most_rows_on_page = 500;
inline constexpr std::size_t most_incidents_on_page = 50;
inline constexpr std::size_t most_affected_on_page = 50;  // of one incident

inline constexpr std::size_t most_closed_on_page = 10;

/// `recent`: incidents that are over, latest first.
std::string status_page(const Operations& operations, const std::vector<alerting::IncidentRecord>& recent = {});
/// The stylesheet at /style.css.
std::string_view page_style();

}  // namespace vitald::daemon
