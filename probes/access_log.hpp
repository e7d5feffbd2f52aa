// access-log: how many requests fail, and how long they take, from a web server's log.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probes/access_line.hpp"
#include "probes/log_options.hpp"
#include "probes/options.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::access_log {

struct Config {
  std::vector<std::string> files;
  AccessFormat format;
  std::vector<Pattern::value_type> ignore;  // lines that do not count
  int error_from = 500;                     // statuses from here on are errors
  Duration window{};
  std::uint64_t at_least = 0;  // requests in the window before a share of them means anything
  bool from_start = false;
  Missing missing = Missing::unknown;

  std::string target() const { return "log:" + (files.empty() ? "" : files.front()); }
};

struct Facts {
  Followed followed;
  std::array<std::uint64_t, 6> classes{};  // requests since the check was made: [2] is 2xx; [0] did not fit the format
  std::uint64_t misread = 0;               // lines since the last one that fitted it
  std::string example;                     // the last of them
  std::uint64_t requests = 0, errors = 0;  // in the window
  std::optional<double> p50, p95, p99;     // seconds
  std::vector<Evidence> failing;           // what failed in the last hour
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "error_ratio",
               .unit = Unit::ratio,
               .help = "Share of the requests in the window that failed; absent below at_least requests"},
    SampleSpec{.name = "window_requests", .help = "Requests in the window"},
    SampleSpec{.name = "latency_p50", .unit = Unit::seconds, .help = "Half of the requests in the window took less"},
    SampleSpec{.name = "latency_p95", .unit = Unit::seconds, .help = "19 of 20 requests in the window took less"},
    SampleSpec{.name = "latency_p99", .unit = Unit::seconds, .help = "99 of 100 requests in the window took less"},
    SampleSpec{.name = "requests", .kind = SampleKind::counter, .help = "Requests"},
    SampleSpec{
        .name = "responses", .kind = SampleKind::counter, .help = "Requests by the status (label class: 2xx … 5xx)"},
    SampleSpec{.name = "unreadable", .kind = SampleKind::counter, .help = "Lines that do not fit the format"},
    SampleSpec{.name = "gaps",
               .kind = SampleKind::event,
               .help = "Logs that were emptied, deleted or replaced before they were read to their end"},
    SampleSpec{.name = "lag", .unit = Unit::bytes, .help = "Bytes that this run left for the next one"},
};
inline constexpr std::string_view default_limits = "{ error_ratio: { warning: 1%, critical: 5% } }";

}  // namespace vitald::probes::access_log
