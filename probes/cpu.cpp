#include "probes/cpu.hpp"

#include <algorithm>

#include "config/units.hpp"
#include "probes/numbers.hpp"
#include "probes/proc_text.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes::cpu {
namespace {

constexpr std::size_t idle = 3, iowait = 4, steal = 7;

double seconds_of(Steady at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

// A walk through all processes costs more than the rest of the run, so it waits until somebody may want to know.
constexpr double worth_a_walk = 0.6;
constexpr std::size_t most_remembered = 1000, most_shown = 5;

std::string remember(const Facts& facts) {
  Remembered next;
  next.set("at", facts.at);
  const std::size_t kept = std::min(facts.processes.size(), most_remembered);
  for (std::size_t i = 0; i < kept; ++i) next.set(process_key(facts.processes[i]), facts.processes[i].cpu);
  for (std::size_t i = 0; i < Ticks::names.size(); ++i) next.set(Ticks::names[i], facts.ticks.each[i]);
  if (facts.group) {
    next.set("group_used", facts.group->used);
    next.set("group_periods", facts.group->periods);
    next.set("group_held_back", facts.group->held_back);
  }
  return next.written();
}

/// Ticks since the last run; nothing at the first one, after a reboot, and when no tick has passed.
std::optional<Ticks> growth(const Ticks& now, const Remembered& before) {
  Ticks grown;
  double all = 0;
  for (std::size_t i = 0; i < Ticks::names.size(); ++i) {
    const auto then = before.number(Ticks::names[i]);
    if (!then) return std::nullopt;
    const double more = now.each[i] - *then;
    // The kernel takes back a part of iowait, and of idle, where it attributed them to a CPU by mistake (proc(5)).
    const bool may_shrink = i == idle || i == iowait;
    if (more < 0 && !may_shrink) return std::nullopt;
    grown.each[i] = std::max(more, 0.0);
    all += grown.each[i];
  }
  if (all <= 0) return std::nullopt;
  for (double& each : grown.each) each /= all;
  return grown;
}

double busy_of(const Ticks& share) { return std::clamp(1 - share.each[idle] - share.each[iowait], 0.0, 1.0); }

void judge_host(const Ticks& share, const Facts& facts, Observation& seen) {
  const double user = share.each[0] + share.each[1];
  const double system = share.each[2] + share.each[5] + share.each[6];
  const double busy = busy_of(share), waited = share.each[iowait], stolen = share.each[steal];
  seen.samples.push_back({.name = "busy", .value = busy});
  seen.samples.push_back({.name = "user", .value = user});
  seen.samples.push_back({.name = "system", .value = system});
  seen.samples.push_back({.name = "iowait", .value = waited});
  seen.samples.push_back({.name = "steal", .value = stolen});
  seen.summary = say_ratio(busy) + " busy, " + say_count(static_cast<std::int64_t>(facts.cores), "core");
  seen.evidence.push_back({"cpu", "programs " + say_ratio(user) + ", kernel " + say_ratio(system) +
                                      ", idle while waiting for disks " + say_ratio(waited) +
                                      ", taken by the hypervisor " + say_ratio(stolen)});
}

/// What the quota's group did since the last run; nothing at the first one, and in another container.
struct GroupShare {
  double busy = 0;
  std::optional<double> throttled = {};
};
std::optional<GroupShare> growth(const CpuGroup& group, double now, const Remembered& before) {
  const auto at = before.number("at"), used = before.number("group_used");
  const auto periods = before.number("group_periods"), held_back = before.number("group_held_back");
  if (!at || !used || !periods || !held_back) return std::nullopt;
  const bool began_anew = group.used < *used || group.periods < *periods || group.held_back < *held_back;
  if (now <= *at || began_anew) return std::nullopt;
  GroupShare share{.busy = std::clamp((group.used - *used) / ((now - *at) * group.cores), 0.0, 1.0)};
  if (group.periods > *periods) {
    share.throttled = std::min((group.held_back - *held_back) / (group.periods - *periods), 1.0);
  }
  return share;
}

void judge_container(const GroupShare& share, const CpuGroup& group, Observation& seen) {
  seen.samples.push_back({.name = "busy", .value = share.busy});
  seen.summary = say_ratio(share.busy) + " of this container's quota of " + say_count(group.cores, "core") + " in use";
  if (share.throttled) {
    seen.samples.push_back({.name = "throttled", .value = *share.throttled});
    seen.summary += ", held back in " + say_ratio(*share.throttled) + " of the time slices";
  }
  seen.evidence.push_back({"cpu", seen.summary});
}

bool is_worth_a_walk(const Facts& facts) {
  const auto before = Remembered::read(facts.before);
  if (facts.group) {
    const auto share = growth(*facts.group, facts.at, before);
    return share && (share->busy >= worth_a_walk || share->throttled.value_or(0) > 0);
  }
  const auto share = growth(facts.ticks, before);
  return share && busy_of(*share) >= worth_a_walk;
}

/// Who used most since the last run, where that one looked as well.
void name_busiest(const Facts& facts, const Remembered& before, Observation& seen) {
  const double passed = facts.at - before.number("at").value_or(facts.at);
  const bool complete = facts.processes.size() <= most_remembered;
  std::vector<std::pair<double, const ProcessStat*>> used;
  bool looked = false;
  for (const ProcessStat& each : facts.processes) {
    const auto then = before.number(process_key(each));
    if (then) looked = true;
    if (then || complete) used.emplace_back(each.cpu - then.value_or(0), &each);
  }
  if (!looked || passed <= 0) return;
  std::sort(used.begin(), used.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::string text;
  for (std::size_t i = 0; i < std::min(used.size(), most_shown) && used[i].first > 0; ++i) {
    text += (i == 0 ? "" : "\n") + say_ratio(used[i].first / passed) + " of a core " + used[i].second->name + " (pid " +
            std::to_string(used[i].second->pid) + ")";
  }
  if (!text.empty()) seen.evidence.push_back({"busiest processes", text});
}

}  // namespace

Config parse(config::Reader&) { return {}; }

Ticks parse_stat(std::string_view text) {
  const auto words = words_of(take_line(text));
  Ticks ticks;
  const bool whole = words.size() > ticks.each.size() && words[0] == "cpu";
  for (std::size_t i = 0; whole && i < ticks.each.size(); ++i) {
    const auto count = leading_count(words[i + 1]);
    if (!count) break;
    ticks.each[i] = static_cast<double>(*count);
    if (i + 1 == ticks.each.size()) return ticks;
  }
  throw ProbeFailure(Outcome::unmeasured, "bad_stat", "/proc/stat does not begin with the ticks of all CPUs");
}

awaitable<Facts> run(ProbeContext& context, const Config&) {
  Facts facts{.ticks = parse_stat(context.host.read("/proc/stat")), .cores = count_cores(context.host)};
  facts.group = cpu_group(context.host);
  facts.at = seconds_of(context.clock.now().steady);
  facts.before = std::string(context.memory);
  if (is_worth_a_walk(facts)) {
    auto found = co_await glance_at_processes(context);
    facts.processes = std::move(found.all);
  }
  co_return facts;
}

Observation judge(const Config&, const Facts& facts) {
  Observation seen;
  const auto before = Remembered::read(facts.before);
  const double cores = facts.group ? facts.group->cores : static_cast<double>(facts.cores);
  seen.memory = remember(facts);
  seen.summary = say_count(cores, "core") + "; the next run tells how busy";
  if (facts.group) {
    const auto share = growth(*facts.group, facts.at, before);
    if (share) judge_container(*share, *facts.group, seen);
  } else if (const auto share = growth(facts.ticks, before)) {
    judge_host(*share, facts, seen);
  }
  name_busiest(facts, before, seen);
  seen.samples.push_back({.name = "cores", .value = cores});
  return seen;
}

}  // namespace vitald::probes::cpu
