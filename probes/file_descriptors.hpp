// file-descriptors: how many open files the whole host has, of how many it may have.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "probes/probe.hpp"

namespace vitald::probes::file_descriptors {

struct Config {
  std::string target() const { return "file-descriptors"; }
};

struct Facts {
  double used = 0, maximum = 0;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Throws ProbeFailure(unmeasured, "bad_file_nr") for a text that is not /proc/sys/fs/file-nr.
Facts parse_file_nr(std::string_view text);

inline constexpr std::array samples{
    SampleSpec{.name = "used", .help = "Open files of all processes (fs.file-nr)", .has_maximum = true},
    SampleSpec{.name = "maximum", .help = "How many there may be (fs.file-max)", .lower_is_worse = true},
};
inline constexpr std::string_view default_limits = "{ used: { warning: 80%, critical: 95% } }";

}  // namespace vitald::probes::file_descriptors
