// pressure: how much of the time something waited for CPU, memory or disks (the kernel's pressure stall information).
// In a container with control groups v2, the container's own.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "probes/probe.hpp"

namespace vitald::probes::pressure {

struct Config {
  std::string target() const { return "pressure"; }
};

/// Shares of the time in which somebody, or everybody at once, waited: over 10 s, 60 s and 300 s.
struct Stall {
  std::array<double, 3> some{};
  std::optional<std::array<double, 3>> full = {};  // not there for the CPU before Linux 5.13
};

struct Facts {
  std::array<std::optional<Stall>, 3> resources;  // cpu, memory, io
  bool container = false;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Nothing for a text that is none of /proc/pressure.
std::optional<Stall> parse_stall(std::string_view text);

inline constexpr std::array samples{
    SampleSpec{
        .name = "cpu_some_avg10", .unit = Unit::ratio, .help = "Share of 10 s in which a thread waited for a CPU"},
    SampleSpec{.name = "cpu_some_avg60", .unit = Unit::ratio, .help = "The same of 60 s"},
    SampleSpec{.name = "cpu_some_avg300", .unit = Unit::ratio, .help = "The same of 5 min"},
    SampleSpec{.name = "cpu_full_avg10",
               .unit = Unit::ratio,
               .help = "Share of 10 s in which all threads of the container waited for a CPU; 0 on a host"},
    SampleSpec{.name = "cpu_full_avg60", .unit = Unit::ratio, .help = "The same of 60 s"},
    SampleSpec{.name = "cpu_full_avg300", .unit = Unit::ratio, .help = "The same of 5 min"},
    SampleSpec{.name = "memory_some_avg10",
               .unit = Unit::ratio,
               .help = "Share of 10 s in which a thread waited for memory to be freed or read back"},
    SampleSpec{.name = "memory_some_avg60", .unit = Unit::ratio, .help = "The same of 60 s"},
    SampleSpec{.name = "memory_some_avg300", .unit = Unit::ratio, .help = "The same of 5 min"},
    SampleSpec{.name = "memory_full_avg10",
               .unit = Unit::ratio,
               .help = "Share of 10 s in which all threads that had work waited for memory: nothing went on"},
    SampleSpec{.name = "memory_full_avg60", .unit = Unit::ratio, .help = "The same of 60 s"},
    SampleSpec{.name = "memory_full_avg300", .unit = Unit::ratio, .help = "The same of 5 min"},
    SampleSpec{
        .name = "io_some_avg10", .unit = Unit::ratio, .help = "Share of 10 s in which a thread waited for a disk"},
    SampleSpec{.name = "io_some_avg60", .unit = Unit::ratio, .help = "The same of 60 s"},
    SampleSpec{.name = "io_some_avg300", .unit = Unit::ratio, .help = "The same of 5 min"},
    SampleSpec{.name = "io_full_avg10",
               .unit = Unit::ratio,
               .help = "Share of 10 s in which all threads that had work waited for disks: nothing went on"},
    SampleSpec{.name = "io_full_avg60", .unit = Unit::ratio, .help = "The same of 60 s"},
    SampleSpec{.name = "io_full_avg300", .unit = Unit::ratio, .help = "The same of 5 min"},
};
inline constexpr std::string_view default_limits = "{ memory_full_avg60: { warning: 10%, critical: 40% } }";

}  // namespace vitald::probes::pressure
