#include "rehearsal/scenario_tally.hpp"

#include <algorithm>

#include "config/units.hpp"

namespace vitald::rehearsal {

std::string Tally::between(const std::string& receiver, Duration from, Duration to) const {
  std::map<alerting::NotificationKind, int> kinds;
  int sum = 0;
  if (const auto found = all_.find(receiver); found != all_.end()) {
    for (const Sent& sent : found->second) {
      if (sent.at < from || sent.at > to) continue;
      ++kinds[sent.kind];
      ++sum;
    }
  }
  std::string text = std::to_string(sum) + " to " + receiver + " from " +
                     (from == Duration::zero() ? "0s" : config_duration(from)) + " to " + config_duration(to);
  const char* before = ": ";
  for (const auto& [kind, count] : kinds) {
    text += before + std::to_string(count) + " " + std::string(to_string(kind));
    before = ", ";
  }
  return text;
}

std::string Tally::most(const std::string& receiver) const {
  const auto within = [&](Duration window) {
    std::size_t most = 0;
    const auto found = all_.find(receiver);
    if (found == all_.end()) return most;
    const auto& sent = found->second;
    for (std::size_t first = 0, end = 0; first < sent.size(); ++first) {
      while (end < sent.size() && sent[end].at < sent[first].at + window) ++end;
      most = std::max(most, end - first);
    }
    return most;
  };
  return "at most " + std::to_string(within(std::chrono::minutes(1))) + " to " + receiver + " in a minute, " +
         std::to_string(within(std::chrono::hours(1))) + " in an hour";
}

}  // namespace vitald::rehearsal
