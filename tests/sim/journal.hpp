// What an outsider may know of a simulated world, a line of JSON for each happening: the configuration, how the targets
// and the receivers really fared, when the daemon was dead, and what the receivers took. tests/sim/oracle.py judges it.
#pragma once

#include <fstream>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "alerting/notification.hpp"
#include "alerting/rules.hpp"

namespace vitald::sim {

class Journal {
 public:
  /// An empty path: nothing is written.
  explicit Journal(const std::string& path);

  bool open() const { return file_.is_open(); }
  /// `at` counts from the world's beginning. `what` is an object; "kind" and "t" are added.
  void note(Duration at, const char* kind, nlohmann::json what);
  /// With the windows of the next days as the clock is now.
  void note_rules(Duration at, const alerting::Rules& rules, Wall wall);
  void note_taken(Duration at, const alerting::Notification& message);

 private:
  std::ofstream file_;
};

}  // namespace vitald::sim
