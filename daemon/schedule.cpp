#include "daemon/schedule.hpp"

#include <algorithm>
#include <utility>

#include "config/fnv1a.hpp"

namespace vitald::daemon {

namespace {

constexpr Duration ramp_step = std::chrono::milliseconds(1);

}  // namespace

Duration Schedule::phase(std::string_view instance, std::string_view name, Duration every) {
  std::uint64_t hash = fnv1a(name, fnv1a("\n", fnv1a(instance)));
  hash ^= hash >> 29;  // FNV's low bits alone spread badly over a modulus that is a round number of nanoseconds
  hash *= 0xbf58476d1ce4e5b9ULL;
  hash ^= hash >> 32;
  return Duration(static_cast<Duration::rep>(hash % static_cast<std::uint64_t>(every.count())));
}

void Schedule::arrange(std::span<const Check> checks, const Now& now) {
  std::vector<Entry> old = std::exchange(entries_, {});
  std::unordered_map<std::string_view, Entry*> known;
  for (Entry& entry : old) known.emplace(entry.name, &entry);

  Duration ramp{};
  for (const Check& check : checks) {
    const auto found = known.find(check.name);
    if (found != known.end() && found->second->fingerprint == check.fingerprint) {
      entries_.push_back(std::move(*found->second));
      continue;
    }
    Entry entry{check.name, check.every, check.fingerprint, {}, {}, 0, false};
    // A run of the check's former self may still be out: the new one waits for its end.
    if (found != known.end()) entry.out = found->second->out;
    const Duration into = (now.wall.time_since_epoch() - phase(instance_, check.name, check.every)) % check.every;
    entry.slot = now.steady + (check.every - (into < Duration::zero() ? into + check.every : into));
    if (entry.slot > now.steady + ramp) entry.wish = now.steady + ramp;
    ramp += ramp_step;
    entries_.push_back(std::move(entry));
  }
  rebuild();
}

void Schedule::rebuild() {
  ++generation_;
  alarms_ = {};
  index_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    index_.emplace(entries_[i].name, i);
    wake(i, entries_[i].slot);
    if (entries_[i].wish) wake(i, *entries_[i].wish);
  }
}

bool Schedule::stale(const Alarm& alarm) const {
  if (alarm.generation != generation_) return true;
  const Entry& entry = entries_[alarm.check];
  return entry.slot != alarm.at && entry.wish != alarm.at;
}

/// Moves the slot beyond `now` in one step, however far the clock ran ahead, and counts those that nobody will run.
void Schedule::pass_slots(Entry& entry, Steady now) {
  const auto passed = static_cast<std::uint64_t>((now - entry.slot) / entry.every);
  entry.slot += entry.every * static_cast<Duration::rep>(passed + 1);
  entry.missed += passed + (entry.out ? 1 : 0);
}

std::vector<Schedule::Due> Schedule::take_due(Steady now, std::size_t most) {
  std::vector<Due> due;
  while (!alarms_.empty() && due.size() < most && alarms_.top().at <= now) {
    const Alarm alarm = alarms_.top();
    alarms_.pop();
    if (stale(alarm)) continue;
    Entry& entry = entries_[alarm.check];
    if (entry.slot == alarm.at) {
      pass_slots(entry, now);
      wake(alarm.check, entry.slot);
    } else if (entry.out) {
      continue;  // the wish stays; finished() sets its alarm again
    }
    if (entry.out) continue;
    if (entry.wish && *entry.wish <= now) entry.wish.reset();  // one run serves both
    entry.out = true;
    due.push_back({alarm.check, now - alarm.at, std::exchange(entry.missed, 0)});
  }
  return due;
}

void Schedule::finished(std::string_view check, Steady now) {
  const auto found = index_.find(check);
  if (found == index_.end()) return;
  Entry& entry = entries_[found->second];
  entry.out = false;
  if (entry.wish) {
    entry.wish = std::max(*entry.wish, now);
    wake(found->second, *entry.wish);
  }
}

void Schedule::request(std::string_view check, Steady at) {
  const auto found = index_.find(check);
  if (found == index_.end()) return;
  Entry& entry = entries_[found->second];
  if (entry.wish && *entry.wish <= at) return;
  entry.wish = at;
  if (!entry.out) wake(found->second, at);
}

std::optional<Steady> Schedule::next() {
  while (!alarms_.empty()) {
    const Alarm& top = alarms_.top();
    const bool waits = !stale(top) && entries_[top.check].out && entries_[top.check].slot != top.at;
    if (!waits && !stale(top)) return top.at;
    alarms_.pop();  // a wish whose check is out: finished() sets its alarm again
  }
  return std::nullopt;
}

}  // namespace vitald::daemon
