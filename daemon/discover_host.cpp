// Who listens on this host, out of the kernel's own tables.
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "daemon/discover.hpp"

namespace vitald::daemon {
namespace {

std::vector<std::string> words(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> found;
  for (std::string word; in >> word;) found.push_back(word);
  return found;
}

template <class Number>
std::optional<Number> hexadecimal(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The address as /proc writes it: 32-bit words in the host's order, here little endian ("0100007F" is 127.0.0.1).
std::optional<std::string> listening_address(std::string_view hex, bool ipv6) {
  if (!ipv6) {
    const auto word = hexadecimal<std::uint32_t>(hex);
    if (hex.size() != 8 || !word) return std::nullopt;
    if (*word == 0) return "127.0.0.1";
    return std::to_string(*word & 0xff) + "." + std::to_string((*word >> 8) & 0xff) + "." +
           std::to_string((*word >> 16) & 0xff) + "." + std::to_string(*word >> 24);
  }
  // "::" also takes IPv4 on Debian (bindv6only is 0), where every probe reaches it; other IPv6 addresses than
  // loopback are left for the person who knows why they are there.
  if (hex == "00000000000000000000000000000000") return "127.0.0.1";
  if (hex == "00000000000000000000000001000000") return "::1";
  return std::nullopt;
}

}  // namespace

std::vector<Listener> parse_listeners(std::string_view table, bool ipv6) {
  std::map<std::uint16_t, Listener> by_port;
  std::istringstream lines{std::string(table)};
  for (std::string line; std::getline(lines, line);) {
    // "0: 0100007F:1F90 00000000:0000 0A …": slot, local address, remote address, state (0A listens)
    const std::vector<std::string> fields = words(line);
    if (fields.size() < 4 || fields[3] != "0A") continue;
    const std::size_t colon = fields[1].find(':');
    if (colon == std::string::npos) continue;
    const auto address = listening_address(std::string_view(fields[1]).substr(0, colon), ipv6);
    const auto port = hexadecimal<std::uint16_t>(std::string_view(fields[1]).substr(colon + 1));
    if (address && port) by_port.try_emplace(*port, Listener{*address, *port});
  }
  std::vector<Listener> listeners;
  for (const auto& [port, listener] : by_port) listeners.push_back(listener);
  return listeners;
}

}  // namespace vitald::daemon
