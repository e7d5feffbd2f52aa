// clean(): foreign bytes made fit to be shown to a person (docs/guarantees.md R18).
#include <algorithm>
#include <array>
#include <cstdint>

#include "alerting/voice.hpp"

namespace vitald::alerting {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view ellipsis = "\xE2\x80\xA6";     // U+2026

struct Point {
  std::uint32_t value = 0;
  std::size_t bytes = 1;  // that it took
  bool valid = false;
};

/// The code point at the front (RFC 3629). Of what is none, one byte at a time is skipped.
Point first_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 && lead < 0xF5   ? 4
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xC2 && lead < 0xE0 ? 2
                                                           : 0;
  if (length == 0 || text.size() < length) return {};
  std::uint32_t value = lead & (0xFFu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3Fu);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest[length] || value > 0x10FFFF || surrogate || (value & 0xFFFE) == 0xFFFE)
    return {0, length, false};
  return {value, length, true};
}

bool is_break(std::uint32_t point) {
  return (point >= 0x09 && point <= 0x0D) || point == 0x85 || point == 0x2028 || point == 0x2029;
}

bool is_control(std::uint32_t point) { return point < 0x20 || (point >= 0x7F && point < 0xA0); }

/// Has no width, or turns the direction of what follows: text that a person would not see, or would read as something
/// else.
bool is_invisible(std::uint32_t point) {
  struct Range {
    std::uint32_t first, last;
  };
  constexpr std::array ranges = {Range{0x00AD, 0x00AD},  Range{0x034F, 0x034F}, Range{0x061C, 0x061C},
                                 Range{0x180B, 0x180E},  Range{0x200B, 0x200F}, Range{0x202A, 0x202E},
                                 Range{0x2060, 0x206F},  Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB},
                                 Range{0xE0000, 0xE0FFF}};
  for (const Range& range : ranges) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

/// "\x1b": what a terminal would obey, a person can read.
std::string visible(std::uint32_t control) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'\\', 'x', digits[control >> 4], digits[control & 15]};
}

}  // namespace

std::string clean(std::string_view foreign, std::size_t most) {
  std::string text;
  std::size_t length = 0;  // characters in text
  std::size_t room = 0;    // bytes of it that leave room for the ellipsis
  while (!foreign.empty()) {
    const Point point = first_point(foreign);
    const std::string_view bytes = foreign.substr(0, point.bytes);
    foreign.remove_prefix(point.bytes);
    std::string piece(point.valid ? bytes : replacement);
    std::size_t characters = 1;
    if (point.valid && is_invisible(point.value)) continue;
    if (point.valid && is_break(point.value)) piece = " ";
    if (point.valid && is_control(point.value) && !is_break(point.value)) {
      piece = visible(point.value);
      characters = piece.size();
    }
    if (piece == " " && (text.empty() || text.back() == ' ')) continue;
    if (length + characters > most) {
      text.resize(room);
      while (text.ends_with(' ')) text.pop_back();
      return most == 0 ? "" : text.append(ellipsis);
    }
    text += piece;
    length += characters;
    if (length < most) room = text.size();
  }
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string clean_lines(std::string_view foreign, std::size_t most) {
  constexpr std::size_t most_lines = 12;
  // The end of a log tells more than its beginning.
  std::string text;
  std::size_t room = most;
  for (std::size_t count = 0; !foreign.empty() && count < most_lines && room > 0;) {
    const std::size_t before = foreign.rfind('\n');
    const std::string_view line = before == std::string_view::npos ? foreign : foreign.substr(before + 1);
    foreign = before == std::string_view::npos ? "" : foreign.substr(0, before);
    const std::string one = clean(line, room);
    if (one.empty()) continue;
    text.insert(0, text.empty() ? one : one + "\n");
    room -= std::min(room, one.size() + 1);
    ++count;
  }
  return text;
}

}  // namespace vitald::alerting
