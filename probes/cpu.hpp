// cpu: how busy the processors were between two runs. In a container with a quota, how much of the quota is in use and
// how often it was held back for it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/control_group.hpp"
#include "probes/probe.hpp"
#include "probes/processes.hpp"

namespace vitald::probes::cpu {

struct Config {
  std::string target() const { return "cpu"; }
};

/// The first line of /proc/stat: ticks since the boot. Guests are part of user and nice.
struct Ticks {
  static constexpr std::array<const char*, 8> names = {"user",   "nice", "system",  "idle",
                                                       "iowait", "irq",  "softirq", "steal"};
  std::array<double, names.size()> each{};
};

struct Facts {
  Ticks ticks;
  std::size_t cores = 1;
  std::optional<CpuGroup> group = {};       // of this container
  double at = 0;                            // seconds of a clock that only goes forward
  std::string before = {};                  // what the last run remembered
  std::vector<ProcessStat> processes = {};  // where much is in use
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Throws ProbeFailure(unmeasured, "bad_stat") for a text that is not /proc/stat.
Ticks parse_stat(std::string_view text);

inline constexpr std::array samples{
    SampleSpec{
        .name = "busy",
        .unit = Unit::ratio,
        .help = "Share of all cores that was in use since the last run; in a container with a quota, share of that"},
    SampleSpec{.name = "user", .unit = Unit::ratio, .help = "Share that programs used (host only)"},
    SampleSpec{.name = "system", .unit = Unit::ratio, .help = "Share that the kernel used, interrupts too (host only)"},
    SampleSpec{.name = "iowait", .unit = Unit::ratio, .help = "Share that was idle while a disk was waited for"},
    SampleSpec{.name = "steal",
               .unit = Unit::ratio,
               .help = "Share that this virtual machine wanted and the hypervisor gave to others"},
    SampleSpec{
        .name = "throttled",
        .unit = Unit::ratio,
        .help = "Share of the quota's periods in which the container was held back (container with a quota only)"},
    SampleSpec{.name = "cores", .help = "Cores in use, or the container's quota in cores", .lower_is_worse = true},
};
inline constexpr std::string_view default_limits =
    "{ busy: { warning: 90%, for: 10m }, steal: { warning: 20%, for: 10m }, throttled: { warning: 25%, for: 10m } }";

}  // namespace vitald::probes::cpu
