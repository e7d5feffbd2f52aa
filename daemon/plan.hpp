// What a reload would change: two outlines (outline.hpp) compared, what becomes of the open incidents, and the words
// for it. Pure. What it says of incidents follows alerting/engine_adopt.cpp and Incidents::adopt_rules.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "alerting/rules.hpp"
#include "daemon/cli_text.hpp"

namespace vitald::daemon {

/// {"changes": whether anything does,
///  "checks": {"added": [NAME], "removed": [NAME], "renamed": [{"from", "to"}],
///             "changed": [{"name", "options": [{"option", "before", "after"}]}]},
///  "receivers": the same without "renamed",
///  "escalations": [{"option", "before", "after"}], "settings": [{"option", "before", "after", "restart"}]}
/// Where something was not or will not be, "before" or "after" is missing. "restart": a reload alone does not do it.
nlohmann::json plan_of(const nlohmann::json& before, const nlohmann::json& after);

/// What becomes of the open incidents that this concerns, as a list of
/// {"id", "check", "summary", "severity", "fate", "why", "told": [RECEIVER], "not_told": [RECEIVER]}
/// "fate": "ends" (those in "told" get its end), "renamed" ("why" is the new name), or "goes on" (those in "told" are
/// told anew, since nobody is left who knew of it). "not_told" knew of it and are removed, so they get no end.
/// "in_a_storm": nobody was told of it by itself, while a storm is open. "looked_at": checks that were put down to what
/// ends, and are looked at again.
///
/// `incidents` as the daemon lists them; `now` is the daemon's time, in RFC 3339.
nlohmann::json incidents_of_plan(const nlohmann::json& plan, const nlohmann::json& incidents, const std::string& now,
                                 const alerting::Rules& after);

/// "nothing would change" when it is so.
std::string render_plan(const nlohmann::json& plan, const Terminal& terminal);
/// "" where none is concerned.
std::string render_incidents_of_plan(const nlohmann::json& incidents, const Terminal& terminal);

}  // namespace vitald::daemon
