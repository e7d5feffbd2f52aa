#include "probes/log.hpp"

#include <algorithm>
#include <memory>

#include "config/units.hpp"
#include "probes/distinct_lines.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::log {
namespace {

constexpr std::size_t most_evidence = 12;

/// What the worker's job touches: its own, since it may outlive the run.
struct Job {
  FollowOptions options;
  LineFilter filter;
  Remembered memory;
  Wall now;
  Facts facts = {};

  void work() {
    DistinctLines distinct(memory, now);
    facts.followed = follow(options, memory, [&](const std::string&, std::string_view line) {
      if (!filter.takes(line)) return;
      facts.matches += 1;
      distinct.add(line);
      facts.newest.assign(line.substr(0, 400));
    });
    facts.lines = count("lines", facts.followed.lines);
    facts.bytes = count("bytes", facts.followed.bytes);
    facts.distinct = distinct.evidence();
    distinct.write(facts.followed.memory);
    facts.now = now;
  }

 private:
  std::uint64_t count(std::string_view key, std::uint64_t more) {
    const double before = std::clamp(memory.number(key).value_or(0), 0.0, 1e15);
    facts.followed.memory.set(key, before + static_cast<double>(more));
    return static_cast<std::uint64_t>(before) + more;
  }
};

double seconds_since(Wall now, std::int64_t nanoseconds) {
  const Duration age = now - Wall(Duration(nanoseconds));
  return std::max(0.0, std::chrono::duration<double>(age).count());
}

std::string say_age(double seconds) { return say_duration(length_of(seconds)); }

void find_unrotated(const Config& config, const FollowedLog& log, Wall now, Faults& faults) {
  const bool is_empty = !log.file || log.file->size == 0;  // `notifempty`, and rightly so
  if (!config.rotated_within || log.trouble || is_empty) return;
  const double allowed = std::chrono::duration<double>(*config.rotated_within).count();
  const std::string remedy =
      "see what logrotate says: logrotate -d /etc/logrotate.conf; systemctl status logrotate.timer";
  if (log.rotated && seconds_since(now, log.rotated->changed) > allowed) {
    faults.push_back(wrong("not_rotated",
                           log.path + " was last rotated " + say_age(seconds_since(now, log.rotated->changed)) +
                               " ago, expected every " + say_duration(*config.rotated_within),
                           remedy));
  } else if (!log.rotated && now - log.since > *config.rotated_within) {
    faults.push_back(
        wrong("never_rotated",
              log.path + " has no rotated file, expected one every " + say_duration(*config.rotated_within), remedy));
  }
}

Faults find_faults(const Config& config, const Facts& facts) {
  Faults faults;
  for (const FollowedLog& log : facts.followed.logs) find_unrotated(config, log, facts.now, faults);
  add_unread(config.files, config.missing, facts.followed, faults);
  return faults;
}

void add_file_samples(const Facts& facts, Observation& seen) {
  const FollowedLog* largest = nullptr;
  std::optional<std::int64_t> written;
  const FollowedLog* stale = nullptr;  // rotated longest ago
  for (const FollowedLog& log : facts.followed.logs) {
    if (log.rotated && (stale == nullptr || log.rotated->changed < stale->rotated->changed)) stale = &log;
    if (!log.file) continue;
    if (largest == nullptr || log.file->size > largest->file->size) largest = &log;
    written = std::max(written.value_or(0), log.file->modified);
  }
  if (largest != nullptr) {
    const double size = static_cast<double>(largest->file->size);
    seen.samples.push_back({.name = "size", .value = size, .says = largest->path + " is " + say_bytes(size)});
  }
  if (written) seen.samples.push_back({.name = "idle", .value = seconds_since(facts.now, *written)});
  if (stale == nullptr) return;
  const double age = seconds_since(facts.now, stale->rotated->changed);
  seen.samples.push_back(
      {.name = "rotated_age", .value = age, .says = stale->path + " was last rotated " + say_age(age) + " ago"});
}

std::string matching(const Facts& facts) {
  return say_count(static_cast<std::int64_t>(facts.matches), "new line") +
         (facts.matches == 1 ? " matches: " : " match, the last: ") + foreign_text(facts.newest, 160);
}

std::string name_of(const Config& config, const Facts& facts) {
  const bool is_one = facts.followed.logs.size() == 1;
  return is_one
             ? facts.followed.logs.front().path
             : say_count(static_cast<std::int64_t>(facts.followed.logs.size()), "log") + " of " + config.files.front();
}

std::string summary(const Config& config, const Facts& facts) {
  if (facts.matches > 0) return matching(facts);
  const std::string name = name_of(config, facts);
  if (config.lines.match.empty()) return name + " is as it should be";
  return "none of " + say_count(static_cast<std::int64_t>(facts.followed.lines), "new line") + " in " + name +
         " matches";
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.files = read_log_files(in);
  config.lines = read_line_filter(in);
  const auto from =
      in.optional("from", config::OneOf{{"end", "start"}}, "end",
                  "Where the first run begins: with what is written from then on, or with all that is there");
  config.from_start = from == "start";
  config.missing = read_missing(in);
  const bool rotated = in.object("rotated", "How the log must be rotated", [&](config::Reader& nested) {
    config.rotated_within =
        nested.maybe("within", config::Length{}, "How long ago rotation may have left its last file, such as 25h");
    config.rotated_files =
        read_log_patterns(nested, "files", "Patterns of rotated files that do not lie beside the log");
  });
  const auto limits = in.keys_below("limits");
  const bool judged_by_limit = std::any_of(limits.begin(), limits.end(), [](const std::string& key) {
    return key == "size" || key == "idle" || key == "rotated_age";
  });
  if (config.lines.match.empty() && !rotated && !judged_by_limit)
    in.problem("", "needs 'match', 'rotated', or a limit on size, idle or rotated_age");
  if (config.lines.match.empty() && !config.lines.ignore.empty()) in.problem("ignore", "'ignore' needs 'match'");
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  const auto job = std::make_shared<Job>();
  job->filter = config.lines;
  job->memory = Remembered::read(context.memory);
  job->now = context.started.wall;
  job->options = follow_in(context, config.files);
  job->options.rotated = config.rotated_files;
  job->options.from_start = config.from_start;
  job->options.reads = !config.lines.match.empty();
  context.phases.begin("read");
  std::function<void()> work = [job] { job->work(); };
  std::string key = config.target();
  co_await context.workers.run(std::move(key), std::move(work));
  context.phases.mark("read");
  co_return std::move(job->facts);
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  if (!config.lines.match.empty()) {
    const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
    seen.samples.push_back(
        {.name = "matches", .value = number(facts.matches), .says = facts.matches > 0 ? matching(facts) : ""});
    seen.samples.push_back({.name = "lines", .value = number(facts.lines)});
    seen.samples.push_back({.name = "bytes", .value = number(facts.bytes)});
    seen.samples.push_back({.name = "gaps", .value = number(facts.followed.gaps.size())});
    seen.samples.push_back({.name = "lag", .value = number(facts.followed.lag)});
  }
  add_file_samples(facts, seen);
  seen.evidence = facts.distinct;
  for (Evidence& each : reading_evidence(facts.followed)) seen.evidence.push_back(std::move(each));
  seen.summary = summary(config, facts);
  blame(find_faults(config, facts), seen, most_evidence);
  seen.memory = facts.followed.memory.written();
  return seen;
}

}  // namespace vitald::probes::log
