#include "probes/log_follow.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <set>

#include "probes/log_names.hpp"
#include "probes/log_one.hpp"

namespace vitald::probes {
namespace {

constexpr std::string_view log_key = "log.";      // log.0, log.1, …: a path, a newline, a LogMemory
constexpr std::string_view begun_key = "begun.";  // begun.0, …: a pattern that earlier runs have looked for
constexpr std::size_t most_carried = 16 * 1024;   // bytes of half lines of all logs together
constexpr std::size_t most_memory = 56 * 1024;

std::string numbered(std::string_view key, std::size_t number) { return std::string(key) + std::to_string(number); }

bool is_meant(const std::string& pattern, const std::string& path) {
  return pattern == path || ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
}

bool is_meant(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return is_meant(pattern, path); });
}

struct Before {
  std::map<std::string, LogMemory> logs;
  std::set<std::string> unread;  // there, but could not be read
  std::vector<std::string> begun;
};

Before parse(const Remembered& memory) {
  Before before;
  for (const auto& [key, value] : memory.all()) {
    if (key.starts_with(begun_key)) before.begun.push_back(value);
    const auto newline = value.find('\n');
    if (!key.starts_with(log_key) || newline == std::string::npos) continue;
    auto log = parse_log_memory(std::string_view(value).substr(newline + 1));
    if (log) before.logs.emplace(value.substr(0, newline), std::move(*log));
    if (!log) before.unread.insert(value.substr(0, newline));
  }
  return before;
}

ProbeFailure denied(const std::string& folder) {
  return ProbeFailure(Outcome::unmeasured, "denied:" + folder, "vitald may not list " + folder,
                      "run: setfacl -m u:vitald:rx " + folder);
}

ProbeFailure too_many(std::size_t logs) {
  return ProbeFailure(Outcome::unmeasured, "too_many_logs",
                      std::to_string(logs) + " files match, more than one check can follow",
                      "narrow the pattern, or make several checks");
}

}  // namespace

Followed follow(const FollowOptions& options, const Remembered& memory, const OnLogLine& on_line) {
  Followed followed;
  Before before = parse(memory);
  LogNames names = find_logs(options.root, options.logs);
  // A log that is not there at the moment may have been renamed with lines that were not read.
  for (const auto& [path, log] : before.logs) {
    const bool found = std::find(names.paths.begin(), names.paths.end(), path) != names.paths.end();
    if (!found && !log.positions.empty() && is_meant(options.logs, path)) names.paths.push_back(path);
  }
  if (names.paths.size() > most_logs) throw too_many(names.paths.size());
  for (const std::string& folder : names.denied) {
    followed.logs.push_back(
        {.path = folder, .file = {}, .rotated = {}, .since = options.now, .trouble = denied(folder)});
  }
  const std::size_t positions = names.paths.size() <= 20 ? 8 : 3;
  std::uint64_t budget = options.most_bytes;
  for (std::size_t i = 0; i < names.paths.size(); ++i) {
    const std::string& path = names.paths[i];
    auto known = before.logs.find(path);
    std::optional<LogMemory> remembered;
    if (known != before.logs.end()) remembered = std::move(known->second);
    const bool is_known = remembered.has_value();
    OneLog log(options, path, std::move(remembered), is_meant(before.begun, path) && !before.unread.contains(path));
    // Shared out, so that one that is far behind does not keep the others from being read.
    std::uint64_t share = budget / (names.paths.size() - i);
    budget -= share;
    log.run(share, on_line, followed);
    budget += share;
    log.keep(positions, most_carried / names.paths.size());
    const bool is_read = is_known || !log.about().trouble;
    followed.memory.set(numbered(log_key, i), path + "\n" + (is_read ? written(log.memory()) : ""));
    followed.logs.push_back(std::move(log.about()));
  }
  for (std::size_t i = 0; i < options.logs.size(); ++i) followed.memory.set(numbered(begun_key, i), options.logs[i]);
  if (followed.memory.written().size() > most_memory) throw too_many(names.paths.size());
  return followed;
}

}  // namespace vitald::probes
