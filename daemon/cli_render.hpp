// What `status`, `probe`, `verify` and `incidents` print for people, out of the JSON that the daemon sent
// (docs/command-line.md). Pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "daemon/cli_text.hpp"

namespace vitald::daemon {

std::string render_status(const nlohmann::json& result, const std::vector<nlohmann::json>& checks,
                          const Terminal& terminal);
std::string render_incidents(const nlohmann::json& result, const Terminal& terminal);
/// Silences and windows; for `silence list`, `maintenance` and the end of `status`.
std::string render_silences(const nlohmann::json& result, const Terminal& terminal);
std::string render_maintenance(const nlohmann::json& result, const Terminal& terminal);
/// One line for each that mutes something now, or "".
std::string render_muted(const nlohmann::json& result, const Terminal& terminal);
std::string render_story(const nlohmann::json& incident, const Terminal& terminal);
std::string render_explanation(const nlohmann::json& report, const Terminal& terminal);
/// One line for each incident that is over.
std::string render_closed(const nlohmann::json& closed, const Terminal& terminal);
std::string render_probe(const nlohmann::json& report, const Terminal& terminal);
/// One line as a check finishes, and the last line.
std::string render_verify_line(const nlohmann::json& progress, const Terminal& terminal);
std::string render_verify_summary(const nlohmann::json& result, const Terminal& terminal);

/// 0 ok, 1 warning, 2 critical, 3 unknown; 3 for any other word.
int exit_code(std::string_view verdict);

}  // namespace vitald::daemon
