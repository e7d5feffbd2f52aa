#include "probes/disk.hpp"

#include <algorithm>

#include "config/units.hpp"
#include "probes/disk_trend.hpp"
#include "probes/faults.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::disk {
namespace {

constexpr std::size_t most_measured = 100;
constexpr std::size_t most_evidence = 8;

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::vector<std::string> read_paths(config::Reader& in, std::string_view key, std::string_view help) {
  const config::ListOf<config::Text> paths{.kind = {}, .single = true};
  auto given = in.optional(key, paths, {}, help);
  for (std::string& path : given) {
    if (!path.starts_with('/')) in.problem(key, "expected an absolute path such as /var, found '" + path + "'");
    path = without_trailing_slash(std::move(path));
  }
  return given;
}

/// Some network file systems claim more free than they have in all.
double in_use(std::uint64_t all, std::uint64_t free) { return all > free ? static_cast<double>(all - free) : 0; }

/// As df has it: of what ordinary users can reach, since root's reserve is neither used nor available to them.
double used_ratio(const FileSystemUse& use) {
  const double used = in_use(use.size, use.free);
  const double reachable = used + static_cast<double>(use.available);
  return reachable > 0 ? used / reachable : 0;
}

double inodes_ratio(const FileSystemUse& use) {
  return in_use(use.inodes, use.inodes_free) / static_cast<double>(use.inodes);
}

/// "40 min", "9 h", "3 d": it is a guess, and one unit says so.
std::string say_roughly(double seconds) {
  constexpr double two_hours = 2 * 3600;
  const auto minutes = std::chrono::round<std::chrono::minutes>(length_of(std::max(seconds, 60.0)));
  const std::string whole =
      say_duration(seconds < two_hours ? minutes : std::chrono::round<std::chrono::hours>(minutes));
  return seconds < two_hours ? whole : whole.substr(0, whole.find(' ', whole.find(' ') + 1));
}

std::string describe(const MountFacts& facts, std::optional<double> full_in) {
  std::string text =
      say_ratio(used_ratio(facts.use)) + " used, " + say_bytes(static_cast<double>(facts.use.available)) + " available";
  if (full_in) text += ", full in " + say_roughly(*full_in) + " at this pace";
  return text;
}

void add_samples(const MountFacts& facts, std::optional<double> full_in, std::vector<Sample>& samples) {
  const Labels labels{{"mount", facts.mount.point}};
  const auto& use = facts.use;
  const double size = static_cast<double>(use.size);
  samples.push_back({.name = "used", .value = used_ratio(use), .labels = labels});
  samples.push_back({.name = "used_bytes", .value = in_use(use.size, use.free), .maximum = size, .labels = labels});
  samples.push_back(
      {.name = "available", .value = static_cast<double>(use.available), .maximum = size, .labels = labels});
  if (use.inodes > 0) samples.push_back({.name = "inodes_used", .value = inodes_ratio(use), .labels = labels});
  if (!full_in) return;
  samples.push_back({.name = "full_in",
                     .value = *full_in,
                     .labels = labels,
                     .says = facts.mount.point + " will be full in " + say_roughly(*full_in) + " at this pace, " +
                             say_bytes(static_cast<double>(use.available)) + " are left"});
}

/// What is the target's outranks what is ours, as a critical verdict outranks an unknown one.
Faults find_faults(const Config& config, const Facts& facts) {
  Faults faults;
  for (const std::string& point : facts.missing) {
    faults.push_back(wrong("not_mounted", "nothing is mounted at " + point, "run: mount " + point));
  }
  for (const MountFacts& each : facts.mounts) {
    if (each.trouble && each.trouble->outcome != Outcome::unmeasured) {
      faults.push_back(*each.trouble);
    } else if (each.mount.read_only && !config.read_only_allowed) {
      faults.push_back(wrong("read_only", each.mount.point + " is mounted read-only",
                             "look for file system errors: dmesg | grep -i -e error -e remount"));
    }
  }
  for (const MountFacts& each : facts.mounts) {
    if (!each.trouble || each.trouble->outcome != Outcome::unmeasured) continue;
    faults.push_back(*each.trouble);
  }
  return faults;
}

awaitable<void> ask_helper(ProbeContext& context, MountFacts& facts, Duration patience) {
  const std::string path = context.host.root + facts.mount.point;
  try {
    facts.use = co_await context.helper.statvfs(path, patience);
  } catch (const ProbeFailure& failure) {
    facts.trouble = failure;  // the other mounts are measured all the same
  }
}

void ask_here(const ProbeContext& context, MountFacts& facts) {
  int error = 0;
  facts.use = statvfs_now(context.host.root + facts.mount.point, error);
  if (error != 0) facts.trouble = statvfs_failure(facts.mount.point, error);
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.mounts =
      read_paths(in, "mount", "Mount point, or a list of them; left out: every real file system of the host");
  config.exclude = read_paths(in, "exclude", "Mount points to leave out");
  const auto word = in.optional("read_only", config::OneOf{{"unexpected", "allow"}}, "unexpected",
                                "Whether a file system that is mounted read-only is a fault");
  config.read_only_allowed = word == "allow";
  return config;
}

Facts choose(const Config& config, std::vector<Mount> all) {
  std::vector<Mount> chosen;
  Facts facts;
  if (config.mounts.empty()) {
    chosen = real_mounts(std::move(all));
  } else {
    for (const std::string& point : config.mounts) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const Mount& mount) { return mount.point == point; });
      if (found == all.end()) facts.missing.push_back(point);
      if (found != all.end()) chosen.push_back(*found);
    }
  }
  for (Mount& mount : chosen) {
    const bool excluded = std::find(config.exclude.begin(), config.exclude.end(), mount.point) != config.exclude.end();
    if (excluded || facts.mounts.size() == most_measured) continue;
    facts.mounts.push_back({.mount = std::move(mount), .use = {}});
  }
  return facts;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts = choose(config, parse_mountinfo(context.host.read("/proc/self/mountinfo")));
  int doubtful = 0;
  for (MountFacts& each : facts.mounts) {
    if (answers_at_once(each.mount)) {
      ask_here(context, each);
    } else {
      doubtful += 1;
    }
  }
  for (MountFacts& each : facts.mounts) {
    if (answers_at_once(each.mount)) continue;
    // Shared out so that even if all of them hang, the run ends in time with what the others said.
    const Duration left = context.deadline - context.clock.now().steady;
    const Duration patience = std::max<Duration>(left / (doubtful + 1), std::chrono::milliseconds(1));
    doubtful -= 1;
    co_await ask_helper(context, each, patience);
  }
  facts.now = context.clock.now().wall;
  facts.before = std::string(context.memory);
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  Trends trends = Trends::read(facts.before);
  const MountFacts* fullest = nullptr;
  std::string said_of_fullest;
  for (const MountFacts& each : facts.mounts) {
    if (each.trouble) continue;
    trends.add(each.mount.point, facts.now, in_use(each.use.size, each.use.free));
    const auto full_in = trends.full_in(each.mount.point, static_cast<double>(each.use.available));
    const std::string said = describe(each, full_in);
    add_samples(each, full_in, seen.samples);
    if (seen.evidence.size() < most_evidence) seen.evidence.push_back({each.mount.point, said});
    if (fullest != nullptr && used_ratio(each.use) <= used_ratio(fullest->use)) continue;
    fullest = &each;
    said_of_fullest = said;
  }
  seen.memory = trends.written(facts.now);
  const auto faults = find_faults(config, facts);
  if (!faults.empty()) {
    blame(faults, seen, most_evidence);
  } else if (fullest != nullptr) {
    seen.summary = fullest->mount.point + ": " + said_of_fullest;
  } else {
    blame(unmeasured("no_mounts", "this host has no file system to look at", "name one with mount: in the check"),
          seen);
  }
  return seen;
}

}  // namespace vitald::probes::disk
