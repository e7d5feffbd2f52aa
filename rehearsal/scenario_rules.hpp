// The declarations of a scenario that are about who is told when: escalations, routes, hours, windows, silences.
#pragma once

#include <map>
#include <string>

#include "alerting/event.hpp"
#include "alerting/rules.hpp"
#include "rehearsal/scenario_words.hpp"

namespace vitald::rehearsal {

using NamedHours = std::map<std::string, Hours>;

/// The rest of the line as names and NAME=VALUE labels.
alerting::Matcher matcher(Words& words);
/// `2026-03-29 00:30`, in UTC.
Wall moment(Words& words);
/// `-1h`, `+30m`
Duration jump(Words& words);
/// `office: mon-fri 09:00 18:00 Europe/Istanbul`
void named_hours(Words& words, NamedHours& all);
/// `ops; after 15m unless acknowledged during office lead; remind 30m at most 5 outside office`
alerting::Escalation escalation_of(const std::string& text, const NamedHours& hours);
/// `team=web P0: ops`
void route(const std::string& text, const NamedHours& hours, alerting::Rules& rules);
/// `deploy: web, cron 0 2 * * 0, for 30m, zone Europe/Berlin`
void planned(const std::string& text, alerting::Rules& rules);
/// `for 2h by ayse "because" [until recovered] web team=db`
alerting::SilenceAdded silence(Words& words);

}  // namespace vitald::rehearsal
