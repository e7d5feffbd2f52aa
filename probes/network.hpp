// network: whether the interfaces have their link, at which speed, and how many packets were broken or dropped.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/probe.hpp"

namespace vitald::probes::network {

struct Config {
  std::vector<std::string> interfaces;  // must be there and up; empty: those of the hardware that were ever up
  std::vector<std::string> exclude;

  std::string target() const { return "network"; }
};

/// Counters since the interface was made, as /proc/net/dev has them.
struct Traffic {
  std::string interface;
  double received = 0, receive_errors = 0, receive_drops = 0;
  double sent = 0, send_errors = 0, send_drops = 0;
};

struct Interface {
  Traffic traffic;
  bool switched_on = false;  // by whoever administers it (IFF_UP)
  bool link = false;         // and something answers at the other end of the cable
  std::string state;         // the kernel's word: up, down, dormant, lowerlayerdown, unknown
  std::optional<double> megabits = {};
};

struct Facts {
  std::vector<Interface> interfaces;
  std::vector<std::string> missing;  // named, but there is no such interface
  std::string before = {};           // what the last run remembered
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Lines that make no sense are left out.
std::vector<Traffic> parse_net_dev(std::string_view text);

inline constexpr std::array samples{
    SampleSpec{
        .name = "up", .help = "1 while the interface has a link, else 0 (label interface)", .lower_is_worse = true},
    SampleSpec{.name = "speed",
               .help = "Megabits a second that were agreed upon, where the driver says so (label interface)",
               .lower_is_worse = true},
    SampleSpec{.name = "receive_errors",
               .kind = SampleKind::counter,
               .help = "Packets that arrived broken: cable, plug, duplex (label interface)"},
    SampleSpec{
        .name = "send_errors", .kind = SampleKind::counter, .help = "Packets that could not be sent (label interface)"},
    SampleSpec{.name = "receive_drops",
               .kind = SampleKind::counter,
               .help = "Packets dropped on arrival: no room, or a protocol that nobody speaks here (label interface)"},
    SampleSpec{.name = "send_drops",
               .kind = SampleKind::counter,
               .help = "Packets dropped instead of being sent (label interface)"},
    SampleSpec{.name = "received",
               .kind = SampleKind::counter,
               .unit = Unit::bytes,
               .help = "Bytes that arrived (label interface)"},
    SampleSpec{
        .name = "sent", .kind = SampleKind::counter, .unit = Unit::bytes, .help = "Bytes sent (label interface)"},
};
inline constexpr std::string_view default_limits =
    "{ receive_errors: { warning: 100 per 10m }, send_errors: { warning: 100 per 10m } }";

}  // namespace vitald::probes::network
