// heartbeat: waits for the pings of a job, by an interval or by the times of its crontab line, and knows when it began,
// how long it took and how it ended.
//
// What was pinged is the check's memory and nothing else, so it survives what the check's record survives. There are
// two ways in, and both end in judge(): a ping (take), and time (run).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "config/cron.hpp"
#include "config/secret.hpp"
#include "probes/ping.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::heartbeat {

struct Config {
  std::optional<Duration> expect_every;  // this one or `cron`
  std::optional<Cron> cron;
  TimeZone zone;
  Duration grace{};
  std::optional<Duration> max_run;
  std::optional<Secret> token;

  std::string target() const { return "heartbeat"; }
};

/// What the pings said so far.
struct History {
  std::optional<Wall> known_since = {};  // before the first ping: since when it is waited for
  std::optional<Wall> ended = {};        // the latest ping that was no start
  std::optional<Wall> started = {};      // the latest start, until the end
  std::optional<Wall> unfinished = {};   // the first start that no end has followed
  std::optional<Duration> took = {};     // of the latest run whose start was told
  std::optional<int> exit_code = {};     // of the latest end
  bool failed = false;                   // the latest end was a failure
  double failures = 0;                   // in all
  bool missed = false;                   // a ping did not come while somebody listened; until one comes
  std::string output = {};               // the last lines of the latest end
};
History read_history(std::string_view memory);
std::string written(const History& history);
/// The history with one more ping.
History told(History history, const Ping& ping, Wall now);

struct Facts {
  History history;
  Wall now{};
  Wall listening_since{};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);
std::optional<PingRefusal> refuses(const Config& config, const Ping& ping);
Observation take(const Config& config, const Ping& ping, std::string_view memory, const Now& now, Wall listening_since);
/// The row's: a probe that is a PingTarget as well.
std::unique_ptr<const Probe> make(config::Reader& in);

inline constexpr std::array samples{
    SampleSpec{.name = "since_ping", .unit = Unit::seconds, .help = "Time since the latest ping of any kind"},
    SampleSpec{.name = "run_time",
               .unit = Unit::seconds,
               .help = "How long the latest run took, from its start to its end; absent where no start was told"},
    SampleSpec{.name = "failures", .kind = SampleKind::counter, .help = "Pings that told of a failure"},
};

}  // namespace vitald::probes::heartbeat
