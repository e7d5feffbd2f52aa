// uplink: whether this host reaches the world: a default route, a link under it, and somebody out there who answers.
// While it is bad, the engine does not hold the silence of remote targets against them (alerting/guard.hpp).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "probes/probe.hpp"

namespace vitald::probes::uplink {

struct Config {
  std::vector<net::Target> anchors;  // independent of each other; none: route and link have to do
  Duration wait{};                   // how long they have to answer

  std::string target() const { return "uplink"; }
};

/// A default route. Several are possible, one is enough.
struct Route {
  std::string interface;
  std::string gateway;  // numeric, or "" where the interface has only one other end
  bool link = true;
};

struct Answer {
  std::string anchor;
  bool alive = false;  // it accepted the connection, or refused it: somebody is there
  std::string words;
};

struct Facts {
  std::vector<Route> routes;
  std::vector<Answer> answers;  // in the order of the configuration
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// The default routes of /proc/net/route and /proc/net/ipv6_route; lines that make no sense are left out.
std::vector<Route> parse_routes(std::string_view table);
std::vector<Route> parse_ipv6_routes(std::string_view table);

inline constexpr std::array samples{
    SampleSpec{.name = "routes", .help = "Default routes over an interface with a link", .lower_is_worse = true},
    SampleSpec{.name = "answering",
               .help = "Anchors that answer, of all that were asked",
               .has_maximum = true,
               .lower_is_worse = true},
};

}  // namespace vitald::probes::uplink
