#include "probes/proc_text.hpp"

#include <algorithm>
#include <charconv>

#include "probes/probe.hpp"

namespace vitald::probes {

std::optional<std::uint64_t> leading_count(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> counted(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.starts_with(key)) return leading_count(line.substr(key.size()));
  }
  return std::nullopt;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view blanks = " \t\n";
  std::vector<std::string_view> words;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    if (line.empty()) return words;
    const std::size_t end = std::min(line.find_first_of(blanks), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::optional<std::string> read_if_there(const Host& host, const std::string& path) {
  try {
    return host.read(path);
  } catch (const ProbeFailure&) {
    return std::nullopt;
  }
}

std::optional<std::uint64_t> count_if_there(const Host& host, const std::string& path) {
  return leading_count(read_if_there(host, path).value_or(""));
}

std::size_t count_cores(const Host& host) {
  const std::string list = read_if_there(host, "/sys/devices/system/cpu/online").value_or("");
  std::string_view left = list;
  std::size_t cores = 0;
  while (!left.empty()) {  // "0-3,6"
    const std::size_t end = std::min(left.find(','), left.size());
    const std::string_view range = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    const auto first = leading_count(range);
    const std::size_t dash = range.find('-');
    const auto last = dash == std::string_view::npos ? first : leading_count(range.substr(dash + 1));
    if (first && last && *last >= *first && *last < 65'536) cores += *last - *first + 1;
  }
  return std::max<std::size_t>(cores, 1);
}

}  // namespace vitald::probes
