// When each check runs. Pure: it is told the time, and owns no timer.
//
// A check's slots are `phase + n * every` on the wall clock at the moment it is arranged, with phase = hash(instance,
// name) mod every, so that a restart and a reload keep them; from then on they advance on the steady clock, without
// drift and whatever the wall clock does. A check is never out twice: a slot that comes while its run is still out is
// missed and counted, and so are slots that passed while the daemon was stopped or late. Requests (re-probes) wait for
// the run that is out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/now.hpp"

namespace vitald::daemon {

class Schedule {
 public:
  struct Check {
    std::string name;
    Duration every;
    std::string fingerprint;  // a check whose fingerprint stays keeps its slots and its run
  };
  /// A run to start now.
  struct Due {
    std::size_t check;         // index into what arrange() was given last
    Duration late{};           // how long after its slot
    std::uint64_t missed = 0;  // slots skipped since the last one taken
  };

  explicit Schedule(std::string instance) : instance_(std::move(instance)) {}

  /// Takes over these checks, in this order. New ones get an early first run, ramped at 1,000 a second.
  void arrange(std::span<const Check> checks, const Now& now);

  /// What is due at `now`, at most `most` of it; each counts as out until finished().
  std::vector<Due> take_due(Steady now, std::size_t most);
  void finished(std::string_view check, Steady now);
  /// Run it no earlier than `at`, besides its slots; an earlier wish replaces a later one. Unknown names are ignored.
  void request(std::string_view check, Steady at);

  /// When take_due() may have something next; nothing while no check is configured.
  std::optional<Steady> next();

  /// hash(instance, name) mod every (FNV-1a, the same on every build).
  static Duration phase(std::string_view instance, std::string_view name, Duration every);

 private:
  struct Entry {
    std::string name;
    Duration every{};
    std::string fingerprint;
    Steady slot{};
    std::optional<Steady> wish;
    std::uint64_t missed = 0;
    bool out = false;
  };
  struct Alarm {
    Steady at;
    std::size_t check;
    std::uint64_t generation;
    bool operator>(const Alarm& other) const { return at > other.at; }
  };

  void rebuild();
  void wake(std::size_t check, Steady at) { alarms_.push({at, check, generation_}); }
  bool stale(const Alarm& alarm) const;
  void pass_slots(Entry& entry, Steady now);

  std::string instance_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string_view, std::size_t> index_;  // views into entries_
  std::priority_queue<Alarm, std::vector<Alarm>, std::greater<>> alarms_;
  std::uint64_t generation_ = 0;  // alarms of an older arrangement do not count
};

}  // namespace vitald::daemon
