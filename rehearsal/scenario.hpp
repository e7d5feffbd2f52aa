// Scenarios: text that an operator can read, run against the real engine. The language is shown by the files in
// tests/scenarios; every command is a function in scenario.cpp.
//
//   receivers ops-slack lead                      declarations come first, one a line
//   escalation P0: ops-slack; after 15m unless acknowledged lead; remind 30m
//   check web: severity P0, confirm calm, every 30s
//   limits web: { duration: { warning: 200ms } }  the configuration's own grammar, on the samples of `sample` lines
//   begins 2026-03-29 00:30                       what the wall clock (UTC) says at 0s
//   hours office: mon-fri 09:00 18:00 Europe/Istanbul
//   escalation P1: during office ops-slack; remind 30m at most 5 during office
//   route team=web P0: web-slack                  as `escalation`, for checks of that name or label
//   window deploy: web team=db, cron 0 2 * * 0, for 30m, zone Europe/Berlin
//   0s web refused "connection refused"           then what happens when; between two lines time passes by itself
//   20s web-{1..1000} refused "no answer" because connect_timeout    one line for each; the reason is for grouping
//   1h count ops 0s 1h                            how many messages it got then; `hide runs` shows no requests
//   > 30s problem P0 web to ops-slack: ...        what the engine wanted done: rewritten by VITALD_UPDATE_GOLDEN=1
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alerting/rules.hpp"

namespace vitald::rehearsal {

/// A user's own configuration in the place of declarations: those are refused then.
struct Setting {
  alerting::Rules rules;
  std::map<std::string, std::vector<std::string>> samples;  // by check: what it measures; absent where that is free
};

/// Runs the scenario and gives its text back with the `>` lines that the engine of today produces. A line that is not
/// understood becomes a `> error: …` line.
std::string run_scenario(const std::string& text, std::optional<Setting> setting = {});

}  // namespace vitald::rehearsal
