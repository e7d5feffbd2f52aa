#include "probes/pressure.hpp"

#include "config/units.hpp"
#include "probes/control_group.hpp"
#include "probes/faults.hpp"
#include "probes/numbers.hpp"
#include "probes/proc_text.hpp"

namespace vitald::probes::pressure {
namespace {

constexpr std::array<const char*, 3> resources = {"cpu", "memory", "io"};
constexpr std::array<const char*, 3> windows = {"avg10", "avg60", "avg300"};

/// some avg10=1.48 avg60=2.03 avg300=0.00 total=48592885
std::optional<std::array<double, 3>> parse_line(std::string_view line) {
  const auto words = words_of(line);
  std::array<double, 3> shares{};
  if (words.size() < 4) return std::nullopt;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::string key = std::string(windows[i]) + "=";
    if (!words[i + 1].starts_with(key)) return std::nullopt;
    const auto percent = to_number(words[i + 1].substr(key.size()));
    if (!percent) return std::nullopt;
    shares[i] = *percent / 100;
  }
  return shares;
}

constexpr std::array<const char*, 3> lengths = {"10 s", "minute", "5 min"};

void add(std::size_t resource, const char* who, const std::array<double, 3>& shares, Observation& seen) {
  constexpr std::array<const char*, 3> things = {"a CPU", "memory", "a disk"};
  const std::string name = std::string(resources[resource]) + "_" + who + "_";
  const std::string waited =
      std::string_view(who) == "some" ? "programs waited for " : "all programs at once waited for ";
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::string says = waited + things[resource] + " in " + say_ratio(shares[i]) + " of the last " + lengths[i];
    seen.samples.push_back({.name = name + windows[i], .value = shares[i], .says = says});
  }
}

std::string describe(const Stall& stall) {
  std::string text = "somebody waited " + say_ratio(stall.some[1]) + " of the last minute";
  if (stall.full) text += ", everybody at once " + say_ratio((*stall.full)[1]);
  return text;
}

}  // namespace

Config parse(config::Reader&) { return {}; }

std::optional<Stall> parse_stall(std::string_view text) {
  Stall stall;
  bool found = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const auto shares = parse_line(line);
    if (!shares) continue;
    if (line.starts_with("some ")) {
      stall.some = *shares;
      found = true;
    } else if (line.starts_with("full ")) {
      stall.full = shares;
    }
  }
  return found ? std::optional(stall) : std::nullopt;
}

awaitable<Facts> run(ProbeContext& context, const Config&) {
  Facts facts;
  facts.container = in_container(context.host);
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const std::string name = resources[i];
    std::optional<std::string> text;
    if (facts.container) text = read_if_there(context.host, "/sys/fs/cgroup/" + name + ".pressure");
    if (!text) text = read_if_there(context.host, "/proc/pressure/" + name);
    facts.resources[i] = parse_stall(text.value_or(""));
  }
  co_return facts;
}

Observation judge(const Config&, const Facts& facts) {
  Observation seen;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    const auto& stall = facts.resources[i];
    if (!stall) continue;
    const std::string name = resources[i];
    add(i, "some", stall->some, seen);
    if (stall->full) add(i, "full", *stall->full, seen);
    seen.summary +=
        (seen.summary.empty() ? "waiting in the last minute: " : ", ") + name + " " + say_ratio(stall->some[1]);
    seen.evidence.push_back({name, describe(*stall)});
  }
  if (seen.samples.empty()) {
    blame(unmeasured("no_psi", "this kernel does not measure pressure",
                     "boot with psi=1: add it to GRUB_CMDLINE_LINUX in /etc/default/grub, then run update-grub and "
                     "reboot"),
          seen);
  } else if (facts.container) {
    seen.summary += " (this container)";
  }
  return seen;
}

}  // namespace vitald::probes::pressure
