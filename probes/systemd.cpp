#include "probes/systemd.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "probes/journal_reader.hpp"
#include "probes/sql/conversation.hpp"

namespace vitald::probes::systemd {
namespace {

constexpr std::size_t most_units = 64;
constexpr std::size_t most_listed = 1000;
constexpr std::size_t longest_name = 255;  // systemd's own limit
constexpr std::size_t journal_lines = 8;
constexpr const char* bus_path = "/run/dbus/system_bus_socket";

constexpr std::array kinds_of_unit{".service", ".socket", ".target", ".device", ".mount", ".automount",
                                   ".swap",    ".timer",  ".path",   ".slice",  ".scope"};

bool is_pattern(std::string_view name) { return name.find_first_of("*?[") != std::string_view::npos; }

/// As systemctl does: what has no suffix is a service.
std::string with_suffix(std::string name) {
  const auto ends = [&](const char* suffix) { return name.ends_with(suffix); };
  const bool has = std::any_of(kinds_of_unit.begin(), kinds_of_unit.end(), ends);
  return has || name.ends_with('*') ? name : name + ".service";
}

/// What is wrong with a name, or "".
std::string objection(const std::string& name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@*?[]!";
  if (name.size() > longest_name || name.find_first_not_of(allowed) != std::string::npos) {
    return "expected the name of a unit such as nginx.service, or a pattern such as php*-fpm, found '" + name + "'";
  }
  const std::size_t at = name.find('@');
  if (at != std::string::npos && at + 1 < name.size() && name[at + 1] == '.') {
    return "'" + name + "' is a template: name an instance of it, or all of them: '" + name.substr(0, at + 1) + "*'";
  }
  return "";
}

std::vector<std::string> read_names(config::Reader& in, std::string_view key, std::string_view help) {
  auto names = in.optional(key, config::ListOf<config::Text>{.kind = {}, .single = true, .most = most_units}, {}, help);
  for (std::string& name : names) {
    name = with_suffix(std::move(name));
    const std::string problem = objection(name);
    if (!problem.empty()) in.problem(key, problem);
  }
  return names;
}

bool excluded(const Config& config, const std::string& unit) {
  const auto fits = [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), unit.c_str(), FNM_NOESCAPE) == 0;
  };
  return std::any_of(config.exclude.begin(), config.exclude.end(), fits);
}

void add_names(const Config& config, const std::vector<std::string>& found, std::vector<std::string>& names) {
  for (const std::string& name : found) {
    const bool known = std::find(names.begin(), names.end(), name) != names.end();
    if (!known && !excluded(config, name)) names.push_back(name);
  }
}

/// On a worker. A pattern that no unit matches is kept apart: each may stand for something that has gone.
void look(const Config& config, const std::string& bus_socket, sql::Talk& talk, Facts& facts) {
  Bus bus(bus_socket, talk);
  std::vector<std::string> names = config.names;
  for (const std::string& pattern : config.patterns) {
    const auto found = bus.list({}, {pattern}, most_listed);
    if (found.empty()) facts.unmatched.push_back(pattern);
    add_names(config, found, names);
  }
  if (config.any_failed) add_names(config, bus.list({"failed"}, {}, most_listed), names);
  for (const std::string& name : names) {
    if (facts.units.size() == most_units) {
      facts.left_out = names.size() - most_units;
      break;
    }
    facts.units.push_back(read_unit(name, bus.properties(name)));
    const auto& timer = facts.units.back().timer;
    if (timer && !timer->triggers.empty()) {
      facts.triggered[timer->triggers] = read_unit(timer->triggers, bus.properties(timer->triggers));
    }
  }
}

Expect expectation(std::string_view word) {
  return word == "inactive" ? Expect::inactive : word == "not-failed" ? Expect::not_failed : Expect::active;
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  for (std::string& name :
       read_names(in, "unit",
                  "Name of a unit, or a list; without a suffix it is a .service; `*`, `?` and `[…]` "
                  "match those in systemd's memory")) {
    (is_pattern(name) ? config.patterns : config.names).push_back(std::move(name));
  }
  const auto failed = in.maybe("failed", config::OneOf{{"any"}}, "`any`: every failed unit of the host is a fault");
  config.any_failed = failed.has_value();
  config.exclude = read_names(in, "exclude", "Units to leave out, or patterns");
  config.expect = expectation(in.optional("expect", config::OneOf{{"active", "not-failed", "inactive"}}, "active",
                                          "What the units must be: `not-failed` for those that start on demand, "
                                          "`inactive` for those that must not run"));
  const bool nothing = config.names.empty() && config.patterns.empty();
  if (in.has("unit") && nothing) in.problem("unit", "names no unit");
  if (in.has("unit") == in.has("failed")) in.problem(in.has("unit") ? "failed" : "", "give either 'unit' or 'failed'");
  if (config.any_failed && in.has("expect")) in.problem("expect", "'expect' is not possible with 'failed'");
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  // Shared with the jobs, which may outlive this run.
  const auto facts = std::make_shared<Facts>();
  facts->now = context.started.wall;
  facts->remembered = context.memory;
  const std::string root = context.host.root;
  std::function<void(sql::Talk&)> ask = [config, root, facts](sql::Talk& talk) {
    look(config, root + bus_path, talk, *facts);
  };
  co_await sql::converse(context, "systemd", std::move(ask));
  const auto units = worth_reading(config, *facts);
  if (!units.empty()) {
    std::function<void(sql::Talk&)> read = [units, root, facts](sql::Talk& talk) {
      // Evidence must not cost the verdict: what half of the time does not suffice for is left out.
      const Duration reserve = talk.left() / 2;
      for (const std::string& unit : units) {
        if (talk.left() > reserve) facts->journal[unit] = last_journal_lines(root, unit, journal_lines);
      }
    };
    co_await sql::converse(context, "journal", std::move(read));
  }
  co_return *facts;
}

}  // namespace vitald::probes::systemd
