#include "alerting/checks.hpp"

#include <algorithm>
#include <set>

#include "alerting/records.hpp"

namespace vitald::alerting {

Checks::Adopted Checks::adopt(const Rules& rules) {
  Adopted adopted;
  std::unordered_map<std::string, CheckState> old;
  for (CheckState& check : all_) {
    check.alarm.reset();
    old.insert_or_assign(check.name, std::move(check));
  }
  std::set<std::string_view> names;
  for (const CheckRules& check : rules.checks) names.insert(check.name);
  all_.clear();
  by_name_.clear();
  alarms_.clear();
  urgent_.clear();
  waiting_.clear();
  all_.reserve(rules.checks.size());
  for (const CheckRules& wanted : rules.checks) {
    auto found = old.find(wanted.name);
    if (found == old.end() && !wanted.was.empty() && !names.contains(wanted.was)) {
      found = old.find(wanted.was);
      if (found != old.end()) adopted.renamed.emplace_back(wanted.was, wanted.name);
    }
    CheckState& state = all_.emplace_back();
    if (found != old.end()) {
      state = std::move(found->second);
      old.erase(found);
    }
    state.name = wanted.name;
    state.rules = &wanted;
    by_name_[wanted.name] = static_cast<Index>(all_.size() - 1);
    if (state.dirty) waiting_.emplace_back(*state.dirty, static_cast<Index>(all_.size() - 1));
  }
  std::sort(waiting_.begin(), waiting_.end());
  for (auto& [name, state] : old) adopted.removed.push_back(std::move(state));
  std::sort(adopted.removed.begin(), adopted.removed.end(),
            [](const CheckState& a, const CheckState& b) { return a.name < b.name; });
  return adopted;
}

CheckState* Checks::find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &all_[found->second];
}

const CheckState* Checks::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &all_[found->second];
}

void Checks::write_now(CheckState& check) {
  if (check.urgent) return;
  check.urgent = true;
  urgent_.push_back(index_of(check));
}

void Checks::write_soon(CheckState& check, Steady now) {
  if (check.dirty) return;
  check.dirty = now;
  waiting_.emplace_back(now, index_of(check));
}

std::vector<CheckState*> Checks::take_due(Steady now) {
  std::vector<CheckState*> due;
  for (const Index index : alarms_.take_due(now)) {
    all_[index].alarm.reset();
    due.push_back(&all_[index]);
  }
  return due;
}

void Checks::put(Turn& turn, CheckState& check) {
  check.urgent = false;
  check.dirty.reset();
  turn.effects.checks.push_back({check.name, to_state(check, turn.now), false});
}

void Checks::write(Turn& turn, bool everything) {
  for (const Index index : urgent_) put(turn, all_[index]);
  urgent_.clear();
  const auto skip_written = [&] {
    while (!waiting_.empty() && all_[waiting_.front().second].dirty != waiting_.front().first) waiting_.pop_front();
  };
  skip_written();
  if (waiting_.empty() || (!everything && waiting_.front().first + write_after > turn.now.steady)) return;
  for (std::size_t written = 0; (everything || written < writes_max) && !waiting_.empty(); ++written) {
    put(turn, all_[waiting_.front().second]);
    skip_written();
  }
}

std::optional<Steady> Checks::wake_at() const {
  std::optional<Steady> at = alarms_.first();
  if (waiting_.empty()) return at;
  const Steady write = waiting_.front().first + write_after;
  return at && *at < write ? at : write;
}

}  // namespace vitald::alerting
