// Who wants to be woken when: at most one time for each key, the earliest at hand.
#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config/now.hpp"

namespace vitald::alerting {

/// The owner of a key keeps the time that is set for it, so that a quiet check costs no entry here.
template <class Key>
class Alarms {
 public:
  void set(const Key& key, std::optional<Steady>& current, std::optional<Steady> wanted) {
    if (current == wanted) return;
    if (current) times_.erase({*current, key});
    if (wanted) times_.insert({*wanted, key});
    current = wanted;
  }
  /// The keys that are due, in order of time. Their owners must forget the time that was set.
  std::vector<Key> take_due(Steady now) {
    std::vector<Key> due;
    while (!times_.empty() && times_.begin()->first <= now)
      due.push_back(times_.extract(times_.begin()).value().second);
    return due;
  }
  std::optional<Steady> first() const {
    if (times_.empty()) return std::nullopt;
    return times_.begin()->first;
  }
  void clear() { times_.clear(); }

 private:
  std::set<std::pair<Steady, Key>> times_;
};

}  // namespace vitald::alerting
