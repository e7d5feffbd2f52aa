// Incidents and reasons as JSON: what the control socket, /api/v1/incidents/ID and the command line share.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/operations.hpp"

namespace vitald::daemon {

nlohmann::json json_of(const alerting::Story& story);
nlohmann::json json_of(const ExplainReport& report);
/// What every incident has, open or closed, but for whom it was told to.
nlohmann::json columns_json(const alerting::IncidentRecord& record);
/// A closed one, as a line of a list.
nlohmann::json json_of(const alerting::IncidentRecord& record);

}  // namespace vitald::daemon
