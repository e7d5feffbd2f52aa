// reboot-required: whether packages that were installed wait for a reboot, which ones, and since when.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probes/probe.hpp"

namespace vitald::probes::reboot_required {

struct Config {
  std::string target() const { return "reboot-required"; }
};

struct Facts {
  bool required = false;
  std::optional<Wall> written = {};   // when the file was last written
  std::vector<std::string> packages;  // each once
  Wall now{};
  std::string before = {};  // what the last run remembered
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "required", .help = "1 while a reboot is required, else 0"},
    SampleSpec{.name = "age", .unit = Unit::seconds, .help = "Since a reboot has been required; absent while none is"},
    SampleSpec{.name = "packages", .help = "Packages that wait for it"},
};
inline constexpr std::string_view default_limits = "{ age: { warning: 7d } }";

}  // namespace vitald::probes::reboot_required
