// expiry: what a person has to renew or rotate in time: dates from the configuration, ages of files, certificates in
// files. A reminder before, an alarm after.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "probes/expiry_certificate.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::expiry {

using Day = std::chrono::sys_days;

/// 2027-01-15, as a kind of value for config::Reader (see config/kinds.hpp).
struct Date {
  using value_type = Day;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const config::Node& node, config::Problems& problems) const;
  value_type dummy() const;
  std::string show(const value_type& value) const;
};

/// "2027-01-15".
std::string say_day(Day day);

/// One thing with an end. Exactly one of `on`, `rotated`, `file` and `certificate` says which.
struct Item {
  std::string name;
  std::optional<Day> on = {};       // the last good day
  std::optional<Day> rotated = {};  // with max_age
  std::string file = {};            // its mtime, with max_age
  std::string certificate = {};     // its end of validity
  std::optional<Duration> max_age = {};

  bool is_rotation() const { return on == std::nullopt && certificate.empty(); }
};

struct Config {
  std::vector<Item> items;

  std::string target() const { return "expiry"; }
};

/// What was found of one item, in the order of Config::items.
struct Found {
  std::optional<Wall> end =
      {};                    // nothing: it has none (an SSH certificate that is valid for ever), or there is trouble
  std::string subject = {};  // of a certificate
  std::optional<ProbeFailure> trouble = {};
};

struct Facts {
  std::vector<Found> found;
  Wall now{};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "left",
               .unit = Unit::seconds,
               .help = "Time that is left, negative afterwards (label item: its name)",
               .lower_is_worse = true},
};
inline constexpr std::string_view default_limits = "{ left: { warning: 7d, critical: 0s } }";

}  // namespace vitald::probes::expiry
