#include <algorithm>
#include <map>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/group_memory.hpp"
#include "probes/numbers.hpp"
#include "probes/pm2.hpp"

namespace vitald::probes::pm2 {
namespace {

constexpr std::size_t most_evidence = 10;

struct App {
  std::string name;  // fit for a message
  std::vector<const Process*> processes;
  Group group;
  std::size_t online = 0;
  double restarts = 0;  // the counter
  std::string worst;    // reason, where all of it is down
};

/// A script that runs at its times, or ran once, and ended well.
bool is_finished(const Process& process) {
  return process.status == "stopped" && process.exit_code.value_or(0) == 0 &&
         (process.scheduled || !process.autorestart);
}

/// With a restart_delay, an app that used up its restarts stays at "waiting restart" for good.
bool has_given_up(const Process& process) {
  return process.status == "errored" || (process.status == "waiting restart" && process.gave_up);
}

std::string with_exit_code(std::string words, const Process& process) {
  if (process.exit_code) words += ", exit code " + say_number(*process.exit_code);
  return words;
}

/// What it is instead of online, and the reason; "" where nothing is to be said against it.
std::pair<std::string, std::string> trouble_of(const Process& process, Duration lasts, Duration grace) {
  if (process.status == "online" || is_finished(process)) return {};
  if (has_given_up(process)) {
    const std::string after = process.restarts > 0 ? " after " + say_count(process.restarts, "restart") : "";
    return {with_exit_code("errored" + after, process), "errored"};
  }
  if (process.status == "stopped")
    return {process.exit_code.value_or(0) == 0 ? "stopped" : with_exit_code("stopped", process), "stopped"};
  if (lasts <= grace) return {};
  const std::string state = process.status == "waiting restart" ? "waiting for its restart" : process.status;
  return {with_exit_code(foreign_text(state) + " for " + say_duration(lasts), process), "not_online"};
}

void add_missing_instances(const Config& config, App& app) {
  const auto wanted = static_cast<std::size_t>(config.instances.value_or(0));
  if (app.group.size >= wanted) return;
  const std::size_t missing = wanted - app.group.size;
  for (std::size_t i = 0; i < missing; ++i) app.group.down.push_back({"an instance", "missing"});
  app.group.size = wanted;
  if (app.group.all_down() && app.worst.empty()) app.worst = "not_online";
}

/// Since the last run. A count that fell was set to 0 in between; one of an instance that is new began at 0.
double restarted(const Process& process, const GroupMemory::Member& note) {
  const double before = note.generation.value_or(0);
  return process.restarts >= before ? process.restarts - before : process.restarts;
}

void look_at(const Config& config, GroupMemory& memory, App& app) {
  const bool several = app.processes.size() > 1;
  double most = 0, added = 0;
  for (const Process* process : app.processes) {
    const auto note =
        memory.note(std::to_string(process->id) + ":" + process->name, process->status, process->restarts);
    most = std::max(most, process->restarts);
    added = std::max(added, restarted(*process, note));
    if (process->status == "online") app.online += 1;
    if (!is_finished(*process)) app.group.size += 1;
    auto [state, reason] = trouble_of(*process, note.lasts, config.grace);
    if (state.empty()) continue;
    const std::string name = several ? app.name + " (id " + std::to_string(process->id) + ")" : app.name;
    app.group.down.push_back({name, std::move(state)});
    if (app.worst.empty() || reason == "errored") app.worst = reason;
  }
  app.restarts = memory.count(app.processes.front()->name, most, added);
  app.group.name = app.name;
  add_missing_instances(config, app);
}

std::vector<App> apps_of(const Config& config, const Facts& facts, GroupMemory& memory) {
  std::vector<App> apps;
  std::map<std::string, std::size_t> places;
  for (const Process& process : facts.processes) {
    const auto [place, fresh] = places.try_emplace(process.name, apps.size());
    if (fresh) {
      apps.emplace_back();
      apps.back().name = foreign_text(process.name);
    }
    apps[place->second].processes.push_back(&process);
  }
  for (App& app : apps) look_at(config, memory, app);
  return apps;
}

/// Of those that are online: a dead one's figures are those of its last run, or 0.
void add_figures(const App& app, Wall now, const Labels& labels, std::vector<Sample>& samples) {
  const Process* biggest = nullptr;
  double cpu = 0, unstable = 0;
  Duration uptime = Duration::max();
  for (const Process* process : app.processes) {
    unstable = std::max(unstable, process->unstable_restarts);
    if (process->status != "online") continue;
    if (biggest == nullptr || process->memory > biggest->memory) biggest = process;
    cpu = std::max(cpu, process->cpu);
    uptime = std::min(uptime, std::max(now - process->started(), Duration::zero()));
  }
  samples.push_back({.name = "unstable_restarts", .value = unstable, .labels = labels});
  if (biggest == nullptr) return;
  const double seconds = std::chrono::duration<double>(uptime).count();
  samples.push_back({.name = "uptime", .value = seconds, .labels = labels});
  samples.push_back({.name = "memory", .value = biggest->memory, .maximum = biggest->most_memory, .labels = labels});
  samples.push_back({.name = "cpu", .value = cpu, .labels = labels});
}

void add_samples(const Config& config, const Facts& facts, const App& app, Observation& seen) {
  Labels labels;
  if (!config.single()) labels.emplace_back("app", app.name);
  seen.samples.push_back(not_running(app.group, labels));
  seen.samples.push_back({.name = "online",
                          .value = static_cast<double>(app.online),
                          .maximum = static_cast<double>(app.group.size),
                          .labels = labels});
  seen.samples.push_back({.name = "restarts", .value = app.restarts, .labels = labels});
  add_figures(app, facts.now, labels, seen.samples);
}

std::string named(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + foreign_text(name);
  return text.empty() ? "it has none" : "it has " + text;
}

std::string home_of(const Facts& facts) { return facts.socket.substr(0, facts.socket.rfind('/')); }

/// What was asked for and is not there.
void add_missing_apps(const Config& config, const Facts& facts, const std::vector<App>& apps, Faults& faults) {
  const std::string remedy = "run as pm2's user: pm2 resurrect, or start it: pm2 start";
  for (const std::string& wanted : config.apps) {
    Config one;
    one.apps = {wanted};
    const bool there = std::any_of(facts.processes.begin(), facts.processes.end(),
                                   [&](const Process& process) { return is_meant(one, process.name); });
    if (there) continue;
    std::vector<std::string> others = facts.others;
    for (const App& app : apps) others.push_back(app.name);
    faults.push_back(wrong("app_missing", wanted + " is not in pm2: " + named(others), remedy));
  }
  if (config.apps.empty() && apps.empty())
    faults.push_back(wrong("no_apps", "pm2 runs, but there is no app in it: " + home_of(facts), remedy));
}

void add_down_apps(const std::vector<App>& apps, std::string_view reason, Faults& faults) {
  for (const App& app : apps) {
    if (!app.group.all_down() || app.worst != reason) continue;
    const std::string name = app.name.find(' ') == std::string::npos ? app.name : "'" + app.name + "'";
    faults.push_back(wrong(app.worst, say_down(app.group),
                           "see: pm2 logs " + name + " --err --lines 100; then, as pm2's user: pm2 restart " + name));
  }
}

std::string say_one(const App& app, Wall now) {
  if (app.group.size == 0) return app.name + " has run and ended well";
  if (app.online == 0) return app.name + " is " + foreign_text(app.processes.front()->status);
  if (app.processes.size() > 1 || app.group.size > 1)
    return std::to_string(app.online) + " of " + std::to_string(app.group.size) + " instances online";
  const Process& process = *app.processes.front();
  return "online for " + say_duration(std::max(now - process.started(), Duration::zero())) + ", " +
         say_bytes(process.memory) + ", " + say_count(process.restarts, "restart") + " in all";
}

std::string say_all(const std::vector<App>& apps) {
  std::size_t online = 0, size = 0;
  for (const App& app : apps) {
    online += app.online;
    size += app.group.size;
  }
  return say_count(static_cast<std::int64_t>(apps.size()), "app") + ", " + std::to_string(online) + " of " +
         say_count(static_cast<std::int64_t>(size), "instance") + " online";
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  GroupMemory memory(facts.memory, facts.now);
  const std::vector<App> apps = apps_of(config, facts, memory);
  for (const App& app : apps) add_samples(config, facts, app, seen);
  seen.evidence.push_back({"pm2", foreign_text(home_of(facts))});
  seen.summary = config.single() && apps.size() == 1 ? say_one(apps.front(), facts.now) : say_all(apps);

  Faults faults;
  add_missing_apps(config, facts, apps, faults);
  for (const auto* reason : {"errored", "stopped", "not_online"}) add_down_apps(apps, reason, faults);
  blame(faults, seen, most_evidence / 2);
  for (const App& app : apps) {
    const bool partly = !app.group.down.empty() && !app.group.all_down();
    if (partly && seen.evidence.size() < most_evidence) seen.evidence.push_back({app.name, say_down(app.group)});
  }
  for (const Log& log : facts.logs)
    if (!log.lines.empty()) seen.evidence.push_back({"error log of " + foreign_text(log.app), log.lines});
  seen.memory = memory.written();
  return seen;
}

}  // namespace vitald::probes::pm2
