// The kinds of receiver that the table in registry.cpp names. Each file holds one: its options, render() and judge().
#pragma once

#include <memory>

#include "alerting/notifiers/notifier.hpp"

namespace vitald::alerting {

std::unique_ptr<const Notifier> parse_slack(config::Reader& in);
std::unique_ptr<const Notifier> parse_pagerduty(config::Reader& in);
std::unique_ptr<const Notifier> parse_webhook(config::Reader& in);
std::unique_ptr<const Notifier> parse_console(config::Reader& in);

}  // namespace vitald::alerting
