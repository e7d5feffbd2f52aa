// swap: how much of it is in use, and how much goes in and out. In a container with a limit on swap, the container's.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "probes/probe.hpp"

namespace vitald::probes::swap {

struct Config {
  std::string target() const { return "swap"; }
};

struct Facts {
  double total = 0, used = 0;               // bytes
  bool container = false;                   // those of this container
  std::optional<double> in = {}, out = {};  // bytes since the boot, of the whole host
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "used", .unit = Unit::ratio, .help = "Share of the swap in use; absent where there is no swap"},
    SampleSpec{.name = "used_bytes", .unit = Unit::bytes, .help = "Bytes in use", .has_maximum = true},
    SampleSpec{.name = "total", .unit = Unit::bytes, .help = "Size of the swap", .lower_is_worse = true},
    SampleSpec{.name = "read",
               .kind = SampleKind::counter,
               .unit = Unit::bytes,
               .help = "Bytes read back from swap since the boot: programs waited for them (whole host)"},
    SampleSpec{.name = "written",
               .kind = SampleKind::counter,
               .unit = Unit::bytes,
               .help = "Bytes written to swap since the boot (whole host)"},
};
inline constexpr std::string_view default_limits = "{ used: { warning: 80%, critical: 95% } }";

}  // namespace vitald::probes::swap
