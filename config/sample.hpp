// What a probe measures: the table row that describes a sample, and the sample itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/labels.hpp"

namespace vitald {

enum class SampleKind {
  gauge,    // a level: goes up and down
  counter,  // only grows, falls to a small value when the target restarts; limits judge its growth in a window
  event,    // how many new happenings this run found (a failed job, an OOM kill): confirms at once, holds for `hold`
};

/// The unit decides how a limit is written (`200ms`, `10GiB`, `85%`, `500`), the metric's suffix, and how
/// people read it.
enum class Unit { none, seconds, bytes, ratio };

/// One row of a probe kind's table; documentation, /metrics HELP and the limits' grammar come from here.
struct SampleSpec {
  std::string_view name;  // snake_case; its metric is vitald_<probe>_<name>[_seconds|_bytes|_ratio][_total]
  SampleKind kind = SampleKind::gauge;
  Unit unit = Unit::none;
  std::string_view help;        // one sentence
  bool has_maximum = false;     // then a limit may be a percentage of the sample's maximum as well
  bool lower_is_worse = false;  // "days left": a limit is crossed from above unless it says otherwise
};

struct Sample {
  std::string name;  // that of its SampleSpec, or a column of a query
  double value = 0;  // seconds, bytes, ratio 0..1, or a plain number
  std::optional<double> maximum = {};
  Labels labels = {};  // only where one run gives several rows: mount, certificate, queue
  /// What a message says when a limit on this sample is crossed, where the figure alone would say little:
  /// "worker_01 is STOPPED, 2 of 3 running" instead of "not running is 1". May be empty.
  std::string says = {};
};

}  // namespace vitald
