#include "alerting/story.hpp"

#include "alerting/records.hpp"

namespace vitald::alerting {

std::optional<Story> story_of(const IncidentRecord& record, const Now& now) {
  auto incident = incident_from_record(record, now);
  if (!incident) return std::nullopt;
  Story story;
  story.record = record;
  story.record.state.clear();
  story.facts = std::move(incident->facts);
  story.reached = std::move(incident->reached);
  story.first_bad = std::move(incident->first_bad);
  story.last_bad = std::move(incident->last_bad);
  story.timeline = incident->timeline.reasons();
  return story;
}

}  // namespace vitald::alerting
