// What `vitald explain` says: how a check or an incident stands, who is told of it and who is not, what comes next, in
// whole sentences, and the chain of reasons behind it. Made for somebody who asks "why was I (not) paged?".
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "alerting/effects.hpp"
#include "alerting/trace.hpp"

namespace vitald::alerting {

struct Paragraph {
  std::string about;              // "now", "confirmation", "cause", "told", "not told", "next"
  std::vector<std::string> says;  // sentences; foreign text is in them
};

struct Explanation {
  std::string subject;                // the check's name, or the incident's whole id
  std::string check;                  // the check that it is about; "vitald" for its own troubles
  IncidentId incident;                // the one that it has or belongs to, open or of late; or ""
  std::vector<Paragraph> paragraphs;  // in the order in which they are read
  std::vector<Reason> reasons;        // oldest first
};

/// Of an incident that is only in the store's history. Nothing where the record makes no sense.
std::optional<Explanation> explain_record(const IncidentRecord& record, const Now& now);

}  // namespace vitald::alerting
