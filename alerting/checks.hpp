// The states of all checks: found by name, renamed and dropped with the rules, written when it is time.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alerting/alarms.hpp"
#include "alerting/check_state.hpp"
#include "alerting/turn.hpp"

namespace vitald::alerting {

class Checks {
 public:
  /// What a check remembers that changes nothing visible (a window, a log cursor) is written this long after it
  /// changed, so that it is safe within a minute; a bounded number in one step, so that 10,000 of them delay no
  /// verdict.
  static constexpr Duration write_after = std::chrono::seconds(50);
  static constexpr std::size_t writes_max = 200;

  struct Adopted {
    std::vector<std::pair<std::string, std::string>> renamed;  // from, to
    std::vector<CheckState> removed;
  };
  /// Every check of the rules has a state afterwards, its old one where it had one under this name or under `was`.
  Adopted adopt(const Rules& rules);
  /// Before the first adopt().
  void restore(CheckState state) { all_.push_back(std::move(state)); }

  CheckState* find(std::string_view name);
  const CheckState* find(std::string_view name) const;
  std::vector<CheckState>& all() { return all_; }

  /// Its record goes out with this step.
  void write_now(CheckState& check);
  /// Its record goes out within a minute.
  void write_soon(CheckState& check, Steady now);
  /// Wakes the check at that time, or no longer.
  void wake(CheckState& check, std::optional<Steady> at) { alarms_.set(index_of(check), check.alarm, at); }
  std::vector<CheckState*> take_due(Steady now);

  /// Records of urgent checks, and of some that wait when their time has come (of all when `everything`).
  void write(Turn& turn, bool everything);
  std::optional<Steady> wake_at() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Index = std::uint32_t;
  Index index_of(const CheckState& check) const { return static_cast<Index>(&check - all_.data()); }
  void put(Turn& turn, CheckState& check);

  std::vector<CheckState> all_;  // in the order of the rules
  std::unordered_map<std::string, Index, Hash, std::equal_to<>> by_name_;
  std::vector<Index> urgent_;
  std::deque<std::pair<Steady, Index>> waiting_;  // dirty since then, oldest first; those written meanwhile are skipped
  Alarms<Index> alarms_;
};

}  // namespace vitald::alerting
