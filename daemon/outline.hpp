// What a configuration says, as text and without secrets: what `vitald plan` compares, and what the running daemon can
// tell of the one that is in force, whatever has become of the file since.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "config/node.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {

/// Lines of JSON, each {"part": PART, "name": NAME, "options": {OPTION: text}}, where PART is "checks", "receivers" or
/// "general" with the names "escalations" (P0 to P3) and "settings" (all else, "log.level").
///
/// Options are as written; those that `defaults:` may say too, and limits, are as they apply. A secret that stands in
/// the file itself is "(a secret)", and so is a header that looks like one.
std::string outline_of(const config::Node& root, std::span<const CheckDraft> checks,
                       std::span<const ReceiverDraft> receivers);

/// One line into {"checks": {NAME: {OPTION: text}}, "receivers": …, "general": …}. What is no such line is left out.
void add_to_outline(nlohmann::json& outline, const nlohmann::json& line);
nlohmann::json parse_outline(const std::string& lines);

/// Packed, since 10,000 checks make megabytes of text that hardly ever anybody asks for.
std::string pack_outline(const std::string& lines);
/// "" where it was not packed by us.
std::string unpack_outline(const std::string& packed);

}  // namespace vitald::daemon
