#include "daemon/series_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "alerting/voice.hpp"

namespace vitald::daemon {
namespace {

constexpr std::size_t longest_label = 200;

/// ASCII; needs at most a backslash.
bool printable(char c) { return c >= 0x20 && c < 0x7f; }

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}
constexpr std::array<bool, 256> plain = make_plain();

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void append_label_value(std::string& out, std::string_view value) {
  bool ready = value.size() <= longest_label;
  for (const char c : value) ready = ready && plain[static_cast<unsigned char>(c)];
  if (ready) {
    out += value;
    return;
  }
  const bool fine = value.size() <= longest_label && std::all_of(value.begin(), value.end(), printable);
  const std::string cleaned = fine ? "" : alerting::clean(value, longest_label);
  for (const char c : fine ? value : std::string_view(cleaned)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

void append_help(std::string& out, std::string_view help) {
  for (const char c : help) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\') out += '\\';
      out += c;
    }
  }
}

void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out += value > 0 ? "+Inf" : "-Inf";
    return;
  }
  std::array<char, 32> digits;
  // Whole numbers are the most frequent values, and to_chars is four times as fast on integers.
  constexpr double exact = 9007199254740992.0;  // 2^53
  const bool whole = value > -exact && value < exact && value == std::trunc(value);
  const auto end =
      whole ? std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<std::int64_t>(value)).ptr
            : std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

bool is_label_name(std::string_view name) {
  if (name.empty() || name.size() > 100 || !letter(name[0]) || name.starts_with("__")) return false;
  for (const char c : name) {
    if (!letter(c) && !digit(c)) return false;
  }
  return true;
}

std::string metric_name(std::string_view name) {
  std::string made(name);
  for (char& c : made) {
    if (!letter(c) && !digit(c)) c = '_';
  }
  return made;
}

}  // namespace vitald::daemon
