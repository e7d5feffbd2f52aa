#include "probes/processes.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/proc_text.hpp"
#include "probes/workers.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_entries = 100'000;
constexpr std::uint64_t of_kernel_flag = 0x00200000;  // PF_KTHREAD

/// 0 for what is no process.
int pid_of(std::string_view name) {
  const bool digits = !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
  const auto pid = digits ? leading_count(name) : std::nullopt;
  return pid && *pid < INT32_MAX ? static_cast<int>(*pid) : 0;
}

double seconds(std::uint64_t ticks) { return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK)); }

}  // namespace

std::optional<ProcessStat> parse_process(std::string_view text) {
  // 812 (name) S ppid … : the name may hold blanks and parentheses, so the fields begin after the last one.
  const std::size_t open = text.find(" ("), close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2) return std::nullopt;
  const auto fields = words_of(text.substr(close + 2));  // from the third on
  if (fields.size() < 22) return std::nullopt;
  const auto number = [&](std::size_t field) { return leading_count(fields[field - 3]).value_or(0); };
  ProcessStat seen{.pid = pid_of(text.substr(0, open)),
                   .name = foreign_text(text.substr(open + 2, close - open - 2), 64),
                   .state = fields[0][0],
                   .of_kernel = (number(9) & of_kernel_flag) != 0,
                   .cpu = seconds(number(14) + number(15)),
                   .threads = static_cast<double>(number(20)),
                   .started = seconds(number(22)),
                   .memory = static_cast<double>(number(24)) * static_cast<double>(sysconf(_SC_PAGESIZE))};
  return seen.pid > 0 ? std::optional(std::move(seen)) : std::nullopt;
}

std::optional<ProcessStat> read_process(const Host& host, int pid) {
  const auto text = read_if_there(host, "/proc/" + std::to_string(pid) + "/stat");
  return text ? parse_process(*text) : std::nullopt;
}

awaitable<Processes> glance_at_processes(ProbeContext& context) {
  const auto found = std::make_shared<Processes>();
  auto job = [found, host = context.host] { *found = walk_processes(host); };
  try {
    co_await context.workers.run(processes_key, std::move(job));
  } catch (const ProbeFailure&) {
    co_return Processes{};
  }
  co_return std::move(*found);
}

std::string process_key(const ProcessStat& process) {
  return std::string(process_key_begin) + std::to_string(process.pid) + "." +
         std::to_string(std::llround(process.started * 100));
}

std::optional<std::vector<std::string>> list_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::directory_iterator each(path, error);
  std::vector<std::string> names;
  while (!error && each != std::filesystem::directory_iterator() && names.size() < most_entries) {
    names.push_back(each->path().filename().string());
    each.increment(error);
  }
  if (error) return std::nullopt;
  return names;
}

Processes walk_processes(const Host& host) {
  const auto names = list_folder(host.root + "/proc");
  if (!names) throw unmeasured("no_proc", "vitald cannot list /proc", "mount -t proc proc /proc");
  Processes found;
  bool first_seen = false;
  for (const std::string& name : *names) {
    const int pid = pid_of(name);
    auto process = pid > 0 ? read_process(host, pid) : std::nullopt;
    if (!process) continue;
    if (pid == 1) first_seen = true;
    if (!process->of_kernel) found.all.push_back(std::move(*process));
  }
  found.hidden = !first_seen;  // in every namespace there is a process 1, and everybody may see its stat
  return found;
}

std::string say_biggest(std::vector<ProcessStat> processes, std::size_t most) {
  const auto shown = processes.begin() + static_cast<std::ptrdiff_t>(std::min(most, processes.size()));
  std::partial_sort(processes.begin(), shown, processes.end(),
                    [](const ProcessStat& a, const ProcessStat& b) { return a.memory > b.memory; });
  std::string text;
  for (auto each = processes.begin(); each != shown; ++each) {
    text += (text.empty() ? "" : "\n") + say_bytes(each->memory) + " " + each->name + " (pid " +
            std::to_string(each->pid) + ")";
  }
  return text;
}

}  // namespace vitald::probes
