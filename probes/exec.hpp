// exec: runs a Nagios plug-in, or any program whose exit status says whether all is well. Its figures become samples.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/secret.hpp"
#include "probes/probe.hpp"
#include "probes/program.hpp"

namespace vitald::probes::exec {

struct Config {
  std::vector<std::string> command;
  std::vector<std::pair<std::string, Secret>> environment;
  std::string working_directory = "/";
  bool nagios = true;
  Duration kill_after{};
  std::vector<std::string> limited;  // what the check's `limits` name

  std::string target() const { return command.empty() ? "" : command.front(); }
};

struct Facts {
  ProgramEnd end;
  Duration patience{};  // the check's time-out
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Whether a sample of that name is every check's, so that no figure can have it.
bool is_own_sample(std::string_view name);

inline constexpr std::array samples{
    SampleSpec{.name = "exit_status", .help = "Exit status: 0 ok, 1 warning, 2 critical; absent where it is another"},
};
inline constexpr std::string_view default_limits = "{ exit_status: { warning: 1, critical: 2 } }";

}  // namespace vitald::probes::exec
