// What the kernel writes and any local user has a hand in: /proc/PID/stat with the name that a process gave itself, the
// kernel's log, the names of interfaces; and the trend that a disk check finds in its own memory.
#include <string>
#include <string_view>

#include "probes/disk_trend.hpp"
#include "probes/kernel_log.hpp"
#include "probes/network.hpp"
#include "probes/pressure.hpp"
#include "probes/processes.hpp"
#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

constexpr std::size_t longest_name = 64 + 4;  // and an ellipsis

void look_at_log(std::string_view text) {
  const auto victims = probes::find_victims(text);
  must(victims.size() <= 64, "no more victims than can be told");
  for (const auto& victim : victims) {
    must(victim.name.size() <= longest_name, "a victim's name is bounded");
    must(victim.name.find('\n') == std::string::npos, "a victim's name is one line");
    must(victim.bytes >= 0, "a victim held something");
  }
}

}  // namespace

void kernel_text(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const auto process = probes::parse_process(text)) {
    must(process->pid > 0, "a process has a number");
    must(process->name.size() <= longest_name, "a name is bounded");
    must(process->cpu >= 0 && process->memory >= 0, "nobody uses less than nothing");
  }
  look_at_log(text);
  for (const auto& each : probes::network::parse_net_dev(text)) must(each.received >= 0, "counters are no debts");
  static_cast<void>(probes::pressure::parse_stall(text));
  const Wall noon = Wall{} + std::chrono::hours(24 * 20'000);
  auto trends = probes::disk::Trends::read(text);
  trends.add("/", noon, 5e9);
  const auto full_in = trends.full_in("/", 1e9);
  must(!full_in || *full_in >= 0, "a file system fills in the future");
  must(trends.written(noon).size() < 60 * 1024, "the memory is bounded");
}

}  // namespace vitald::fuzz
