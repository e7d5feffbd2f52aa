#include "probes/network.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/proc_text.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes::network {
namespace {

constexpr std::size_t most_interfaces = 48;  // of 50 rows that a sample may have
constexpr std::size_t most_evidence = 8;
constexpr std::uint64_t switched_on_flag = 1;  // IFF_UP

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// A name as the kernel allows it is at most 15 bytes without a slash; others could lead out of the folder.
bool is_name(const std::string& name) {
  return !name.empty() && name.size() < 16 && name.find('/') == std::string::npos && name != "." && name != "..";
}

std::vector<std::string> read_names(config::Reader& in, std::string_view key, std::string_view help) {
  const config::ListOf<config::Text> names{.kind = {}, .single = true};
  auto given = in.optional(key, names, {}, help);
  for (const std::string& name : given) {
    if (!is_name(name)) in.problem(key, "expected the name of an interface such as eth0, found '" + name + "'");
  }
  return given;
}

std::string folder_of(const std::string& interface) { return "/sys/class/net/" + interface; }

bool is_there(const Host& host, const std::string& path) {
  struct stat about {};
  return stat((host.root + path).c_str(), &about) == 0;
}

/// A card, or several of them together; no bridge, tunnel, VLAN or end of a container.
bool is_hardware(const Host& host, const std::string& interface) {
  return is_there(host, folder_of(interface) + "/device") || is_there(host, folder_of(interface) + "/bonding");
}

Interface look_at(const Host& host, Traffic traffic) {
  const std::string folder = folder_of(traffic.interface);
  Interface seen{.traffic = std::move(traffic)};
  const std::string flags = read_if_there(host, folder + "/flags").value_or("");  // 0x1003
  seen.switched_on = flags.size() > 2 && (std::strtoull(flags.c_str(), nullptr, 16) & switched_on_flag) != 0;
  std::string state = read_if_there(host, folder + "/operstate").value_or("");
  std::string_view rest = state;
  seen.state = foreign_text(take_line(rest), 20);
  // Reading it fails with EINVAL while the interface is switched off.
  const auto carrier = count_if_there(host, folder + "/carrier");
  seen.link = seen.switched_on && carrier == std::uint64_t{1} && (seen.state == "up" || seen.state == "unknown");
  const auto megabits = count_if_there(host, folder + "/speed");  // -1 where the driver does not know
  if (megabits && *megabits > 0 && *megabits < 10'000'000) seen.megabits = static_cast<double>(*megabits);
  return seen;
}

/// Without a name those of the hardware; in a container, whose eth0 is half of a pair, all that are switched on.
std::vector<Interface> choose(const Host& host, const Config& config, std::vector<Traffic> all) {
  std::erase_if(all, [&](const Traffic& each) {
    if (!config.interfaces.empty()) return !among(config.interfaces, each.interface);
    return each.interface == "lo" || among(config.exclude, each.interface) || !is_name(each.interface);
  });
  std::vector<Traffic> chosen;
  for (const Traffic& each : all) {
    if (!config.interfaces.empty() || is_hardware(host, each.interface)) chosen.push_back(each);
  }
  const bool guest = chosen.empty();
  std::vector<Interface> seen;
  for (Traffic& each : guest ? all : chosen) {
    if (seen.size() == most_interfaces) break;
    Interface one = look_at(host, std::move(each));
    if (!guest || one.switched_on) seen.push_back(std::move(one));
  }
  return seen;
}

void add_samples(const std::vector<Interface>& interfaces, Observation& seen) {
  const auto add = [&](const char* name, auto value_of) {
    for (const Interface& each : interfaces) {
      const std::optional<double> value = value_of(each);
      if (!value) continue;
      seen.samples.push_back({.name = name, .value = *value, .labels = {{"interface", each.traffic.interface}}});
    }
  };
  const auto counter = [](double Traffic::*member) {
    return [member](const Interface& each) { return std::optional(each.traffic.*member); };
  };
  add("up", [](const Interface& each) { return std::optional(each.link ? 1.0 : 0.0); });
  add("speed", [](const Interface& each) { return each.link ? each.megabits : std::nullopt; });
  add("receive_errors", counter(&Traffic::receive_errors));
  add("send_errors", counter(&Traffic::send_errors));
  add("receive_drops", counter(&Traffic::receive_drops));
  add("send_drops", counter(&Traffic::send_drops));
  add("received", counter(&Traffic::received));
  add("sent", counter(&Traffic::sent));
}

std::string describe(const Interface& each) {
  std::string text = each.link ? "up" : each.switched_on ? "no link" : "switched off";
  if (each.link && each.megabits) text += " at " + say_number(*each.megabits) + " Mbit/s";
  return text + ", errors in " + say_number(each.traffic.receive_errors) + " and out " +
         say_number(each.traffic.send_errors) + ", drops in " + say_number(each.traffic.receive_drops) + " and out " +
         say_number(each.traffic.send_drops);
}

ProbeFailure without_link(const Interface& each) {
  const std::string& name = each.traffic.interface;
  if (!each.switched_on) return wrong("switched_off", name + " is switched off", "run: ip link set " + name + " up");
  std::string why = name + " has no link";
  if (each.state != "down") why += " (" + each.state + ")";
  return wrong("no_link", why, "look at the cable and the switch port; ethtool " + name + " tells what the card sees");
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.interfaces = read_names(in, "interfaces",
                                 "Interfaces that must be there and have a link; left out: those of the hardware, each "
                                 "from when it was first seen with a link");
  config.exclude = read_names(in, "exclude", "Interfaces to leave out");
  if (!config.interfaces.empty() && !config.exclude.empty())
    in.problem("exclude", "'exclude' is not possible with 'interfaces'");
  return config;
}

std::vector<Traffic> parse_net_dev(std::string_view text) {
  // Two lines of heading; then NAME: 8 columns received, 8 sent: bytes packets errs drop fifo …
  std::vector<Traffic> all;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t colon = line.rfind(':');  // an alias has one of its own
    if (colon == std::string_view::npos) continue;
    const auto name = words_of(line.substr(0, colon));
    std::vector<double> columns;
    for (const std::string_view word : words_of(line.substr(colon + 1))) {
      if (const auto count = leading_count(word)) columns.push_back(static_cast<double>(*count));
    }
    if (name.size() != 1 || columns.size() < 16) continue;
    all.push_back({.interface = std::string(name[0]),
                   .received = columns[0],
                   .receive_errors = columns[2],
                   .receive_drops = columns[3],
                   .sent = columns[8],
                   .send_errors = columns[10],
                   .send_drops = columns[11]});
  }
  return all;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  std::vector<Traffic> all = parse_net_dev(context.host.read("/proc/net/dev"));
  for (const std::string& name : config.interfaces) {
    const auto same = [&](const Traffic& each) { return each.interface == name; };
    if (std::none_of(all.begin(), all.end(), same)) facts.missing.push_back(name);
  }
  facts.interfaces = choose(context.host, config, std::move(all));
  facts.before = std::string(context.memory);
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  add_samples(facts.interfaces, seen);
  const auto before = Remembered::read(facts.before);
  Remembered next;
  Faults faults;
  std::string up;
  for (const std::string& name : facts.missing) {
    faults.push_back(wrong("no_interface", "there is no interface " + name, "see what there is: ip -brief link"));
  }
  for (const Interface& each : facts.interfaces) {
    const std::string& name = each.traffic.interface;
    const bool expected = !config.interfaces.empty() || before.text(name).has_value();
    if (each.link || expected) next.set(name, "up");
    if (each.link) up += (up.empty() ? "" : ", ") + name;
    if (!each.link && expected) faults.push_back(without_link(each));
    if (seen.evidence.size() < most_evidence) seen.evidence.push_back({name, describe(each)});
  }
  seen.memory = next.written();
  seen.summary = up.empty() ? "no interface has a link" : "up: " + up;
  if (!faults.empty()) {
    blame(faults, seen, most_evidence);
  } else if (facts.interfaces.empty()) {
    blame(
        unmeasured("no_interfaces", "this host has no interface to look at", "name one with interfaces: in the check"),
        seen);
  }
  return seen;
}

}  // namespace vitald::probes::network
