// Finding incidents: by subject, by severity, by what a person typed.
#include "alerting/incident.hpp"

namespace vitald::alerting {

const Incident* Incidents::find_subject(std::string_view subject) const {
  const auto found = open_by_subject_.find(subject);
  return found == open_by_subject_.end() ? nullptr : &all_.find(found->second)->second;
}

const Incident* Incidents::find_exact(std::string_view id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

std::vector<const Incident*> Incidents::open_ones() const {
  std::vector<const Incident*> open;
  for (const auto& [id, incident] : all_) {
    if (!incident.closed) open.push_back(&incident);
  }
  return open;
}

std::size_t Incidents::open_count(Severity severity) const { return open_counts_[static_cast<std::size_t>(severity)]; }

Result<IncidentId> Incidents::find(std::string_view prefix) const {
  const std::string typed = fold_id(prefix.substr(0, 20));
  if (typed.size() < typed_prefix) return Failure{"", "an incident is named by at least 4 characters of its id"};
  std::vector<IncidentId> fitting;
  for (auto found = all_.lower_bound(typed); found != all_.end() && found->first.starts_with(typed); ++found) {
    if (!found->second.closed) fitting.push_back(found->first);
  }
  if (fitting.empty()) return Failure{"", "no open incident has an id that begins with '" + typed + "'"};
  if (fitting.size() > 1) {
    return Failure{"", std::to_string(fitting.size()) + " open incidents have ids that begin with '" + typed +
                           "', give more of it (one is " + fitting.front() + ")"};
  }
  return fitting.front();
}

}  // namespace vitald::alerting
