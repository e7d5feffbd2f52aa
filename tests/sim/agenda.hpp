// Virtual time: what happens next, and when. Of two things at one time, the one that was planned first comes first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "config/now.hpp"

namespace vitald::sim {

class Agenda {
 public:
  using Action = std::function<void()>;

  explicit Agenda(Steady begin) : now_(begin) {}

  Steady now() const { return now_; }
  void advance(Steady to) { now_ = to; }
  void at(Duration after, Action action) {
    heap_.push_back({now_ + after, ++sequence_, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  bool empty() const { return heap_.empty(); }
  Steady next() const { return heap_.front().at; }
  /// Time goes on to the next thing, and it happens.
  void step() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.at;
    entry.action();
  }

 private:
  struct Entry {
    Steady at;
    std::uint64_t sequence;
    Action action;
  };
  static bool later(const Entry& a, const Entry& b) { return a.at != b.at ? a.at > b.at : a.sequence > b.sequence; }

  Steady now_;
  std::vector<Entry> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace vitald::sim
