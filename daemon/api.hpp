// Everything that the daemon tells a program, as JSON: /api/v1/… and the control socket use the same words
// (docs/http.md). Foreign text is passed on whole but as valid UTF-8; what reads it must escape it.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/operations.hpp"

namespace vitald::daemon {

/// Appends some more of an answer; false when that was the last of it. Called on the loop, a slice at a time.
using Source = std::function<bool(std::string&)>;

nlohmann::json json_of(const BoardRow& row);
nlohmann::json json_of(const alerting::IncidentView& view, const Board& board);
nlohmann::json json_of(const DaemonView& view);
nlohmann::json json_of(const ProbeReport& report);

/// {"silences":[…],"maintenance":[…]}
nlohmann::json json_of(const MutedView& muted);
nlohmann::json json_of(const alerting::SilenceView& silence);

/// One line, invalid UTF-8 replaced by U+FFFD.
std::string dump(const nlohmann::json& json);

/// {"instance":…,"time":…,"checks":[…]}; only the check `only`, when that is not empty. In slices of about 32 KiB.
Source checks_document(const Operations& operations, std::string only);
/// {"instance":…,"time":…,"incidents":[…]}
std::string incidents_document(const Operations& operations);
/// {"instance":…,"time":…,"silences":[…],"maintenance":[…]}
std::string silences_document(const Operations& operations);

}  // namespace vitald::daemon
