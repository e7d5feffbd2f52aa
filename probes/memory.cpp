#include "probes/memory.hpp"

#include <algorithm>
#include <charconv>

#include "config/units.hpp"

namespace vitald::probes::memory {
namespace {

std::optional<std::uint64_t> parse_count(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

/// The number after `key` at the beginning of a line.
std::optional<std::uint64_t> field(std::string_view text, std::string_view key) {
  for (std::size_t at = 0; at < text.size(); at = std::min(text.find('\n', at), text.size() - 1) + 1) {
    if (text.substr(at).starts_with(key)) return parse_count(text.substr(at + key.size()));
  }
  return std::nullopt;
}

std::optional<std::string> read_if_there(const Host& host, const std::string& path) {
  try {
    return host.read(path);
  } catch (const ProbeFailure&) {
    return std::nullopt;
  }
}

struct ControlGroup {
  const char* limit;
  const char* usage;
  const char* statistics;
  const char* reclaimable;  // page cache that goes as soon as somebody needs the room
};

// The root of the hierarchy as this process sees it. On a host the root has no limit (v2: no such file, v1: a huge
// number); in a container it is the container's own group, and that limit is what kills its programs.
constexpr ControlGroup hierarchies[] = {
    {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file "},
    {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
     "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file "},
};

void apply_limit(const Host& host, const ControlGroup& group, Facts& facts) {
  const auto limit_text = read_if_there(host, group.limit);
  const auto limit = parse_count(limit_text.value_or(""));  // "max" is none
  if (!limit || *limit == 0 || *limit >= facts.total) return;
  const auto usage_text = read_if_there(host, group.usage);
  const auto usage = parse_count(usage_text.value_or(""));
  if (!usage) return;
  const auto statistics = read_if_there(host, group.statistics);
  const std::uint64_t reclaimable = std::min(field(statistics.value_or(""), group.reclaimable).value_or(0), *usage);
  const std::uint64_t held = std::min(*usage - reclaimable, *limit);
  facts.total = *limit;
  facts.available = std::min(facts.available, *limit - held);
  facts.container = true;
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.swap = in.maybe("swap", config::Bytes{}, "Size of the swap that must be there, such as 6GiB");
  return config;
}

Facts parse_meminfo(std::string_view text) {
  const auto total = field(text, "MemTotal:");
  const auto available = field(text, "MemAvailable:");
  if (!total || !available || *total == 0) {
    throw ProbeFailure(Outcome::unmeasured, "bad_meminfo", "/proc/meminfo does not say MemTotal and MemAvailable");
  }
  constexpr std::uint64_t kib = 1024;  // the file says kB and means KiB
  return Facts{.total = *total * kib,
               .available = std::min(*available, *total) * kib,
               .swap_total = field(text, "SwapTotal:").value_or(0) * kib,
               .swap_free = field(text, "SwapFree:").value_or(0) * kib};
}

awaitable<Facts> run(ProbeContext& context, const Config&) {
  Facts facts = parse_meminfo(context.host.read("/proc/meminfo"));
  for (const ControlGroup& group : hierarchies) apply_limit(context.host, group, facts);
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
