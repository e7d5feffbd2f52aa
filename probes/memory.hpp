// memory: what is available to programs, and the swap. In a container with a memory limit, the container's. Where
// memory is short, who holds most of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "probes/probe.hpp"

namespace vitald::probes::memory {

struct Config {
  std::optional<std::uint64_t> swap;  // bytes that must be there

  std::string target() const { return "memory"; }
};

struct Facts {
  std::uint64_t total = 0, available = 0;  // bytes
  std::uint64_t swap_total = 0, swap_free = 0;
  bool container = false;    // total and available are those of this container's limit
  std::string biggest = {};  // processes, a line each, where memory is short
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Throws ProbeFailure(unmeasured, "bad_meminfo") where MemTotal or MemAvailable is missing.
Facts parse_meminfo(std::string_view text);

inline constexpr std::array samples{
    SampleSpec{.name = "available",
               .unit = Unit::bytes,
               .help = "Memory that programs can get without swapping (MemAvailable)",
               .has_maximum = true,
               .lower_is_worse = true},
    SampleSpec{.name = "used", .unit = Unit::ratio, .help = "Share of the memory that is not available"},
    SampleSpec{
        .name = "swap_used", .unit = Unit::ratio, .help = "Share of the swap in use; absent where there is no swap"},
    SampleSpec{.name = "swap_total", .unit = Unit::bytes, .help = "Size of the swap", .lower_is_worse = true},
};
inline constexpr std::string_view default_limits = "{ available: { warning: 10%, critical: 5% } }";

}  // namespace vitald::probes::memory
