// load: how many threads ran, waited for a CPU or for a disk, on average over 1, 5 and 15 minutes.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "probes/probe.hpp"

namespace vitald::probes::load {

struct Config {
  std::string target() const { return "load"; }
};

struct Facts {
  std::array<double, 3> averages{};  // 1, 5, 15 minutes
  std::size_t cores = 1;
  double runnable = 0, threads = 0;
  double blocked = 0;        // wait for a disk
  std::string waiting = {};  // which processes do, a line for each name, where the load is high
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Throws ProbeFailure(unmeasured, "bad_loadavg") for a text that is not /proc/loadavg.
Facts parse_loadavg(std::string_view text);

inline constexpr std::array samples{
    SampleSpec{.name = "load_1m", .help = "Average over 1 minute"},
    SampleSpec{.name = "load_5m", .help = "Average over 5 minutes"},
    SampleSpec{.name = "load_15m", .help = "Average over 15 minutes"},
    SampleSpec{.name = "per_core_1m", .help = "Average over 1 minute for each core"},
    SampleSpec{.name = "per_core_5m", .help = "Average over 5 minutes for each core"},
    SampleSpec{.name = "per_core_15m", .help = "Average over 15 minutes for each core"},
    SampleSpec{.name = "blocked", .help = "Threads that wait for a disk right now"},
    SampleSpec{.name = "threads", .help = "Threads of all processes"},
};
inline constexpr std::string_view default_limits = "{ per_core_5m: { warning: 2, critical: 5 } }";

}  // namespace vitald::probes::load
