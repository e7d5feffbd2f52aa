#include "probes/faults.hpp"

#include <algorithm>
#include <utility>

namespace vitald::probes {

ProbeFailure wrong(std::string reason, std::string summary, std::string remedy) {
  return ProbeFailure(Outcome::wrong, std::move(reason), std::move(summary), std::move(remedy));
}
ProbeFailure refused(std::string reason, std::string summary, std::string remedy) {
  return ProbeFailure(Outcome::refused, std::move(reason), std::move(summary), std::move(remedy));
}
ProbeFailure unmeasured(std::string reason, std::string summary, std::string remedy) {
  return ProbeFailure(Outcome::unmeasured, std::move(reason), std::move(summary), std::move(remedy));
}

void blame(const ProbeFailure& fault, Observation& seen) {
  seen.outcome = fault.outcome;
  seen.reason = fault.reason;
  seen.summary = fault.what();
  seen.remedy = fault.remedy;
}

void blame(const Faults& faults, Observation& seen, std::size_t most) {
  if (faults.empty()) return;
  blame(faults.front(), seen);
  for (std::size_t i = 1; i < std::min(faults.size(), most); ++i) seen.evidence.push_back({"also", faults[i].what()});
}

}  // namespace vitald::probes
