#include "probes/load.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "config/units.hpp"
#include "probes/numbers.hpp"
#include "probes/proc_text.hpp"
#include "probes/processes.hpp"

namespace vitald::probes::load {
namespace {

constexpr double worth_a_walk = 1.5;  // of load for each core
constexpr std::size_t most_shown = 8;

/// "mysqld 12 times", one line for each name, the most frequent first; "" for none.
std::string say_waiting(const std::vector<ProcessStat>& processes) {
  std::map<std::string, int> counts;
  for (const ProcessStat& each : processes) {
    if (each.state == 'D') counts[each.name] += 1;
  }
  std::vector<std::pair<int, std::string>> sorted;
  for (const auto& [name, count] : counts) sorted.emplace_back(-count, name);
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (std::size_t i = 0; i < std::min(sorted.size(), most_shown); ++i) {
    text += (i == 0 ? "" : "\n") + sorted[i].second +
            (sorted[i].first == -1 ? "" : " " + std::to_string(-sorted[i].first) + " times");
  }
  return text;
}

}  // namespace

Config parse(config::Reader&) { return {}; }

Facts parse_loadavg(std::string_view text) {
  // 1.48 2.03 1.48 3/502 29200
  const auto words = words_of(text);
  Facts facts;
  bool whole = words.size() >= 4;
  for (std::size_t i = 0; whole && i < facts.averages.size(); ++i) {
    const auto average = to_number(words[i]);
    whole = average.has_value();
    facts.averages[i] = average.value_or(0);
  }
  const std::size_t slash = whole ? words[3].find('/') : std::string_view::npos;
  if (slash == std::string_view::npos) {
    throw ProbeFailure(Outcome::unmeasured, "bad_loadavg", "/proc/loadavg does not say what it should");
  }
  facts.runnable = static_cast<double>(leading_count(words[3]).value_or(0));
  facts.threads = static_cast<double>(leading_count(words[3].substr(slash + 1)).value_or(0));
  return facts;
}

awaitable<Facts> run(ProbeContext& context, const Config&) {
  Facts facts = parse_loadavg(context.host.read("/proc/loadavg"));
  facts.cores = count_cores(context.host);
  const std::string stat = read_if_there(context.host, "/proc/stat").value_or("");
  facts.blocked = static_cast<double>(counted(stat, "procs_blocked ").value_or(0));
  if (facts.averages[0] >= worth_a_walk * static_cast<double>(facts.cores)) {
    const auto found = co_await glance_at_processes(context);
    facts.waiting = say_waiting(found.all);
  }
  co_return facts;
}

Observation judge(const Config&, const Facts& facts) {
  constexpr std::array names = {"1m", "5m", "15m"};
  Observation seen;
  const double cores = static_cast<double>(facts.cores);
  seen.summary = "load " + say_number(facts.averages[0]) + ", " + say_number(facts.averages[1]) + ", " +
                 say_number(facts.averages[2]) + " on " + say_count(static_cast<std::int64_t>(facts.cores), "core");
  for (std::size_t i = 0; i < names.size(); ++i) {
    seen.samples.push_back({.name = std::string("load_") + names[i], .value = facts.averages[i], .says = seen.summary});
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    seen.samples.push_back(
        {.name = std::string("per_core_") + names[i], .value = facts.averages[i] / cores, .says = seen.summary});
  }
  seen.samples.push_back({.name = "blocked", .value = facts.blocked});
  seen.samples.push_back({.name = "threads", .value = facts.threads});
  seen.evidence.push_back({"threads", say_number(facts.runnable) + " run or wait for a CPU, " +
                                          say_number(facts.blocked) + " wait for a disk, " + say_number(facts.threads) +
                                          " in all"});
  if (!facts.waiting.empty()) seen.evidence.push_back({"waiting for a disk", facts.waiting});
  return seen;
}

}  // namespace vitald::probes::load
