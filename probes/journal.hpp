// journal: new entries of the systemd journal that match, each counted once, whatever was restarted meanwhile.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probes/journal_reader.hpp"
#include "probes/line_filter.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::journal {

struct Config {
  JournalFilter entries;          // that the journal itself looks for
  LineFilter lines;               // of their messages
  std::optional<Duration> since;  // how far back the first run looks

  std::string target() const { return "journal"; }
};

struct Facts {
  std::uint64_t matches = 0;       // new entries that match
  std::uint64_t looked_at = 0;     // new entries
  std::uint64_t entries = 0;       // since the check was made
  std::string newest;              // the last that matches
  std::vector<Evidence> distinct;  // of the last hour
  bool gap = false;                // entries went before they were looked at
  std::optional<Duration> behind;  // the time was up: how old the last entry is that was looked at
  std::string memory;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "matches", .kind = SampleKind::event, .help = "New entries that match"},
    SampleSpec{.name = "entries", .kind = SampleKind::counter, .help = "Entries looked at, matching or not"},
    SampleSpec{.name = "gaps",
               .kind = SampleKind::event,
               .help = "Times that the journal dropped entries before they were looked at"},
    SampleSpec{
        .name = "lag",
        .unit = Unit::seconds,
        .help = "Age of the last entry that was looked at, when a run had to leave some to the next one; else 0"},
};
inline constexpr std::string_view default_limits = "{ matches: { warning: 1 } }";

}  // namespace vitald::probes::journal
