// oom: whether the kernel killed a process for want of memory since the last run, and which one, where the kernel's log
// may be read. In a container, the kills of the container.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probes/kernel_log.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::oom {

struct Config {
  std::string target() const { return "oom"; }
};

struct Facts {
  std::string boot;         // changes with each boot
  std::uint64_t kills = 0;  // since the boot, or since the container was made
  bool container = false;
  std::uint64_t fresh = 0;        // since the last run
  std::vector<Victim> victims;    // of the fresh ones, as far as the kernel's log names them
  int log_error = 0;              // errno of reading it
  std::uint64_t last_record = 0;  // of the log that named a victim
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "kills",
               .kind = SampleKind::event,
               .help = "Processes that the kernel killed for want of memory since the last run"},
    SampleSpec{.name = "killed",
               .kind = SampleKind::counter,
               .help = "The same since the boot, in a container since it was made"},
};
inline constexpr std::string_view default_limits = "{ kills: { critical: 1 } }";

}  // namespace vitald::probes::oom
