// One run of one check, for a person who asked for it (`vitald probe`, `vitald verify`).
#pragma once

#include <boost/asio/awaitable.hpp>

#include "alerting/rules.hpp"
#include "daemon/configuration.hpp"
#include "daemon/operations.hpp"
#include "daemon/runner.hpp"

namespace vitald::daemon {

/// Runs the check outside its schedule and judges it alone: limits that need a history ("3 per 1h", "3 of 5", `for`)
/// see this one run only, and the engine never hears of it. `memory` is what the check's last run left, so that a probe
/// can tell what is new since then; what this one leaves is dropped.
boost::asio::awaitable<ProbeReport> run_for_report(Runner& runner, const CheckPlan& plan, const alerting::Rules& rules,
                                                   std::string memory, const Clock& clock);

/// The limits of `plan` over one observation. Pure.
ProbeReport judge_for_report(const CheckPlan& plan, const alerting::Rules& rules, FinishedRun run);

}  // namespace vitald::daemon
