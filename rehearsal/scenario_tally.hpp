// How many messages receivers got when, for stories of storms.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "alerting/notification.hpp"

namespace vitald::rehearsal {

class Tally {
 public:
  void note(const alerting::Notification& message, Duration at) {
    all_[message.id.receiver].push_back({at, message.kind});
  }
  /// "6 messages to ops from 0s to 1h: 2 problem, 4 update"
  std::string between(const std::string& receiver, Duration from, Duration to) const;
  /// "at most 3 to ops in a minute, 11 in an hour", of all that happened
  std::string most(const std::string& receiver) const;

 private:
  struct Sent {
    Duration at;
    alerting::NotificationKind kind;
  };
  std::map<std::string, std::vector<Sent>> all_;  // in the order of time
};

}  // namespace vitald::rehearsal
