#include "probes/redis_info.hpp"

#include <algorithm>
#include <cmath>

#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::redis {
namespace {

constexpr std::size_t most_lines = 4000;
constexpr std::size_t longest_line = 512;
constexpr std::size_t most_replicas = 25;
constexpr std::size_t longest_name = 80;

/// The part of `text` before the first `end`, which is cut off with it.
std::string_view cut_off(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  const auto part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

Replica parse_replica(std::string_view line) {
  Replica replica;
  std::string address, port;
  while (!line.empty()) {
    std::string_view value = cut_off(line, ',');
    const std::string_view key = cut_off(value, '=');
    if (key == "ip") address = value;
    if (key == "port") port = value;
    if (key == "state") replica.state = foreign_text(value, longest_name);
    if (key == "lag") replica.lag_seconds = to_number(value);
    if (key == "offset") replica.offset = to_number(value);
  }
  const bool brackets = address.find(':') != std::string::npos;
  replica.name = foreign_text(brackets ? "[" + address + "]:" + port : address + ":" + port, longest_name);
  return replica;
}

}  // namespace

Info Info::parse(std::string_view text) {
  Info info;
  for (std::size_t count = 0; count < most_lines && !text.empty(); ++count) {
    std::string_view line = cut_off(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#') || line.size() > longest_line || line.find(':') == std::string_view::npos) continue;
    const std::string_view key = cut_off(line, ':');
    info.lines_.emplace(key, line);
  }
  return info;
}

std::string_view Info::text(std::string_view key) const {
  const auto found = lines_.find(key);
  return found == lines_.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<double> Info::number(std::string_view key) const { return to_number(text(key)); }

std::optional<double> Info::amount(std::string_view key) const {
  const auto value = number(key);
  return value && *value >= 0 ? value : std::nullopt;
}

std::vector<Replica> Info::replicas() const {
  std::vector<Replica> all;
  for (std::size_t i = 0; i < most_replicas; ++i) {
    const auto line = text("slave" + std::to_string(i));
    if (line.empty()) break;
    all.push_back(parse_replica(line));
  }
  return all;
}

}  // namespace vitald::probes::redis
