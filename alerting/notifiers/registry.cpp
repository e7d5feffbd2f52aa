// Every kind of receiver there is. To add one: docs/adding-a-notifier.md.
#include <array>

#include "alerting/notifiers/notifier.hpp"
#include "alerting/notifiers/receivers.hpp"

namespace vitald::alerting {
namespace {

constexpr std::array kinds = {
    NotifierKind{"slack", "Slack", parse_slack},
    NotifierKind{"pagerduty", "PagerDuty", parse_pagerduty},
    NotifierKind{"webhook", "Webhook", parse_webhook},
    NotifierKind{"console", "Console", parse_console},
};

}  // namespace

std::span<const NotifierKind> notifier_kinds() { return kinds; }

const NotifierKind* find_notifier(std::string_view name) {
  for (const NotifierKind& kind : kinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

}  // namespace vitald::alerting
