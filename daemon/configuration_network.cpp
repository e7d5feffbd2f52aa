// Which checks reach over the network, and which one tells whether the network is there.
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "config/shown.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

/// The host of "example.com:443", "[::1]:80" or "example.com"; "" where the target is none: "cpu", "file:/x", a socket.
std::string host_of(std::string target) {
  if (target.empty() || target.find_first_of("/ ") != std::string::npos) return "";
  const auto colon = target.rfind(':');
  const bool bare_ipv6 = target.front() != '[' && target.find(':') != colon;
  bool has_port = false;
  if (colon != std::string::npos && !bare_ipv6) {
    if (colon + 1 == target.size()) return "";  // "log:", of which no file is there
    const auto digits = target.find_first_not_of("0123456789", colon + 1);
    has_port = digits == std::string::npos && colon + 1 < target.size();
    if (has_port) target.resize(colon);
  }
  if (target.starts_with('[') && target.ends_with(']')) target = target.substr(1, target.size() - 2);
  // A word alone is the name of something of this host: cpu, load, journal.
  const bool word = target.find_first_of(".:") == std::string::npos;
  return word && !has_port ? "" : target;
}

enum class Place { here, private_network, elsewhere };

Place place_of(const std::string& host, const std::string& host_name) {
  if (host == "localhost" || host.ends_with(".localhost") || host == host_name) return Place::here;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) {
    const auto number = ntohl(four.s_addr);
    if (number >> 24 == 127 || number == 0) return Place::here;
    const bool is_private =
        number >> 24 == 10 || number >> 20 == 0xAC1 || number >> 16 == 0xC0A8 || number >> 16 == 0xA9FE;
    return is_private ? Place::private_network : Place::elsewhere;
  }
  in6_addr six{};
  if (inet_pton(AF_INET6, host.c_str(), &six) == 1) {
    const in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
    const in6_addr any = IN6ADDR_ANY_INIT;
    if (std::memcmp(&six, &loopback, sizeof six) == 0 || std::memcmp(&six, &any, sizeof six) == 0) return Place::here;
    const bool unique_local = (six.s6_addr[0] & 0xFE) == 0xFC;
    const bool link_local = six.s6_addr[0] == 0xFE && (six.s6_addr[1] & 0xC0) == 0x80;
    return unique_local || link_local ? Place::private_network : Place::elsewhere;
  }
  return Place::elsewhere;
}

}  // namespace

std::string judge_network(std::vector<CheckDraft>& drafts, const std::string& host_name, config::Problems& problems) {
  std::string uplink;
  for (CheckDraft& draft : drafts) {
    auto& rules = draft.rules;
    if (rules.probe == "uplink") {
      if (!uplink.empty()) {
        problems.error(draft.at, "there is an uplink check already, '" + config::shown(uplink) +
                                     "', and a host has one network; name all anchors there");
      }
      if (uplink.empty()) uplink = rules.name;
      continue;
    }
    const std::string host = host_of(draft.plan.probe->target());
    const Place place = host.empty() ? Place::here : place_of(host, host_name);
    rules.remote = draft.remote.value_or(place != Place::here);
    rules.near = rules.remote && place == Place::private_network;
  }
  return uplink;
}

}  // namespace vitald::daemon
