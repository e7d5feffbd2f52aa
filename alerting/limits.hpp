// The limits stage: samples of one observation against the limits of its check.
//
// Levels (gauges, growth of counters) give a status for this run, which the confirm stage then counts. Events confirm
// at once and keep the check bad for `hold` after the last happening. Each row of a sample (its set of labels) is
// judged by itself, and remembers what its limit needs: hysteresis, since when, the last runs, a window.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "alerting/derive.hpp"
#include "alerting/window.hpp"
#include "config/limit.hpp"
#include "config/observation.hpp"

namespace vitald::alerting {

/// What one row remembers for one of its two thresholds.
struct LevelMemory {
  std::optional<Steady> since = {};  // `for`: crossed at every run since then
  std::bitset<100> runs;             // `of`: the last runs, newest in bit 0, 1 for crossed
  Window window;                     // `per`, `over`
  Steady until{};                    // events: bad until then
};

struct Row {
  std::string sample;
  Labels labels;
  Status raw = Status::ok;          // crossed or not cleared yet; before `of` and `for`
  std::optional<double> last = {};  // value at the run before, where growth is judged
  Steady known_since{};             // first seen: a window below its threshold must be full to mean something
  LevelMemory warning, critical;
  std::uint32_t run = 0;  // the latest run that had this row
};

struct LimitMemory {
  static constexpr std::size_t rows_max = 50;
  std::vector<Row> rows;  // only of limits that need a memory
  DerivedMemory derived;
  std::uint32_t run = 0;
  std::string event_why;  // of the event that holds the check
};

struct Judged {
  Status level = Status::ok;  // of this run
  std::string why;            // which limit makes `level` bad, or ""
  bool happened = false;      // an event crossed its limit in this run; LimitMemory::event_why tells which
  bool remembers = false;     // the memory differs from before
};

/// `complete` says that a row which is absent is gone (the target answered); else absent rows keep what they know. The
/// run began `at`; an event that it found keeps the check bad until `release`.
Judged judge_limits(std::span<const Limit> limits, LimitMemory& memory, std::span<const Sample> samples, bool complete,
                    Steady at, Steady release);

/// The status that past events hold at this time, and when that next changes.
Status held_by_events(const LimitMemory& memory, Steady at);
std::optional<Steady> next_release(const LimitMemory& memory, Steady at);

/// After a reload: forgets what no limit needs any more, and windows of another length.
void adopt_limits(LimitMemory& memory, std::span<const Limit> limits);

}  // namespace vitald::alerting
