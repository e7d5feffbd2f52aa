#include "probes/net/stream.hpp"

#include <algorithm>

namespace vitald::net {

void PhaseLog::mark(std::string_view name) {
  const auto now = clock_->now().steady;
  const auto took = std::chrono::duration_cast<Duration>(now - last_);
  last_ = now;
  keep({name, took});
}

void PhaseLog::add(const Phase& phase) {
  last_ = clock_->now().steady;
  keep(phase);
}

void PhaseLog::keep(const Phase& phase) {
  const auto same =
      std::find_if(phases_.begin(), phases_.end(), [&](const Phase& known) { return known.name == phase.name; });
  if (same != phases_.end()) {
    same->took += phase.took;
    return;
  }
  if (phases_.empty()) phases_.reserve(6);
  phases_.push_back(phase);
}

}  // namespace vitald::net
