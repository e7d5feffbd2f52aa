#include "probes/control_group.hpp"

#include <algorithm>
#include <string>

#include "probes/probe.hpp"
#include "probes/proc_text.hpp"

namespace vitald::probes {
namespace {

struct MemoryFiles {
  const char* limit;
  const char* usage;
  const char* statistics;
  const char* reclaimable;
};

// On a host the root has no limit (v2: no such file, v1: a huge number).
constexpr MemoryFiles hierarchies[] = {
    {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "inactive_file "},
    {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
     "/sys/fs/cgroup/memory/memory.stat", "total_inactive_file "},
};

std::optional<MemoryGroup> read_group(const Host& host, const MemoryFiles& files, std::uint64_t all) {
  const auto limit = count_if_there(host, files.limit);  // "max" is none
  if (!limit || *limit == 0 || *limit >= all) return std::nullopt;
  const auto usage = count_if_there(host, files.usage);
  if (!usage) return std::nullopt;
  const std::string statistics = read_if_there(host, files.statistics).value_or("");
  const std::uint64_t reclaimable = std::min(counted(statistics, files.reclaimable).value_or(0), *usage);
  return MemoryGroup{.limit = *limit, .held = std::min(*usage - reclaimable, *limit)};
}

/// cpu.max: "150000 100000", or "max 100000".
std::optional<double> cores_of(std::string_view text) {
  const auto words = words_of(text);
  if (words.size() < 2) return std::nullopt;
  const auto quota = leading_count(words[0]), period = leading_count(words[1]);
  if (!quota || !period || *quota == 0 || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

double number(std::optional<std::uint64_t> count) { return static_cast<double>(count.value_or(0)); }

std::optional<CpuGroup> cpu_group_v2(const Host& host) {
  const auto cores = cores_of(read_if_there(host, "/sys/fs/cgroup/cpu.max").value_or(""));
  if (!cores) return std::nullopt;
  const std::string text = read_if_there(host, "/sys/fs/cgroup/cpu.stat").value_or("");
  const auto used = counted(text, "usage_usec ");
  if (!used) return std::nullopt;
  return CpuGroup{.cores = *cores,
                  .used = number(used) / 1e6,
                  .periods = number(counted(text, "nr_periods ")),
                  .held_back = number(counted(text, "nr_throttled "))};
}

std::optional<CpuGroup> cpu_group_v1(const Host& host) {
  const std::string folder = "/sys/fs/cgroup/cpu/";
  const std::string quota = read_if_there(host, folder + "cpu.cfs_quota_us").value_or("");  // -1: none
  const std::string period = read_if_there(host, folder + "cpu.cfs_period_us").value_or("");
  const auto cores = cores_of(quota + " " + period);
  const auto used = count_if_there(host, "/sys/fs/cgroup/cpuacct/cpuacct.usage");  // ns
  if (!cores || !used) return std::nullopt;
  const std::string text = read_if_there(host, folder + "cpu.stat").value_or("");
  return CpuGroup{.cores = *cores,
                  .used = number(used) / 1e9,
                  .periods = number(counted(text, "nr_periods ")),
                  .held_back = number(counted(text, "nr_throttled "))};
}

}  // namespace

std::optional<MemoryGroup> memory_group(const Host& host, std::uint64_t all) {
  std::optional<MemoryGroup> tightest;
  for (const MemoryFiles& files : hierarchies) {
    const auto group = read_group(host, files, tightest ? tightest->limit : all);
    if (group) tightest = group;
  }
  return tightest;
}

std::optional<SwapGroup> swap_group(const Host& host, std::uint64_t all) {
  const auto limit = count_if_there(host, "/sys/fs/cgroup/memory.swap.max");
  const auto used = count_if_there(host, "/sys/fs/cgroup/memory.swap.current");
  if (!limit || !used || *limit >= all) return std::nullopt;
  return SwapGroup{.limit = *limit, .used = std::min(*used, *limit)};
}

std::optional<CpuGroup> cpu_group(const Host& host) {
  const auto group = cpu_group_v2(host);
  return group ? group : cpu_group_v1(host);
}

std::optional<std::uint64_t> group_oom_kills(const Host& host) {
  if (const auto events = read_if_there(host, "/sys/fs/cgroup/memory.events")) return counted(*events, "oom_kill ");
  const auto total = counted(read_if_there(host, "/proc/meminfo").value_or(""), "MemTotal:");
  if (!total || !memory_group(host, *total * 1024)) return std::nullopt;
  return counted(read_if_there(host, "/sys/fs/cgroup/memory/memory.oom_control").value_or(""), "oom_kill ");
}

bool in_container(const Host& host) { return read_if_there(host, "/sys/fs/cgroup/cgroup.events").has_value(); }

}  // namespace vitald::probes
