// process: whether the processes that should run do, found by pid file, name, command line or user; what they use.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probes/options.hpp"
#include "probes/probe.hpp"
#include "probes/processes.hpp"

namespace vitald::probes::process {

/// Which processes are meant: all that is set has to fit.
struct Config {
  std::string pidfile;
  std::string name;
  std::optional<Pattern::value_type> command;
  std::string user;
  std::int64_t least = 1;
  std::optional<std::int64_t> most;

  std::string target() const { return processes_key; }
  /// "process named nginx", "process of /run/nginx.pid": without an article.
  std::string meant() const;
};

struct Found {
  ProcessStat stat;
  std::optional<double> open_files = {};  // where we may see them
  std::optional<double> open_files_limit = {};
};

/// Why what a pid file says is no process of ours.
enum class PidFile { fits, missing, senseless, process_gone, number_reused };

struct Facts {
  std::vector<Found> found;          // details of the first ones only
  std::vector<ProcessStat> zombies;  // that fit, but have ended
  PidFile pidfile = PidFile::fits;
  int pid = 0;            // that it names
  std::string instead;    // who has the number now
  bool hidden = false;    // there may be more that we cannot see
  double up = 0;          // seconds since the boot
  std::string boot = {};  // changes with each boot
  Now now{};
  std::string before = {};  // what the last run remembered
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Looks, in a worker's job. Throws ProbeFailure(unmeasured).
Facts find_processes(const Host& host, const Config& config, const Now& now);

inline constexpr std::array samples{
    SampleSpec{.name = "running", .help = "How many run", .lower_is_worse = true},
    SampleSpec{.name = "cpu",
               .unit = Unit::ratio,
               .help = "CPU that they used since the last run, all together; 100% is one core"},
    SampleSpec{.name = "memory",
               .unit = Unit::bytes,
               .help = "Resident memory of all together; what they share counts for each"},
    SampleSpec{.name = "largest", .unit = Unit::bytes, .help = "Resident memory of the one that has most"},
    SampleSpec{.name = "open_files",
               .help = "Open files of the one that is nearest to its limit; absent where vitald may not see them",
               .has_maximum = true},
    SampleSpec{.name = "threads", .help = "Threads of all together"},
    SampleSpec{.name = "age", .unit = Unit::seconds, .help = "Since the oldest one started"},
    SampleSpec{.name = "youngest_age",
               .unit = Unit::seconds,
               .help = "Since the youngest one started",
               .lower_is_worse = true},
    SampleSpec{.name = "ended",
               .kind = SampleKind::event,
               .help = "Processes that ran at the last run and have ended since; absent at the first run"},
};
inline constexpr std::string_view default_limits = "{ open_files: { warning: 80%, critical: 95% } }";

}  // namespace vitald::probes::process
