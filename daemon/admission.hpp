// Who may run now: bounds how many probes are out in all, and sees to it that one target's many hanging checks leave
// room for the others. Pure bookkeeping; the runner asks and tells.
//
// Below the bound everything starts at once. At the bound, waiting runs are served by target in turn, and no target
// gets more than half of the places, so that a thousand checks of one dead host cannot hold up the rest for long.
#pragma once

#include <cstddef>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace vitald::daemon {

class Admission {
 public:
  using Ticket = std::size_t;  // the caller's own name for a run

  explicit Admission(std::size_t places) : places_(places) {}

  /// True: start it now. False: it waits, and a later leave() hands it out.
  bool enter(const std::string& target, Ticket ticket);
  /// A run against `target` ended: the run that may start in its place, if one waits.
  std::optional<Ticket> leave(const std::string& target);

  std::size_t running() const { return running_; }
  std::size_t waiting() const { return waiting_; }

 private:
  struct Line {
    std::size_t running = 0;
    std::deque<Ticket> waiting;
    bool in_turn = false;  // stands in turns_
  };
  bool may_start(const Line& line) const;
  void queue_up(const std::string& target, Line& line);

  std::size_t places_;
  std::size_t running_ = 0;
  std::size_t waiting_ = 0;
  std::unordered_map<std::string, Line> lines_;
  std::list<std::string> turns_;  // targets with somebody waiting, next first
};

}  // namespace vitald::daemon
