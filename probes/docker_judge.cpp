#include <algorithm>

#include "config/units.hpp"
#include "probes/docker.hpp"
#include "probes/docker_memory.hpp"
#include "probes/docker_trouble.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/tail.hpp"

namespace vitald::probes::docker {
namespace {

constexpr std::size_t most_faults = 4;
constexpr std::size_t most_lines = 11;  // of the list of containers; a twelfth counts the rest
constexpr std::size_t most_details = 3;

struct Row {
  const Seen* seen;
  std::optional<Trouble> trouble, image;
};

/// Everything that the samples and the verdict are made of.
struct Table {
  std::vector<Row> rows;  // what should run: in trouble first
  std::vector<Trouble> down, unhealthy, wrong_image;
  std::size_t running = 0, healthy = 0;
};

Table tabulate(const Config& config, const Facts& facts) {
  Table table;
  for (const Seen& seen : facts.seen) {
    if (seen.ended_well) continue;
    Row row{&seen, trouble_of(config, seen, facts.now), image_trouble_of(config, seen)};
    if (row.image) table.wrong_image.push_back(*row.image);
    if (row.trouble) (row.trouble->runs ? table.unhealthy : table.down).push_back(*row.trouble);
    if (seen.container && seen.container->runs()) table.running += 1;
    if (seen.container && seen.container->health == "healthy") table.healthy += 1;
    table.rows.push_back(std::move(row));
  }
  std::stable_sort(table.rows.begin(), table.rows.end(), [](const Row& a, const Row& b) {
    const auto weight = [](const Row& row) { return !row.trouble ? 2 : row.trouble->runs ? 1 : 0; };
    return weight(a) < weight(b);
  });
  return table;
}

std::string say_running(const Config& config, const Table& table) {
  const std::string whole =
      std::to_string(table.running) + " of " + say_count(static_cast<double>(table.rows.size()), "container");
  std::string words =
      whole + (config.of_project() ? " of " + config.project : "") + (table.rows.size() == 1 ? " runs" : " run");
  if (table.healthy > 0) words += ", " + std::to_string(table.healthy) + " healthy";
  return words;
}

/// The first trouble, and how many more.
std::string say(const std::vector<Trouble>& troubles) {
  if (troubles.empty()) return "";
  std::string words = troubles.front().words;
  if (troubles.size() > 1) words += ", and " + std::to_string(troubles.size() - 1) + " more";
  return words;
}

void count(Observation& seen, const char* name, const std::vector<Trouble>& troubles, const std::string& context) {
  seen.samples.push_back({.name = name,
                          .value = static_cast<double>(troubles.size()),
                          .says = troubles.empty() ? "" : say(troubles) + context});
}

void measure(const Seen& seen, Wall now, Memory& memory, Observation& into) {
  const Container& container = *seen.container;
  const Labels labels{{"container", foreign_text(seen.name, 100)}};
  const auto add = [&](const char* name, double value, std::optional<double> maximum = std::nullopt) {
    into.samples.push_back({.name = name, .value = value, .maximum = maximum, .labels = labels});
  };
  const auto limit = [](double value) { return value > 0 ? std::optional(value) : std::nullopt; };
  add("restarts", memory.count_starts(container));
  if (!container.runs()) return;
  const Statistics& statistics = seen.statistics;
  if (statistics.memory) add("memory", *statistics.memory, limit(container.memory_limit));
  if (statistics.cpu_seconds) {
    const auto cores = memory.cores(container, *statistics.cpu_seconds, now);
    if (cores) add("cpu", *cores, limit(container.cpu_limit));
  }
  if (statistics.processes) add("processes", *statistics.processes);
  if (container.started && *container.started <= now)
    add("uptime", std::chrono::duration<double>(now - *container.started).count());
}

std::string line_of(const Config& config, const Row& row, Wall now) {
  std::string line = say(config, *row.seen, now);
  if (row.seen->container) line += "; " + foreign_text(row.seen->container->image, 80);
  return line;
}

void show(const Config& config, const Facts& facts, const Table& table, Observation& seen) {
  if (!facts.peer.empty()) seen.evidence.push_back({"engine", facts.peer});
  std::string list;
  for (std::size_t i = 0; i < std::min(table.rows.size(), most_lines); ++i)
    list += (i == 0 ? "" : "\n") + line_of(config, table.rows[i], facts.now);
  if (table.rows.size() > most_lines) list += "\nand " + std::to_string(table.rows.size() - most_lines) + " more";
  if (!list.empty()) seen.evidence.push_back({"containers", list});
  if (facts.left_out > 0)
    seen.evidence.push_back({"not looked at", say_count(static_cast<double>(facts.left_out), "container") +
                                                  " beyond the first " + std::to_string(most_containers)});
  std::size_t details = 0;
  for (const Row& row : table.rows) {
    if (!row.trouble || !row.seen->container || details == most_details) continue;
    const Container& container = *row.seen->container;
    const std::string name = foreign_text(row.seen->name, 60);
    if (row.trouble->runs && !container.health_output.empty()) {
      seen.evidence.push_back({name + " health check", "exit code " + std::to_string(container.health_exit_code) +
                                                           ": " + foreign_text(container.health_output, 300)});
    }
    if (!row.seen->log.empty()) seen.evidence.push_back({name + " log", row.seen->log});
    details += 1;
  }
  for (const std::string& unasked : facts.unasked) seen.evidence.push_back({"not measured", unasked});
}

ProbeFailure fault_of(const Trouble& trouble) { return wrong(trouble.reason, trouble.words, trouble.remedy); }

/// A named container in any trouble is a fault; of a project only that nothing runs is, since the rest has limits.
Faults faults_of(const Config& config, const Table& table) {
  Faults faults;
  if (!config.of_project()) {
    for (const auto* troubles : {&table.down, &table.unhealthy, &table.wrong_image})
      for (const Trouble& trouble : *troubles) faults.push_back(fault_of(trouble));
    return faults;
  }
  if (table.rows.empty())
    faults.push_back(wrong("project_missing", "there is no container of the compose project " + config.project,
                           "run in its folder: docker compose up -d; or see its name: docker compose ls --all"));
  if (!table.rows.empty() && table.down.size() == table.rows.size())
    faults.push_back(wrong("project_down",
                           "nothing of the compose project " + config.project + " runs: " + say(table.down),
                           table.down.front().remedy));
  return faults;
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  const Table table = tabulate(config, facts);
  const std::string running = say_running(config, table);
  const bool one = table.rows.size() == 1 && !config.of_project();
  seen.summary = one ? say(config, *table.rows.front().seen, facts.now) : running;
  show(config, facts, table, seen);

  const std::string context = table.rows.size() > 1 ? "; " + running : "";
  seen.samples.push_back({.name = "running",
                          .value = static_cast<double>(table.running),
                          .maximum = static_cast<double>(table.rows.size())});
  count(seen, "not_running", table.down, context);
  count(seen, "unhealthy", table.unhealthy, context);
  count(seen, "wrong_image", table.wrong_image, "");
  Memory memory(facts.memory);
  for (const Seen& each : facts.seen) {
    if (each.container) {
      measure(each, facts.now, memory, seen);
    } else {
      memory.keep(each.name);
    }
  }
  seen.memory = memory.written();
  blame(faults_of(config, table), seen, most_faults);
  return seen;
}

}  // namespace vitald::probes::docker
