// supervisor: the programs that supervisord keeps running do run. Asked over its XML-RPC; of its methods only three
// that read are known here (supervisor_client.hpp).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/group.hpp"
#include "probes/net/http.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::supervisor {

struct Config {
  std::vector<std::string> programs;  // patterns of "group:name", or of groups; none: all
  std::vector<std::string> exclude;   // likewise
  std::string socket;                 // "": the usual places, unless there is a url
  std::optional<net::Url> url;
  std::string user;
  std::optional<Secret> password;
  Duration grace{};

  std::string target() const;
  /// Whether the samples are of one group, without a label.
  bool single() const;
};

/// As supervisord numbers them (supervisor/states.py).
enum class State { stopped = 0, starting = 10, running = 20, backoff = 30, stopping = 40, exited = 100, fatal = 200 };

struct Program {
  std::string group, name;              // as sent
  int state = 1000;                     // State, or 1000: supervisord does not know
  double start = 0, stop = 0, now = 0;  // seconds since the epoch by supervisord's clock; 0: never
  int exit_status = 0;
  std::string spawn_error;
  bool own_errors = true;  // its standard error has a log of its own

  /// What supervisorctl calls it: "group:name", or the name where both are the same.
  std::string full_name() const;
  bool is(State which) const { return state == static_cast<int>(which); }
};

struct Log {
  std::string program, lines;
};

struct Facts {
  std::string peer;
  Wall now{};
  std::string memory;               // what the last run left
  std::vector<Program> programs;    // those that the check is about
  std::vector<std::string> others;  // groups of the rest, for the message that one is missing
  std::vector<Log> logs;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Whether a program is one of the check's.
bool is_meant(const Config& config, const Program& program);
/// Whether it should run: a check of all programs leaves out what was never started, and what ended with status 0.
bool is_wanted(const Config& config, const Program& program);

inline constexpr std::array samples{
    not_running_row,
    SampleSpec{.name = "running",
               .help = "Processes of the group that run; the maximum is how many should",
               .has_maximum = true,
               .lower_is_worse = true},
    SampleSpec{.name = "restarts",
               .kind = SampleKind::counter,
               .help = "Restarts of the group that were seen, at most one from run to run: supervisord does not count"},
    SampleSpec{.name = "uptime",
               .unit = Unit::seconds,
               .help = "Since the process that started last was started",
               .lower_is_worse = true},
};
inline constexpr std::string_view default_limits = "{ not_running: { warning: 1 }, restarts: { warning: 5 per 10m } }";

}  // namespace vitald::probes::supervisor
