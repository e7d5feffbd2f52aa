// systemd: units of this host are up, do not restart over and over, and timers start what they should; or no unit of
// the host has failed.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "probes/probe.hpp"
#include "probes/systemd_unit.hpp"

namespace vitald::probes::systemd {

enum class Expect { active, not_failed, inactive };

struct Config {
  std::vector<std::string> names;     // with their suffix
  std::vector<std::string> patterns;  // that systemd expands
  std::vector<std::string> exclude;   // patterns
  bool any_failed = false;            // instead of names and patterns
  Expect expect = Expect::active;

  std::string target() const { return "systemd"; }
};

struct Facts {
  Wall now;
  std::vector<UnitState> units;
  std::map<std::string, UnitState> triggered;  // by timers among them, by name
  std::vector<std::string> unmatched;          // patterns that no unit matches
  std::size_t left_out = 0;                    // units beyond the most that are looked at
  std::map<std::string, std::string> journal;  // last lines of units in trouble, by name
  std::string remembered;                      // Observation::memory of the last run
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// A unit that needs attention, and what is to be said of it.
struct Trouble {
  std::string unit;  // whose journal tells more
  ProbeFailure fault;
};
std::vector<Trouble> find_trouble(const Config& config, const Facts& facts);
/// The few units whose last journal lines belong to the evidence: those in trouble, and those that systemd restarted
/// since the last run.
std::vector<std::string> worth_reading(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "restarts",
               .kind = SampleKind::counter,
               .help = "Times that systemd started the service again on its own (label unit)"},
    SampleSpec{.name = "starting",
               .unit = Unit::seconds,
               .help = "How long the unit has been starting; absent when it is not (label unit)"},
    SampleSpec{.name = "job_runtime",
               .unit = Unit::seconds,
               .help = "How long the job of a oneshot service has been running; absent when it is not (label unit)"},
    SampleSpec{.name = "uptime",
               .unit = Unit::seconds,
               .help = "Since the unit became active (label unit)",
               .lower_is_worse = true},
    SampleSpec{.name = "memory",
               .unit = Unit::bytes,
               .help = "Memory of the unit's processes, page cache included; its maximum is MemoryMax= (label unit)",
               .has_maximum = true},
    SampleSpec{.name = "tasks",
               .help = "Threads and processes of the unit; the maximum is TasksMax= (label unit)",
               .has_maximum = true},
    SampleSpec{.name = "since_trigger",
               .unit = Unit::seconds,
               .help = "Since a timer last started its unit, or since the timer itself was started (label unit)"},
    SampleSpec{.name = "missed",
               .kind = SampleKind::event,
               .help = "Times of a calendar that came and went without the timer starting its unit (label unit)"},
    SampleSpec{.name = "failed", .help = "Failed units of this host; with `failed: any`"},
};
inline constexpr std::string_view default_limits =
    "{ restarts: { warning: 3 per 1h, critical: 10 per 1h }, starting: { warning: 2m, critical: 10m }, "
    "tasks: { warning: 90% }, missed: { warning: 1 } }";

}  // namespace vitald::probes::systemd
