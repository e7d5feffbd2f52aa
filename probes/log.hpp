// log: new lines that match, in one log or many, whatever rotation does to them; and whether they are rotated.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probes/line_filter.hpp"
#include "probes/log_options.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::log {

struct Config {
  std::vector<std::string> files;  // paths and patterns
  LineFilter lines;
  bool from_start = false;
  Missing missing = Missing::unknown;
  std::optional<Duration> rotated_within;  // a rotated file must not be older
  std::vector<std::string> rotated_files;  // patterns of those that are not beside their logs

  std::string target() const { return "log:" + (files.empty() ? "" : files.front()); }
};

struct Facts {
  Followed followed;
  std::uint64_t matches = 0;           // new lines that match
  std::string newest;                  // the last of them
  std::uint64_t lines = 0, bytes = 0;  // since the check was made
  std::vector<Evidence> distinct;      // of the last hour
  Wall now;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "matches", .kind = SampleKind::event, .help = "New lines that match"},
    SampleSpec{.name = "lines", .kind = SampleKind::counter, .help = "Lines read, matching or not"},
    SampleSpec{.name = "bytes", .kind = SampleKind::counter, .unit = Unit::bytes, .help = "Bytes read"},
    SampleSpec{.name = "gaps",
               .kind = SampleKind::event,
               .help = "Logs that were emptied, deleted or replaced before they were read to their end"},
    SampleSpec{.name = "lag", .unit = Unit::bytes, .help = "Bytes that this run left for the next one"},
    SampleSpec{.name = "size", .unit = Unit::bytes, .help = "Size of the log, of the largest where there are several"},
    SampleSpec{
        .name = "idle", .unit = Unit::seconds, .help = "Since anything was last written, to whichever of the logs"},
    SampleSpec{
        .name = "rotated_age",
        .unit = Unit::seconds,
        .help = "Since rotation last left a file behind, of the log where that is longest ago; absent without any"},
};
inline constexpr std::string_view default_limits = "{ matches: { warning: 1 } }";

}  // namespace vitald::probes::log
