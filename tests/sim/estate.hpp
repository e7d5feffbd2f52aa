// The configuration of a simulated host, and how people change it: checks come, go and get other names, receivers as
// well, severities and limits move.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "alerting/rules.hpp"
#include "tests/sim/random.hpp"

namespace vitald::sim {

class Estate {
 public:
  explicit Estate(Random& random);

  /// As the file says now. The engine keeps what it was given, so each change makes another.
  std::shared_ptr<const alerting::Rules> rules() const { return rules_; }
  /// How long a target is fine between two troubles, at most; and how long the world lasts until faults stop.
  Duration calm_between() const { return calm_between_; }
  Duration lasts() const { return lasts_; }

  /// A few of all that people can change.
  void change();

 private:
  alerting::CheckRules make_check();
  alerting::Escalation make_escalation(const std::vector<std::string>& receivers);
  void add_check(alerting::Rules& rules);
  void remove_check(alerting::Rules& rules);
  void rename_check(alerting::Rules& rules);
  void change_check(alerting::Rules& rules);
  void change_receivers(alerting::Rules& rules);
  void change_maintenance(alerting::Rules& rules);
  std::string new_name() { return "c" + std::to_string(names_++); }

  Random& random_;
  std::shared_ptr<const alerting::Rules> rules_;
  Duration longest_every_{}, calm_between_{}, lasts_{};
  int names_ = 0;
  int receivers_ = 0;
};

}  // namespace vitald::sim
