// The processes below this one, for a process that is their subreaper (PR_SET_CHILD_SUBREAPER): whoever loses a parent
// in that tree becomes our child, whatever sessions and groups it made, so none can get away.
#pragma once

#include <cstdint>
#include <set>

namespace vitald::probes {

class Descendants {
 public:
  /// Takes the status of every child that has ended. False when there is no child left.
  bool reap();
  /// Sends SIGKILL to every child that is there now; their own children are ours once they are gone.
  void kill_children();
  /// Processes that were told to go, each once.
  std::uint32_t killed() const { return count_; }

 private:
  std::set<int> killed_;  // and not yet gone
  std::uint32_t count_ = 0;
};

}  // namespace vitald::probes
