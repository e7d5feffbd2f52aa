// An incident told whole, out of its record: what was found first and last, who was told, and all that happened in
// between. The page, the API, `vitald incidents ID` and the post-mortem are made of it, for open and closed ones alike.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alerting/effects.hpp"
#include "alerting/notification.hpp"
#include "alerting/sighting.hpp"
#include "alerting/trace.hpp"

namespace vitald::alerting {

struct Story {
  IncidentRecord record;          // without its `state`
  Notification facts;             // what its messages say of it
  std::set<std::string> reached;  // receivers that took at least one message
  Sighting first_bad, last_bad;   // `at` is zero where none was kept
  std::vector<Reason> timeline;
};

/// Nothing where the record makes no sense.
std::optional<Story> story_of(const IncidentRecord& record, const Now& now);

/// A post-mortem in Markdown: what is known filled in, what only people know left open. Foreign text in it cannot break
/// its form.
std::string report_of(const Story& story, Wall now);

}  // namespace vitald::alerting
