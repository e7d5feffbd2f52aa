#include "probes/memory.hpp"

#include <algorithm>

#include "config/units.hpp"
#include "probes/control_group.hpp"
#include "probes/proc_text.hpp"
#include "probes/processes.hpp"

namespace vitald::probes::memory {
namespace {

// A walk through all processes costs more than the rest of the run, so it waits until somebody may want to know.
constexpr double short_of_memory = 0.25;
constexpr std::size_t most_shown = 10;

awaitable<std::string> find_biggest(ProbeContext& context) {
  auto found = co_await glance_at_processes(context);
  std::string text = say_biggest(std::move(found.all), most_shown);
  if (found.hidden) text += "\n(vitald sees its own processes only)";
  co_return text;
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.swap = in.maybe("swap", config::Bytes{}, "Size of the swap that must be there, such as 6GiB");
  return config;
}

Facts parse_meminfo(std::string_view text) {
  const auto total = counted(text, "MemTotal:");
  const auto available = counted(text, "MemAvailable:");
  if (!total || !available || *total == 0) {
    throw ProbeFailure(Outcome::unmeasured, "bad_meminfo", "/proc/meminfo does not say MemTotal and MemAvailable");
  }
  constexpr std::uint64_t kib = 1024;  // the file says kB and means KiB
  return Facts{.total = *total * kib,
               .available = std::min(*available, *total) * kib,
               .swap_total = counted(text, "SwapTotal:").value_or(0) * kib,
               .swap_free = counted(text, "SwapFree:").value_or(0) * kib};
}

awaitable<Facts> run(ProbeContext& context, const Config&) {
  Facts facts = parse_meminfo(context.host.read("/proc/meminfo"));
  const auto group = memory_group(context.host, facts.total);
  if (group) {
    facts.total = group->limit;
    facts.available = std::min(facts.available, group->limit - group->held);
    facts.container = true;
  }
  const double available = static_cast<double>(facts.available);
  if (available < short_of_memory * static_cast<double>(facts.total)) {
    facts.biggest = co_await find_biggest(context);
  }
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  const double total = static_cast<double>(facts.total);
  const double available = static_cast<double>(facts.available);
  const double swap_total = static_cast<double>(facts.swap_total);
  seen.samples.push_back({.name = "available", .value = available, .maximum = total});
  seen.samples.push_back({.name = "used", .value = 1 - available / total});
  if (facts.swap_total > 0) {
    const double free = static_cast<double>(std::min(facts.swap_free, facts.swap_total));
    seen.samples.push_back({.name = "swap_used", .value = 1 - free / swap_total});
  }
  seen.samples.push_back({.name = "swap_total", .value = swap_total});
  seen.summary = say_bytes(available) + " of " + say_bytes(total) + " available";
  if (facts.container) seen.summary += " in this container";
  seen.evidence.push_back({"memory", seen.summary});
  if (!facts.biggest.empty()) seen.evidence.push_back({"biggest processes", facts.biggest});

  // A swap file of 6 GiB shows as a page less: its header is not counted.
  const double expected = static_cast<double>(config.swap.value_or(0));
  if (swap_total >= expected * 0.99) return seen;
  seen.outcome = Outcome::wrong;
  seen.reason = facts.swap_total == 0 ? "swap_missing" : "swap_small";
  seen.summary = facts.swap_total == 0 ? "swap is missing, expected " + say_bytes(expected)
                                       : "swap is " + say_bytes(swap_total) + ", expected " + say_bytes(expected);
  seen.remedy = "see which swap /etc/fstab names, then run: swapon --all";
  return seen;
}

}  // namespace vitald::probes::memory
