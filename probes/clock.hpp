// clock: whether the kernel says that the host's clock is kept in step, and how wrong it may be. Asks no network.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "probes/probe.hpp"

namespace vitald::probes::clock {

struct Config {
  bool synchronised = true;  // must be

  std::string target() const { return "clock"; }
};

struct Facts {
  bool synchronised = false;
  double offset = 0;         // seconds that are still to be corrected
  double error = 0;          // seconds: the estimate of whoever keeps the clock
  double maximum_error = 0;  // seconds; grows by 0.5 ms a second without corrections
  double frequency = 0;      // parts per million
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{
        .name = "synchronised", .help = "1 while something keeps the clock in step, else 0", .lower_is_worse = true},
    SampleSpec{.name = "offset",
               .unit = Unit::seconds,
               .help = "What is still to be corrected, whichever way; absent while nothing keeps the clock"},
    SampleSpec{.name = "maximum_error",
               .unit = Unit::seconds,
               .help = "How wrong the clock may be at most; absent while nothing keeps the clock"},
    SampleSpec{.name = "estimated_error",
               .unit = Unit::seconds,
               .help = "How wrong it probably is; absent while nothing keeps the clock"},
    SampleSpec{.name = "frequency", .help = "By how much the clock is made faster or slower, in parts per million"},
};
inline constexpr std::string_view default_limits =
    "{ offset: { warning: 100ms, critical: 1s }, maximum_error: { warning: 2s, critical: 10s } }";

}  // namespace vitald::probes::clock
