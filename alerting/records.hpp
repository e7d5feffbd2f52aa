// What the engine remembers as JSON text, for the store, and back. Steady times are written as ages, with the wall time
// of writing beside them; a record that cannot be read counts as none.
#pragma once

#include <optional>
#include <string>

#include "alerting/check_state.hpp"
#include "alerting/incident.hpp"

namespace vitald::alerting {

/// At most 64 KiB, but for a probe memory that needs more when escaped; windows of the last rows are left out then.
std::string to_state(const CheckState& check, const Now& now);
/// The state under the record's name, its times put onto this process' steady clock.
std::optional<CheckState> check_from_record(const CheckRecord& record, const Now& now);

/// The record without its `state`.
IncidentRecord columns_of(const Incident& incident);
IncidentRecord to_record(const Incident& incident, const Now& now);
std::optional<Incident> incident_from_record(const IncidentRecord& record, const Now& now);

}  // namespace vitald::alerting
