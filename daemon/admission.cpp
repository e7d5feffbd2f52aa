#include "daemon/admission.hpp"

#include <algorithm>

namespace vitald::daemon {

bool Admission::may_start(const Line& line) const {
  return running_ < places_ && line.running < std::max<std::size_t>(1, places_ / 2);
}

void Admission::queue_up(const std::string& target, Line& line) {
  if (line.in_turn || line.waiting.empty()) return;
  line.in_turn = true;
  turns_.push_back(target);
}

bool Admission::enter(const std::string& target, Ticket ticket) {
  Line& line = lines_[target];
  if (line.waiting.empty() && may_start(line)) {
    ++line.running;
    ++running_;
    return true;
  }
  line.waiting.push_back(ticket);
  ++waiting_;
  queue_up(target, line);
  return false;
}

std::optional<Admission::Ticket> Admission::leave(const std::string& target) {
  const auto left = lines_.find(target);
  --left->second.running;
  --running_;
  if (left->second.running == 0 && left->second.waiting.empty()) lines_.erase(left);

  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    Line& line = lines_.find(*turn)->second;
    if (!may_start(line)) continue;
    const Ticket ticket = line.waiting.front();
    line.waiting.pop_front();
    --waiting_;
    ++line.running;
    ++running_;
    const std::string target_in_turn = *turn;
    turns_.erase(turn);
    line.in_turn = false;
    queue_up(target_in_turn, line);
    return ticket;
  }
  return std::nullopt;
}

}  // namespace vitald::daemon
