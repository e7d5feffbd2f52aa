#include "probes/swap.hpp"

#include <unistd.h>

#include <algorithm>

#include "config/units.hpp"
#include "probes/control_group.hpp"
#include "probes/proc_text.hpp"

namespace vitald::probes::swap {
namespace {

std::optional<double> pages(std::string_view statistics, std::string_view key) {
  const auto count = counted(statistics, key);
  if (!count) return std::nullopt;
  return static_cast<double>(*count) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Config parse(config::Reader&) { return {}; }

awaitable<Facts> run(ProbeContext& context, const Config&) {
  const std::string information = context.host.read("/proc/meminfo");
  const auto total = counted(information, "SwapTotal:"), free = counted(information, "SwapFree:");
  if (!total || !free) {
    throw ProbeFailure(Outcome::unmeasured, "bad_meminfo", "/proc/meminfo does not say SwapTotal and SwapFree");
  }
  constexpr std::uint64_t kib = 1024;  // the file says kB and means KiB
  Facts facts{.total = static_cast<double>(*total * kib),
              .used = static_cast<double>((*total - std::min(*free, *total)) * kib)};
  if (const auto group = swap_group(context.host, *total * kib)) {
    facts.total = static_cast<double>(group->limit);
    facts.used = static_cast<double>(group->used);
    facts.container = true;
  }
  const std::string statistics = read_if_there(context.host, "/proc/vmstat").value_or("");
  facts.in = pages(statistics, "pswpin ");
  facts.out = pages(statistics, "pswpout ");
  co_return facts;
}

Observation judge(const Config&, const Facts& facts) {
  Observation seen;
  const std::string where = facts.container ? " in this container" : "";
  seen.summary = "no swap" + where;
  if (facts.total > 0) {
    seen.samples.push_back({.name = "used", .value = facts.used / facts.total});
    seen.samples.push_back({.name = "used_bytes", .value = facts.used, .maximum = facts.total});
    seen.summary = say_bytes(facts.used) + " of " + say_bytes(facts.total) + " of swap in use" + where;
  }
  seen.samples.push_back({.name = "total", .value = facts.total});
  if (facts.in) seen.samples.push_back({.name = "read", .value = *facts.in});
  if (facts.out) seen.samples.push_back({.name = "written", .value = *facts.out});
  seen.evidence.push_back({"swap", seen.summary});
  return seen;
}

}  // namespace vitald::probes::swap
