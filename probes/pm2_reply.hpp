// What pm2 says of its processes, out of the JSON of its reply. The reply holds the whole environment of every process,
// passwords and all: the fields below are picked while parsing, and nothing else is ever kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald::probes::pm2 {

/// One row of `pm2 list`.
struct Process {
  std::int64_t id = -1;  // pm_id: another one after delete and start; -1: one that a reload is replacing
  std::string name;      // as pm2 sent it; several instances share it
  std::string status;    // online, stopping, stopped, launching, errored, waiting restart, one-launch-status
  double pid = 0;
  double memory = 0;  // bytes
  double cpu = 0;     // of one core: 1 is all of it
  double restarts = 0;
  double unstable_restarts = 0;
  double started_ms = 0;  // since the epoch; that of the run before where it does not run
  std::optional<double> exit_code;
  std::optional<double> most_memory;  // max_memory_restart, bytes
  std::string error_log;              // path
  bool gave_up = false;               // created_at is null: it used up its restarts, whatever the status says
  bool autorestart = true;
  bool scheduled = false;  // cron_restart
  bool module = false;     // of pm2's own, such as pm2-logrotate

  Wall started() const;
};

inline constexpr std::size_t most_processes = 2000;

/// `json` is the first argument of a reply to getMonitorData. Failure: no JSON, nested too deep, too many processes, or
/// what pm2 answered instead.
Result<std::vector<Process>> read_reply(std::string_view json);

}  // namespace vitald::probes::pm2
