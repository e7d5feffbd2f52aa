#include <algorithm>
#include <array>
#include <map>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/group_memory.hpp"
#include "probes/numbers.hpp"
#include "probes/supervisor.hpp"

namespace vitald::probes::supervisor {
namespace {

constexpr std::size_t most_evidence = 10;

// The worst first.
constexpr std::array reasons = {"fatal", "backoff", "exited", "stopped", "not_running"};

struct Block {
  std::string name;  // of the group, as sent
  std::vector<const Program*> programs;
  Group group;
  std::size_t running = 0;
  double restarts = 0;                 // the counter
  std::size_t worst = reasons.size();  // of those that are down
};

std::string with_spawn_error(std::string state, const Program& program) {
  return program.spawn_error.empty() ? state : state + ": " + program.spawn_error;
}

struct Trouble {
  std::string state;  // what it is instead of running; "": nothing is to be said against it
  std::size_t reason = reasons.size();
};

Trouble trouble_of(const Program& program, Duration lasts, Duration grace) {
  if (program.is(State::running)) return {};
  if (program.is(State::fatal)) return {with_spawn_error("FATAL", program), 0};
  if (program.is(State::backoff)) return {with_spawn_error("BACKOFF", program), 1};
  if (program.is(State::exited)) return {"EXITED with status " + std::to_string(program.exit_status), 2};
  if (program.is(State::stopped)) return {program.start > 0 ? "STOPPED" : "STOPPED, never started", 3};
  if (lasts <= grace) return {};
  const std::string word = program.is(State::starting)   ? "STARTING"
                           : program.is(State::stopping) ? "STOPPING"
                                                         : "UNKNOWN";
  return {word + " for " + say_duration(lasts), 4};
}

void look_at(const Config& config, GroupMemory& memory, Block& block) {
  bool restarted = false;
  for (const Program* program : block.programs) {
    const std::string name = program->full_name();
    const auto note = memory.note(name, std::to_string(program->state), program->start);
    restarted = restarted || (note.generation && *note.generation > 0 && program->start > *note.generation);
    if (!is_wanted(config, *program)) continue;
    block.group.size += 1;
    if (program->is(State::running)) block.running += 1;
    auto trouble = trouble_of(*program, note.lasts, config.grace);
    if (trouble.state.empty()) continue;
    block.group.down.push_back({foreign_text(program->full_name()), std::move(trouble.state)});
    block.worst = std::min(block.worst, trouble.reason);
  }
  block.group.name = foreign_text(block.name);
  block.restarts = memory.count(block.name, 0, restarted ? 1 : 0);
}

std::vector<Block> blocks_of(const Config& config, const Facts& facts, GroupMemory& memory) {
  std::vector<Block> blocks;
  std::map<std::string, std::size_t> places;
  for (const Program& program : facts.programs) {
    const auto [place, fresh] = places.try_emplace(program.group, blocks.size());
    if (fresh) {
      blocks.emplace_back();
      blocks.back().name = program.group;
    }
    blocks[place->second].programs.push_back(&program);
  }
  for (Block& block : blocks) look_at(config, memory, block);
  return blocks;
}

Duration uptime_of(const Program& program) { return length_of(std::max(program.now - program.start, 0.0)); }

/// Of the process that started last; nothing where none runs.
std::optional<Duration> uptime_of(const Block& block) {
  std::optional<Duration> least;
  for (const Program* program : block.programs) {
    if (!program->is(State::running)) continue;
    least = std::min(least.value_or(Duration::max()), uptime_of(*program));
  }
  return least;
}

void add_samples(const Config& config, const Block& block, std::vector<Sample>& samples) {
  Labels labels;
  if (!config.single()) labels.emplace_back("group", block.group.name);
  samples.push_back(not_running(block.group, labels));
  samples.push_back({.name = "running",
                     .value = static_cast<double>(block.running),
                     .maximum = static_cast<double>(block.group.size),
                     .labels = labels});
  samples.push_back({.name = "restarts", .value = block.restarts, .labels = labels});
  const auto uptime = uptime_of(block);
  if (!uptime) return;
  const double seconds = std::chrono::duration<double>(*uptime).count();
  samples.push_back({.name = "uptime", .value = seconds, .labels = labels});
}

void add_missing(const Config& config, const Facts& facts, Faults& faults) {
  std::string there;
  for (const std::string& group : facts.others) there += (there.empty() ? "" : ", ") + foreign_text(group);
  if (there.empty()) there = "no others";
  for (const std::string& wanted : config.programs) {
    Config one;
    one.programs = {wanted};
    const bool found = std::any_of(facts.programs.begin(), facts.programs.end(),
                                   [&](const Program& program) { return is_meant(one, program); });
    if (found) continue;
    faults.push_back(wrong("program_missing", "supervisord has no program " + wanted + "; it has " + there,
                           "after a change of its configuration run: supervisorctl reread && supervisorctl update"));
  }
  if (config.programs.empty() && facts.programs.empty())
    faults.push_back(wrong("no_programs", "supervisord runs, but has no programs",
                           "see [include] in supervisord.conf, then run: supervisorctl update"));
}

void add_down(const std::vector<Block>& blocks, Faults& faults) {
  for (std::size_t reason = 0; reason < reasons.size(); ++reason) {
    for (const Block& block : blocks) {
      if (!block.group.all_down() || block.worst != reason) continue;
      const std::string all = block.group.size > 1 ? block.group.name + ":*" : block.group.down.front().name;
      const std::string first = block.group.down.front().name;
      faults.push_back(wrong(reasons[reason], say_down(block.group),
                             "see: supervisorctl tail " + first + " stderr; then: supervisorctl restart " + all));
    }
  }
}

std::string say_well(const std::vector<Block>& blocks) {
  std::size_t running = 0, size = 0;
  for (const Block& block : blocks) {
    running += block.running;
    size += block.group.size;
  }
  std::string text =
      std::to_string(running) + " of " + say_count(static_cast<std::int64_t>(size), "program") + " running";
  const auto uptime = blocks.size() == 1 ? uptime_of(blocks.front()) : std::nullopt;
  if (uptime) text += ", the last started " + say_duration(*uptime) + " ago";
  return text;
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  GroupMemory memory(facts.memory, facts.now);
  const auto blocks = blocks_of(config, facts, memory);
  for (const Block& block : blocks)
    if (block.group.size > 0) add_samples(config, block, seen.samples);
  seen.summary = say_well(blocks);

  Faults faults;
  add_missing(config, facts, faults);
  add_down(blocks, faults);
  blame(faults, seen, most_evidence / 2);
  for (const Block& block : blocks) {
    const bool partly = !block.group.down.empty() && !block.group.all_down();
    if (partly && seen.evidence.size() < most_evidence)
      seen.evidence.push_back({block.group.name, say_down(block.group)});
  }
  for (const Log& log : facts.logs)
    if (!log.lines.empty()) seen.evidence.push_back({"output of " + foreign_text(log.program), log.lines});
  seen.memory = memory.written();
  return seen;
}

}  // namespace vitald::probes::supervisor
