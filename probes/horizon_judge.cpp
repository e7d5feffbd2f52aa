// What Horizon's keys mean.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/horizon.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::horizon {
namespace {

constexpr int memory_version = 1;
constexpr std::size_t most_named = 5;

std::string say_seconds(double seconds) {
  return say_duration(std::chrono::floor<std::chrono::seconds>(length_of(std::max(1.0, seconds))));
}

/// "a, b and 3 more".
std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most_named; ++i)
    text += (i == 0 ? "" : ", ") + foreign_text(names[i]);
  if (names.size() > most_named) text += " and " + std::to_string(names.size() - most_named) + " more";
  return text;
}

void say_wrong(Observation& seen, std::string reason, std::string summary, std::string remedy = "") {
  if (seen.outcome != Outcome::answered) return;  // the first thing that is wrong is the one to tell
  blame(wrong(std::move(reason), std::move(summary), std::move(remedy)), seen);
}

std::vector<const MasterFacts*> alive(const Facts& facts) {
  std::vector<const MasterFacts*> found;
  for (const MasterFacts& master : facts.masters) {
    if (master.alive) found.push_back(&master);
  }
  return found;
}

void judge_inactive(const Config& config, const Facts& facts, Observation& seen) {
  if (!alive(facts).empty()) return;
  std::string where;
  if (!config.host.empty()) where += " on " + foreign_text(config.host);
  if (!config.environment.empty()) where += " in the environment " + foreign_text(config.environment);
  const std::string start = "Horizon is not running" + where;
  if (!facts.has_keys) {
    return say_wrong(
        seen, "horizon_inactive", start + ", and no key begins with '" + foreign_text(config.prefix) + "'",
        "compare 'prefix' with config/horizon.php, and 'redis' with the connection that 'use' names there");
  }
  if (!facts.others.empty()) return say_wrong(seen, "horizon_inactive", start + "; it runs as " + list(facts.others));
  double last = 0;
  for (const MasterFacts& master : facts.masters) last = std::max(last, master.reported);
  // The report is dated by the application's host, the age reckoned by that of Redis.
  if (last == 0 || last > facts.now) return say_wrong(seen, "horizon_inactive", start + ": no master is registered");
  say_wrong(seen, "horizon_inactive", start + ": no master has reported for " + say_seconds(facts.now - last));
}

void judge_paused(const Config& config, const Facts& facts, Observation& seen) {
  const auto masters = alive(facts);
  std::vector<std::string> paused;
  for (const MasterFacts* master : masters) {
    if (master->paused()) paused.push_back(master->name);
  }
  if (paused.empty() || (config.paused_by_all && paused.size() < masters.size())) return;
  const std::string which = masters.size() == 1 ? ""
                            : paused.size() == masters.size()
                                ? " on all " + std::to_string(masters.size()) + " hosts"
                                : ": " + list(paused) + ", " + std::to_string(paused.size()) + " of " +
                                      std::to_string(masters.size()) + " masters";
  say_wrong(seen, "horizon_paused", "Horizon is paused" + which, "run: php artisan horizon:continue");
}

void judge_supervisors(const Config& config, const Facts& facts, Observation& seen) {
  std::set<std::string> running;
  for (const SupervisorFacts& supervisor : facts.supervisors) running.insert(supervisor.short_name());
  std::vector<std::string> missing;
  for (const std::string& name : config.supervisors) {
    if (!running.contains(name)) missing.push_back(name);
  }
  if (!missing.empty()) {
    const std::vector<std::string> names(running.begin(), running.end());
    say_wrong(seen, "supervisor_missing",
              list(missing) + (missing.size() == 1 ? " is missing; " : " are missing; ") +
                  (names.empty() ? "no supervisor is running" : "running: " + list(names)));
  }
  std::vector<std::string> paused;
  for (const SupervisorFacts& supervisor : facts.supervisors) {
    const bool by_master = std::any_of(facts.masters.begin(), facts.masters.end(), [&](const MasterFacts& master) {
      return master.paused() && master.name == supervisor.master();
    });
    if (supervisor.status == "paused" && !by_master) paused.push_back(supervisor.short_name());
  }
  if (!paused.empty()) {
    say_wrong(seen, "supervisor_paused", list(paused) + (paused.size() == 1 ? " is paused" : " are paused"),
              "run: php artisan horizon:continue-supervisor " + foreign_text(paused.front()));
  }
}

std::int64_t processes_of(const Facts& facts, const std::string* queue) {
  std::int64_t sum = 0;
  for (const SupervisorFacts& supervisor : facts.supervisors) {
    for (const Pool& pool : supervisor.pools) {
      const bool serves =
          queue == nullptr || std::find(pool.queues.begin(), pool.queues.end(), *queue) != pool.queues.end();
      if (serves) sum += pool.processes;
    }
  }
  return sum;
}

std::int64_t pending(const Facts& facts) {
  std::int64_t sum = 0;
  for (const QueueFacts& queue : facts.queues) sum += queue.lengths.pending;
  return sum;
}

void add(Observation& seen, const char* name, double value, const std::string& queue = "") {
  Sample sample{.name = name, .value = value};
  if (!queue.empty()) sample.labels = {{"queue", queue}};
  seen.samples.push_back(std::move(sample));
}

void add_samples(const Facts& facts, Observation& seen) {
  add(seen, "masters", static_cast<double>(alive(facts).size()));
  add(seen, "supervisors", static_cast<double>(facts.supervisors.size()));
  add(seen, "processes", static_cast<double>(processes_of(facts, nullptr)));
  if (facts.snapshot_at) add(seen, "snapshot_age", std::max(0.0, facts.now - *facts.snapshot_at));
  for (const QueueFacts& queue : facts.queues) {
    add(seen, "pending", static_cast<double>(queue.lengths.pending), queue.name);
    add(seen, "delayed", static_cast<double>(queue.lengths.delayed), queue.name);
    add(seen, "reserved", static_cast<double>(queue.lengths.reserved), queue.name);
    const std::int64_t processes = processes_of(facts, &queue.name);
    const double jobs = static_cast<double>(queue.lengths.pending);
    if (jobs == 0) add(seen, "wait", 0, queue.name);
    if (jobs > 0 && processes > 0 && queue.runtime_ms) {
      add(seen, "wait", jobs * std::max(0.0, *queue.runtime_ms) / 1000 / static_cast<double>(processes), queue.name);
    }
  }
}

void add_failed(const FailedFacts& failed, Observation& seen) {
  if (!failed.fresh) return;
  add(seen, "failed", static_cast<double>(*failed.fresh));
  if (*failed.fresh == 0) return;
  seen.summary = say_count(*failed.fresh, "job") + " failed since the last run; " + seen.summary;
  for (const std::string& name : failed.names) seen.evidence.push_back({"failed job", name});
}

std::string say_running(const Facts& facts) {
  std::string text =
      "Horizon is running: " + say_count(static_cast<std::int64_t>(facts.supervisors.size()), "supervisor") + ", " +
      std::to_string(processes_of(facts, nullptr)) + (processes_of(facts, nullptr) == 1 ? " process" : " processes");
  const std::int64_t jobs = pending(facts);
  if (jobs > 0) text += "; " + say_count(jobs, "job") + (jobs == 1 ? " waits" : " wait");
  return text;
}

}  // namespace

std::optional<std::string> parse_memory(std::string_view text, std::string_view of) {
  if (text.empty()) return std::nullopt;
  std::string newest;
  try {
    const auto parsed = nlohmann::json::parse(text);
    if (parsed.at("v").get<int>() != memory_version || parsed.at("of").get<std::string>() != of) return std::nullopt;
    newest = parsed.at("failed").get<std::string>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // as at the first run
  }
  if (!newest.empty() && !parse_number(newest)) return std::nullopt;
  return newest;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  seen.memory =
      nlohmann::json{{"v", memory_version}, {"of", config.memory_of()}, {"failed", facts.failed.newest}}.dump();
  seen.evidence.push_back({"address", facts.peer});
  add_samples(facts, seen);
  judge_inactive(config, facts, seen);
  judge_paused(config, facts, seen);
  judge_supervisors(config, facts, seen);
  if (pending(facts) > 0 && processes_of(facts, nullptr) == 0) {
    const std::int64_t jobs = pending(facts);
    say_wrong(seen, "no_processes",
              say_count(jobs, "job") + (jobs == 1 ? " waits" : " wait") + ", and Horizon has no worker process");
  }
  if (seen.outcome == Outcome::answered) seen.summary = say_running(facts);
  add_failed(facts.failed, seen);
  return seen;
}

}  // namespace vitald::probes::horizon
