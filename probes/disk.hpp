// disk: how full the file systems are, when they will be full, and whether one of them became read-only.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probes/helper.hpp"
#include "probes/mounts.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::disk {

struct Config {
  std::vector<std::string> mounts;  // empty: all real ones
  std::vector<std::string> exclude;
  bool read_only_allowed = false;

  std::string target() const { return "disk"; }
};

struct MountFacts {
  Mount mount;
  FileSystemUse use;                         // where there is no trouble
  std::optional<ProbeFailure> trouble = {};  // of this mount alone
};

struct Facts {
  std::vector<MountFacts> mounts;
  std::vector<std::string> missing;  // asked for, but nothing is mounted there
  Wall now{};
  std::string before = {};  // what the last run remembered: the trends
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Which mounts a check looks at, out of those that the host has; not measured yet.
Facts choose(const Config& config, std::vector<Mount> all);

inline constexpr std::array samples{
    SampleSpec{
        .name = "used", .unit = Unit::ratio, .help = "Share of the file system in use, as df shows it (label mount)"},
    SampleSpec{.name = "used_bytes", .unit = Unit::bytes, .help = "Bytes in use (label mount)", .has_maximum = true},
    SampleSpec{.name = "available",
               .unit = Unit::bytes,
               .help = "Bytes that ordinary users can still write (label mount)",
               .has_maximum = true,
               .lower_is_worse = true},
    SampleSpec{.name = "inodes_used",
               .unit = Unit::ratio,
               .help = "Share of the inodes in use, where the file system has a fixed number (label mount)"},
    SampleSpec{.name = "full_in",
               .unit = Unit::seconds,
               .help =
                   "When it will be full at the pace of the last four hours; absent while it does not grow, for the "
                   "first hour, and where it takes more than a year (label mount)",
               .lower_is_worse = true},
};
inline constexpr std::string_view default_limits =
    "{ used: { warning: 80%, critical: 90% }, inodes_used: { warning: 80%, critical: 90% } }";

}  // namespace vitald::probes::disk
