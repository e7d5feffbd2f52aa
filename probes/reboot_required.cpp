#include "probes/reboot_required.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/proc_text.hpp"
#include "probes/remembered.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::reboot_required {
namespace {

constexpr const char* flag = "/run/reboot-required";
constexpr const char* packages_file = "/run/reboot-required.pkgs";
constexpr std::size_t most_packages = 500;
constexpr std::size_t most_named = 20;

struct Found {
  std::optional<Wall> written;
  int error = 0;
  std::string packages;
};

/// In a worker: /run is memory nearly everywhere, but nobody promises it.
void look(const Host& host, Found& found) {
  struct stat about {};
  if (stat((host.root + flag).c_str(), &about) != 0) {
    found.error = errno;
    return;
  }
  found.written = Wall(std::chrono::seconds(about.st_mtim.tv_sec));
  found.packages = read_if_there(host, packages_file).value_or("");
}

std::vector<std::string> names_of(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty() && names.size() < most_packages) {
    const auto words = words_of(take_line(text));
    if (words.empty()) continue;
    std::string name = foreign_text(words[0]);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

double seconds_of(Wall at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most_named) text += " and " + std::to_string(names.size() - most_named) + " more";
  return text;
}

}  // namespace

Config parse(config::Reader&) { return {}; }

awaitable<Facts> run(ProbeContext& context, const Config&) {
  const auto found = std::make_shared<Found>();
  auto job = [found, host = context.host] { look(host, *found); };
  co_await context.workers.run(flag, std::move(job));
  if (found->error != 0 && found->error != ENOENT && found->error != ENOTDIR) {
    throw failure_from(std::error_code(found->error, std::generic_category()), std::string("look at ") + flag);
  }
  Facts facts{.required = found->written.has_value(), .written = found->written, .packages = names_of(found->packages)};
  facts.now = context.clock.now().wall;
  facts.before = std::string(context.memory);
  co_return facts;
}

Observation judge(const Config&, const Facts& facts) {
  Observation seen;
  seen.samples.push_back({.name = "required", .value = facts.required ? 1.0 : 0.0});
  seen.samples.push_back({.name = "packages", .value = static_cast<double>(facts.packages.size())});
  Remembered next;
  seen.summary = "no reboot is required";
  if (facts.required) {
    // Each further package writes the file anew, so its age is that of the last one.
    const double now = seconds_of(facts.now);
    const double written = facts.written ? seconds_of(*facts.written) : now;
    const double since = std::min({Remembered::read(facts.before).number("since").value_or(now), written, now});
    next.set("since", since);
    seen.summary = "a reboot has been required for " +
                   say_duration(std::chrono::floor<std::chrono::seconds>(length_of(now - since)));
    seen.samples.push_back({.name = "age", .value = now - since, .says = seen.summary});
    if (!facts.packages.empty()) seen.evidence.push_back({"packages", listed(facts.packages)});
    seen.remedy = "choose a quiet time and run: systemctl reboot";
  }
  seen.memory = next.written();
  return seen;
}

}  // namespace vitald::probes::reboot_required
