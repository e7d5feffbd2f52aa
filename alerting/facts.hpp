// What an incident's messages say of an observation: frozen, bounded, fit for every receiver.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/check_state.hpp"
#include "alerting/event.hpp"
#include "alerting/notification.hpp"

namespace vitald::alerting {

/// `status` is the confirmed one and decides the severity; `summary` says which limit or what the probe saw.
Notification facts_of(const CheckState& check, const Observed& event, Status status, std::string_view summary);

/// The same as proof of one bad run, in less room.
Sighting sighting_of(const CheckState& check, const Observed& event);

/// What one event trouble of vitald's own is told with.
Notification facts_of(const SelfTrouble& trouble, const Now& now);

/// The names of the first 50 of `items`, and "7 more": what one message lists.
template <class Items, class NameOf = std::identity>
std::vector<std::string> listed(const Items& items, NameOf name_of = {}) {
  constexpr std::size_t named_max = 50;
  std::vector<std::string> names;
  for (const auto& item : items) {
    if (names.size() == named_max) {
      names.push_back(std::to_string(items.size() - named_max) + " more");
      break;
    }
    names.push_back(std::invoke(name_of, item));
  }
  return names;
}

Severity severity_of(const CheckRules& rules, Status status);

}  // namespace vitald::alerting
