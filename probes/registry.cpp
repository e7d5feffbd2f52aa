// Every kind of probe, one row each, in the order of the manual. docs/adding-a-probe.md is the recipe for a new one.
#include <algorithm>

#include "probes/disk.hpp"
#include "probes/memory.hpp"
#include "probes/probe.hpp"

namespace vitald::probes {
namespace {

constexpr ProbeKind kinds[] = {
    {.name = "disk",
     .title = "How full the file systems are, and whether one became read-only",
     .samples = disk::samples,
     .default_limits = disk::default_limits,
     .make = make_probe<disk::parse, disk::run, disk::judge>},
    {.name = "memory",
     .title = "Available memory and swap of this host or container",
     .samples = memory::samples,
     .default_limits = memory::default_limits,
     .make = make_probe<memory::parse, memory::run, memory::judge>},
};

}  // namespace

const SampleSpec duration_sample{.name = "duration", .unit = Unit::seconds, .help = "How long the run took"};

std::span<const ProbeKind> probe_kinds() { return kinds; }

const ProbeKind* find_probe(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const ProbeKind& kind) { return kind.name == name; });
  return found == std::end(kinds) ? nullptr : found;
}

const SampleSpec* find_sample(const ProbeKind& kind, std::string_view name) {
  if (name == duration_sample.name) return &duration_sample;
  const auto found =
      std::find_if(kind.samples.begin(), kind.samples.end(), [&](const SampleSpec& row) { return row.name == name; });
  return found == kind.samples.end() ? nullptr : &*found;
}

}  // namespace vitald::probes
