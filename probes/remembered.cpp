#include "probes/remembered.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace vitald::probes {
namespace {

std::string escaped(std::string_view value) {
  std::string line;
  for (const char c : value) {
    if (c == '\\') {
      line += "\\\\";
    } else if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  return line;
}

std::string unescaped(std::string_view line) {
  std::string value;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool escape = line[i] == '\\' && i + 1 < line.size();
    if (!escape) {
      value += line[i];
      continue;
    }
    ++i;
    value += line[i] == 'n' ? '\n' : line[i];
  }
  return value;
}

}  // namespace

Remembered Remembered::read(std::string_view memory) {
  Remembered read;
  while (!memory.empty()) {
    const std::string_view line = memory.substr(0, memory.find('\n'));
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos && blank > 0) {
      read.values_.insert_or_assign(std::string(line.substr(0, blank)), unescaped(line.substr(blank + 1)));
    }
    memory.remove_prefix(line.size() < memory.size() ? line.size() + 1 : line.size());
  }
  return read;
}

std::optional<std::string> Remembered::text(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::optional<double> Remembered::number(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) return std::nullopt;
  const std::string& text = found->second;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || !std::isfinite(value)) return std::nullopt;
  return value;
}

void Remembered::set(std::string_view key, std::string_view value) {
  values_.insert_or_assign(std::string(key), std::string(value));
}

void Remembered::set(std::string_view key, double value) {
  std::array<char, 32> shortest;
  const auto [end, error] = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value);
  set(key,
      std::string_view(shortest.data(), error == std::errc{} ? static_cast<std::size_t>(end - shortest.data()) : 0));
}

std::string Remembered::written() const {
  std::string memory;
  for (const auto& [key, value] : values_) memory += key + " " + escaped(value) + "\n";
  return memory;
}

}  // namespace vitald::probes
