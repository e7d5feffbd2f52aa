#include "probes/oom.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "config/units.hpp"
#include "probes/control_group.hpp"
#include "probes/faults.hpp"
#include "probes/numbers.hpp"
#include "probes/proc_text.hpp"
#include "probes/remembered.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::oom {
namespace {

constexpr std::size_t most_named = 5;

std::string processes(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " process was" : " processes were") + " killed for want of memory";
}

std::string describe(const Victim& victim) {
  std::string text = victim.name + " (pid " + std::to_string(victim.pid) + ", held " + say_bytes(victim.bytes);
  if (victim.group.size() > 1) text += ", in " + victim.group;
  return text + ")";
}

std::string listed(const std::vector<Victim>& victims) {
  std::string text;
  for (std::size_t i = 0; i < std::min(victims.size(), most_named); ++i) {
    text += (i == 0 ? "" : ", ") + victims[i].name + " (pid " + std::to_string(victims[i].pid) + ")";
  }
  return text;
}

/// The counter is raised before the log is written: what it does not name yet, or any more, stays without a name.
void take_victims(const KernelLog& log, Facts& facts) {
  facts.log_error = log.error;
  std::vector<Victim> all = find_victims(log.text);
  std::erase_if(all, [&](const Victim& victim) { return victim.record <= facts.last_record; });
  const std::size_t surplus = all.size() > facts.fresh ? all.size() - static_cast<std::size_t>(facts.fresh) : 0;
  facts.victims.assign(all.begin() + static_cast<std::ptrdiff_t>(surplus), all.end());
  if (!all.empty()) facts.last_record = all.back().record;
}

awaitable<void> name_victims(ProbeContext& context, Facts& facts) {
  context.phases.begin("kernel log");
  const auto log = std::make_shared<KernelLog>();
  auto job = [log, path = context.host.root + "/dev/kmsg"] { *log = read_kernel_log(path); };
  co_await context.workers.run("/dev/kmsg", std::move(job));
  take_victims(*log, facts);
}

void count_fresh(const Remembered& before, Facts& facts) {
  const auto then = before.number("kills");
  if (!then) return;  // nobody knows which of them are news
  const auto counted_then = static_cast<std::uint64_t>(std::max(*then, 0.0));
  const bool began_anew = before.text("boot") != facts.boot || facts.kills < counted_then;
  facts.fresh = began_anew ? facts.kills : facts.kills - counted_then;
  if (!began_anew) facts.last_record = static_cast<std::uint64_t>(std::max(before.number("record").value_or(0), 0.0));
}

void say_who(const Facts& facts, Observation& seen) {
  for (const Victim& victim : facts.victims) {
    if (seen.evidence.size() == most_named) break;
    seen.evidence.push_back({"killed", describe(victim)});
  }
  if (!facts.victims.empty()) {
    seen.summary += ": " + listed(facts.victims);
    return;
  }
  if (facts.container) {
    seen.evidence.push_back({"killed", "the kernel log of the host tells which: dmesg -T | grep 'Killed process'"});
  } else if (facts.log_error != 0) {
    seen.evidence.push_back({"killed", std::string("vitald may not read the kernel log (/dev/kmsg: ") +
                                           std::strerror(facts.log_error) +
                                           "); see which: dmesg -T | grep 'Killed process'"});
    seen.remedy = "to have victims named, let vitald read the kernel log: docs/probes/oom.md has the drop-in";
  } else {
    seen.evidence.push_back({"killed", "the kernel log does not name it (any more)"});
  }
}

}  // namespace

Config parse(config::Reader&) { return {}; }

awaitable<Facts> run(ProbeContext& context, const Config&) {
  Facts facts;
  facts.boot = read_if_there(context.host, "/proc/sys/kernel/random/boot_id").value_or("");
  auto kills = group_oom_kills(context.host);
  facts.container = kills.has_value();
  if (!kills) kills = counted(context.host.read("/proc/vmstat"), "oom_kill ");
  if (!kills) {
    throw unmeasured("no_counter", "this kernel does not count what it kills for want of memory",
                     "it takes Linux 4.13 or newer; watch the kernel log instead");
  }
  facts.kills = *kills;
  count_fresh(Remembered::read(context.memory), facts);
  const bool may_be_named = facts.fresh > 0 && !facts.container;
  if (may_be_named) co_await name_victims(context, facts);
  co_return facts;
}

Observation judge(const Config&, const Facts& facts) {
  Observation seen;
  const std::string where = facts.container ? " in this container" : "";
  if (facts.fresh > 0) {
    seen.summary = processes(facts.fresh) + where;
    say_who(facts, seen);
  } else {
    seen.summary = "nothing was killed for want of memory" + where;
    if (facts.kills > 0) seen.summary += " since the last run, " + std::to_string(facts.kills) + " before";
  }
  Sample kills{.name = "kills", .value = static_cast<double>(facts.fresh)};
  if (facts.fresh > 0) kills.says = seen.summary;
  seen.samples.push_back(std::move(kills));
  seen.samples.push_back({.name = "killed", .value = static_cast<double>(facts.kills)});
  Remembered next;
  next.set("boot", facts.boot);
  next.set("kills", static_cast<double>(facts.kills));
  next.set("record", static_cast<double>(facts.last_record));
  seen.memory = next.written();
  return seen;
}

}  // namespace vitald::probes::oom
