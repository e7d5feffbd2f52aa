// pm2: its apps are online and do not restart all the time. Asked of pm2's own daemon over its socket: no node is
// started, and none of pm2's commands, which would start a daemon where there is none.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/group.hpp"
#include "probes/pm2_reply.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::pm2 {

using namespace std::string_view_literals;

/// The only bytes that pm2 ever gets. Its daemon falls over `"args":[]` and over JSON that is none, and then restarts
/// every app, so nothing is put together here: two arguments of 55 and 5 bytes, the second for the reply to repeat.
inline constexpr std::string_view request =
    "\x12\0\0\0\x37j:{\"type\":\"call\",\"method\":\"getMonitorData\",\"args\":[{}]}\0\0\0\x05s:v:0"sv;

struct Config {
  std::string home;                  // PM2_HOME; "": the only one of this host
  std::string socket;                // "": rpc.sock there
  std::vector<std::string> apps;     // names or patterns; none: every app
  std::vector<std::string> exclude;  // likewise
  std::optional<std::int64_t> instances;
  Duration grace{};

  std::string target() const { return !socket.empty() ? socket : "pm2 " + home; }
  /// Whether the samples are of one app, without a label.
  bool single() const;
};

/// The end of an app's error log.
struct Log {
  std::string app, lines;
};

struct Facts {
  std::string socket;
  Wall now{};
  std::string memory;               // what the last run left
  std::vector<Process> processes;   // those that the check is about
  std::vector<std::string> others;  // names of the rest, for the message that one is missing
  std::vector<Log> logs;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Whether an app of that name is one of the check's.
bool is_meant(const Config& config, const std::string& app);
/// Whether somebody who is told of this process wants to see its error log.
bool is_troubled(const Process& process, Wall now);

inline constexpr std::array samples{
    not_running_row,
    SampleSpec{.name = "online",
               .help = "Instances of the app that are online; the maximum is how many there should be",
               .has_maximum = true,
               .lower_is_worse = true},
    SampleSpec{.name = "restarts",
               .kind = SampleKind::counter,
               .help = "Restarts of the app, of the instance that restarted most since the last run: a reload of all "
                       "instances counts once"},
    SampleSpec{.name = "unstable_restarts",
               .help = "Restarts in a row after less than min_uptime; pm2 sets it to 0 once it gives up"},
    SampleSpec{.name = "uptime",
               .unit = Unit::seconds,
               .help = "Since the instance that started last was started",
               .lower_is_worse = true},
    SampleSpec{.name = "memory",
               .unit = Unit::bytes,
               .help = "Memory of the instance that holds most; the maximum is max_memory_restart, where it is set",
               .has_maximum = true},
    SampleSpec{.name = "cpu", .unit = Unit::ratio, .help = "Of the instance that takes most; 100 % is one core"},
};
inline constexpr std::string_view default_limits =
    "{ not_running: { warning: 1 }, restarts: { warning: 5 per 1h, critical: 20 per 10m } }";

}  // namespace vitald::probes::pm2
