#include "probes/net/stream.hpp"

#include <algorithm>

namespace vitald::net {

void PhaseLog::mark(std::string_view name) {
  const auto now = clock_->now().steady;
  const auto took = std::chrono::duration_cast<Duration>(now - last_);
  last_ = now;
  const auto same =
      std::find_if(phases_.begin(), phases_.end(), [&](const Phase& phase) { return phase.name == name; });
  if (same != phases_.end()) {
    same->took += took;
    return;
  }
  if (phases_.empty()) phases_.reserve(6);
  phases_.push_back({name, took});
}

}  // namespace vitald::net
