#include <algorithm>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/numbers.hpp"
#include "probes/process.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes::process {
namespace {

constexpr std::size_t most_remembered = 500;
constexpr std::size_t most_shown = 10;

double seconds_of(Steady at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

std::string say_age(double seconds) {
  return say_duration(std::chrono::floor<std::chrono::seconds>(length_of(std::max(seconds, 0.0))));
}

Remembered remember(const Facts& facts, const Remembered& before) {
  Remembered next;
  next.set("at", seconds_of(facts.now.steady));
  next.set("boot", facts.boot);
  const std::size_t kept = std::min(facts.found.size(), most_remembered);
  for (std::size_t i = 0; i < kept; ++i) next.set(process_key(facts.found[i].stat), facts.found[i].stat.cpu);
  if (!facts.found.empty()) {
    next.set("seen", say_time(facts.now.wall, true) + ", pid " + std::to_string(facts.found.front().stat.pid));
  } else if (const auto seen = before.text("seen")) {
    next.set("seen", *seen);
  }
  return next;
}

/// What happened between two runs, as far as both were looked at.
struct Change {
  double cpu = 0;    // seconds
  double ended = 0;  // processes
};
std::optional<Change> compare(const Facts& facts, const Remembered& before) {
  if (facts.boot != before.text("boot") || facts.found.size() > most_remembered) return std::nullopt;
  Change change;
  for (const auto& [key, value] : before.all()) change.ended += key.starts_with(process_key_begin) ? 1 : 0;
  for (const Found& each : facts.found) {
    const auto then = before.number(process_key(each.stat));
    change.cpu += std::max(each.stat.cpu - then.value_or(0), 0.0);  // one that is new used all of it since
    if (then) change.ended -= 1;
  }
  return change;
}

void add_open_files(const Facts& facts, Observation& seen) {
  const Found* nearest = nullptr;
  const auto share = [](const Found& each) { return *each.open_files / std::max(*each.open_files_limit, 1.0); };
  for (const Found& each : facts.found) {
    if (!each.open_files || !each.open_files_limit) continue;
    if (nearest == nullptr || share(each) > share(*nearest)) nearest = &each;
  }
  if (nearest == nullptr) return;
  seen.samples.push_back({.name = "open_files", .value = *nearest->open_files, .maximum = nearest->open_files_limit});
  seen.evidence.push_back({"open files", say_number(*nearest->open_files) + " of " +
                                             say_number(*nearest->open_files_limit) + ", pid " +
                                             std::to_string(nearest->stat.pid)});
}

struct Sums {
  double memory = 0, largest = 0, threads = 0, oldest = 0, youngest = 0;
};
Sums add_up(const Facts& facts) {
  Sums sums;
  sums.youngest = facts.up;
  for (const Found& each : facts.found) {
    const double age = std::max(facts.up - each.stat.started, 0.0);
    sums.memory += each.stat.memory;
    sums.largest = std::max(sums.largest, each.stat.memory);
    sums.threads += each.stat.threads;
    sums.oldest = std::max(sums.oldest, age);
    sums.youngest = std::min(sums.youngest, age);
  }
  return sums;
}

void add_samples(const Facts& facts, const Remembered& before, Observation& seen) {
  seen.samples.push_back({.name = "running", .value = static_cast<double>(facts.found.size())});
  const auto change = compare(facts, before);
  if (change) {
    const std::string which = facts.found.empty() ? "" : " of " + facts.found.front().stat.name;
    seen.samples.push_back({.name = "ended",
                            .value = std::max(change->ended, 0.0),
                            .says = say_number(change->ended) + which + " ended since the last run"});
  }
  if (facts.found.empty()) return;
  const Sums sums = add_up(facts);
  const double passed = seconds_of(facts.now.steady) - before.number("at").value_or(0);
  seen.summary = facts.found.size() == 1
                     ? facts.found[0].stat.name + " (pid " + std::to_string(facts.found[0].stat.pid) + ") runs"
                     : std::to_string(facts.found.size()) + " processes run";
  seen.summary += ", " + say_bytes(sums.memory);
  if (change && passed > 0) {
    seen.samples.push_back({.name = "cpu", .value = change->cpu / passed});
    seen.summary += ", " + say_ratio(change->cpu / passed) + " of a core";
  }
  seen.summary += ", up for " + say_age(sums.oldest);
  seen.samples.push_back({.name = "memory", .value = sums.memory});
  seen.samples.push_back({.name = "largest", .value = sums.largest});
  seen.samples.push_back({.name = "threads", .value = sums.threads});
  seen.samples.push_back({.name = "age", .value = sums.oldest});
  seen.samples.push_back({.name = "youngest_age", .value = sums.youngest});
  add_open_files(facts, seen);
  std::vector<ProcessStat> stats;
  for (const Found& each : facts.found) stats.push_back(each.stat);
  seen.evidence.push_back({"processes", say_biggest(std::move(stats), most_shown)});
}

ProbeFailure none_found(const Config& config, const Facts& facts) {
  const std::string number = std::to_string(facts.pid);
  switch (facts.pidfile) {
    case PidFile::missing:
      return wrong("no_pidfile", "not running: " + config.pidfile + " does not exist");
    case PidFile::senseless:
      return wrong("bad_pidfile", config.pidfile + " holds no process number");
    case PidFile::process_gone:
      return wrong("not_running", config.pidfile + " names process " + number + ", which does not run any more");
    case PidFile::number_reused:
      return wrong("pid_reused",
                   "not running: " + number + " in " + config.pidfile + " is now another process, " + facts.instead);
    case PidFile::fits:
      break;
  }
  return wrong("not_running", "no " + config.meant() + " runs");
}

std::optional<ProbeFailure> find_fault(const Config& config, const Facts& facts) {
  const auto count = static_cast<std::int64_t>(facts.found.size());
  if (count < config.least && facts.hidden) {
    return unmeasured("hidden", "vitald sees its own processes only, and the " + config.meant() + " is none of them",
                      "mount /proc without hidepid=, or with gid= of a group that vitald is in; and no ProtectProc= "
                      "in vitald.service");
  }
  if (count == 0 && config.least > 0) return none_found(config, facts);
  const std::string found = say_number(static_cast<double>(count)) + " ";
  if (count < config.least) {
    return wrong("too_few", found + "instead of at least " + std::to_string(config.least) + ": " + config.meant());
  }
  if (config.most && count > *config.most) {
    return wrong("too_many", found + "instead of at most " + std::to_string(*config.most) + ": " + config.meant());
  }
  return std::nullopt;
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  const auto before = Remembered::read(facts.before);
  const Remembered next = remember(facts, before);
  seen.summary = "no " + config.meant() + " runs, as it should be";
  add_samples(facts, before, seen);
  const auto fault = find_fault(config, facts);
  if (fault) blame(*fault, seen);
  if (fault && facts.found.empty()) {
    if (const auto last = next.text("seen")) seen.evidence.push_back({"last seen", *last});
  }
  for (const ProcessStat& zombie : facts.zombies) {
    if (seen.evidence.size() >= most_shown) break;
    seen.evidence.push_back({"zombie", zombie.name + " (pid " + std::to_string(zombie.pid) +
                                           ") has ended, but its parent has not taken notice"});
  }
  if (fault && fault->outcome == Outcome::unmeasured) return seen;
  seen.memory = next.written();
  return seen;
}

}  // namespace vitald::probes::process
