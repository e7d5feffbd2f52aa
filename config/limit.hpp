// One limit on one sample, as the configuration states it. Parsed here for every probe kind, judged in alerting/limits.
//
//   used:      { warning: 80%, critical: 90%, clear: 75% }     hysteresis: bad until it falls below clear
//   load:      { critical: 8, for: 5m }                        sustained: crossed at every run for five minutes
//   duration:  { warning: 200ms, of: 3 of 5 }                  at least 3 of the last 5 runs
//   restarts:  { warning: 3 per 1h, critical: 10 per 1h }      growth of a counter or sum of events in a window
//   errors:    { warning: 5, over: 10m }                       the same, written with one window
//   available: { below: true, critical: 200MiB }               below instead of above
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "config/result.hpp"
#include "config/sample.hpp"

namespace vitald {

/// A number in the sample's own unit (seconds, bytes, ratio, count), or a share of its maximum.
struct Threshold {
  double value = 0;
  bool of_maximum = false;       // value is a ratio of Sample::maximum
  std::optional<Duration> per = {};  // "3 per 1h": growth within this window

  friend bool operator==(const Threshold&, const Threshold&) = default;
};

struct Limit {
  std::string sample;
  bool below = false;
  std::optional<Threshold> warning = {};
  std::optional<Threshold> critical = {};
  std::optional<Threshold> clear = {};
  Duration hold_for{};               // `for`
  int of_bad = 1, of_runs = 1;       // `of: 3 of 5`
  std::optional<Duration> over = {};  // window for growth when the thresholds carry none
  SampleKind kind = SampleKind::gauge;
  Unit unit = Unit::none;

  friend bool operator==(const Limit&, const Limit&) = default;
};

}  // namespace vitald
