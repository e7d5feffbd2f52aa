// One limit on one sample, as the configuration states it. Parsed here for every probe kind, judged in alerting/limits.
//
//   used:      { warning: 80%, critical: 90%, clear: 75% }     hysteresis: bad until it falls below clear
//   load:      { critical: 8, for: 5m }                        sustained: crossed at every run for five minutes
//   duration:  { warning: 200ms, of: 3 of 5 }                  at least 3 of the last 5 runs
//   restarts:  { warning: 3 per 1h, critical: 10 per 1h }      growth of a counter or sum of events in a window
//   errors:    { warning: 5, over: 10m }                       the same, written with one window
//   available: { below: true, critical: 200MiB }               below instead of above
//   pending:   { critical: 500, missing: critical }            an answer without the sample is bad as well
//
// And two figures that are made of samples, named by the key:
//
//   "errors / requests": { warning: 1%, over: 10m, at_least: 100 }   the share of one in another
//   "used reaches 95%":  { warning: 24h, critical: 4h }              when it will be there at its present pace
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "config/observation.hpp"
#include "config/result.hpp"
#include "config/sample.hpp"

namespace vitald {

/// A number in the sample's own unit (seconds, bytes, ratio, count), or a share of its maximum.
struct Threshold {
  double value = 0;
  bool of_maximum = false;           // value is a ratio of Sample::maximum
  std::optional<Duration> per = {};  // "3 per 1h": growth within this window

  friend bool operator==(const Threshold&, const Threshold&) = default;
};

/// What a limit's figure is made of where it is no sample of the probe's. Computed in alerting/derive.hpp.
struct Derived {
  enum class How {
    ratio,  // of / whole: of levels as they are, of counters and events their growth within `over`
    trend,  // seconds until `of` is at `target`, at the pace of the last `over`
  };
  How how = How::ratio;
  std::string of, whole;
  SampleKind of_kind = SampleKind::gauge, whole_kind = SampleKind::gauge;
  double at_least = 0;    // ratio: a smaller whole says nothing
  Threshold target = {};  // trend
  bool falling = false;   // trend: towards the target from above
  Duration over{};        // zero: a ratio of levels

  friend bool operator==(const Derived&, const Derived&) = default;
};

struct Limit {
  std::string sample;  // its name; of a derived figure the whole key
  bool below = false;
  std::optional<Threshold> warning = {};
  std::optional<Threshold> critical = {};
  std::optional<Threshold> clear = {};
  Duration hold_for{};                // `for`
  int of_bad = 1, of_runs = 1;        // `of: 3 of 5`
  std::optional<Duration> over = {};  // window for growth when the thresholds carry none
  SampleKind kind = SampleKind::gauge;
  Unit unit = Unit::none;
  std::optional<Status> missing = {};  // what an answer is that has no such sample: warning or critical
  std::optional<Derived> derived = {};

  friend bool operator==(const Limit&, const Limit&) = default;
};

}  // namespace vitald
