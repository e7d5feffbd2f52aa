// What the kernel's own tables say about this host: mounts and listeners.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "daemon/discover.hpp"

namespace vitald::daemon {
namespace {

/// File systems that can fill up and matter when they do; all else in mountinfo is the kernel's or a network's.
constexpr std::array local_file_systems = {"ext2", "ext3", "ext4", "xfs", "btrfs",
                                           "zfs",  "f2fs", "vfat", "jfs", "reiserfs"};

constexpr std::size_t most_mounts = 32;

std::vector<std::string> words(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> found;
  for (std::string word; in >> word;) found.push_back(word);
  return found;
}

template <class Function>
void each_line(std::string_view text, Function&& function) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    function(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The kernel writes space, tab, newline and backslash of a path as three octal digits: "\040".
std::string unescape(std::string_view path) {
  std::string plain;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] == '\\') {
      if (const auto byte = number<unsigned char>(path.substr(at + 1, 3), 8)) {
        plain += static_cast<char>(*byte);
        at += 3;
        continue;
      }
    }
    plain += path[at];
  }
  return plain;
}

struct Mount {
  std::string device;  // major:minor
  std::string root;    // of the file system; other than "/" for a bind mount
  std::string point;
  std::string type;
};

/// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue", see proc(5).
std::optional<Mount> parse_mount(std::string_view line) {
  const std::vector<std::string> fields = words(line);
  const auto dash = std::find(fields.begin(), fields.end(), "-");
  if (fields.size() < 7 || dash == fields.end() || dash + 1 == fields.end()) return std::nullopt;
  return Mount{fields[2], unescape(fields[3]), unescape(fields[4]), *(dash + 1)};
}

bool is_local(const std::string& type) {
  return std::find(local_file_systems.begin(), local_file_systems.end(), type) != local_file_systems.end();
}

/// The address as /proc writes it: 32-bit words in the host's order, here little endian ("0100007F" is 127.0.0.1).
std::optional<std::string> listening_address(std::string_view hex, bool ipv6) {
  if (!ipv6) {
    const auto word = number<std::uint32_t>(hex, 16);
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

std::vector<std::string> worthwhile_mounts(std::string_view mountinfo) {
  std::map<std::string, std::string> by_device;  // the shortest mount point of each
  each_line(mountinfo, [&](std::string_view line) {
    const auto mount = parse_mount(line);
    if (!mount) return;
    const bool host_root = mount->point == "/";  // in a container it is an overlay, and still the disk that fills up
    if (!host_root && (!is_local(mount->type) || mount->root != "/")) return;
    auto& point = by_device[mount->device];
    if (point.empty() || mount->point.size() < point.size()) point = mount->point;
  });
  std::vector<std::string> points;
  for (const auto& [device, point] : by_device) points.push_back(point);
  std::sort(points.begin(), points.end());
  if (points.size() > most_mounts) points.resize(most_mounts);
  return points;
}

std::vector<Listener> parse_listeners(std::string_view table, bool ipv6) {
  std::map<std::uint16_t, Listener> by_port;
  each_line(table, [&](std::string_view line) {
    // "0: 0100007F:1F90 00000000:0000 0A …": slot, local address, remote address, state (0A listens)
    const std::vector<std::string> fields = words(line);
    if (fields.size() < 4 || fields[3] != "0A") return;
    const std::size_t colon = fields[1].find(':');
    if (colon == std::string::npos) return;
    const auto address = listening_address(std::string_view(fields[1]).substr(0, colon), ipv6);
    const auto port = number<std::uint16_t>(std::string_view(fields[1]).substr(colon + 1), 16);
    if (address && port) by_port.try_emplace(*port, Listener{*address, *port});
  });
  std::vector<Listener> listeners;
  for (const auto& [port, listener] : by_port) listeners.push_back(listener);
  return listeners;
}

}  // namespace vitald::daemon
