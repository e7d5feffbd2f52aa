#include "config/utf8.hpp"

#include <array>
#include <cstdint>

namespace vitald::config {
namespace {

struct Form {
  unsigned char lead_mask, lead;
  std::size_t length;
  std::uint32_t smallest;  // anything below is overlong
};

constexpr std::array<Form, 4> forms = {
    {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}}};

/// Length of the character at the front, or 0 where there is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  for (const Form& form : forms) {
    if ((byte(0) & form.lead_mask) != form.lead) continue;
    if (text.size() < form.length) return 0;
    std::uint32_t point = byte(0) & static_cast<unsigned char>(~form.lead_mask);
    for (std::size_t i = 1; i < form.length; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return 0;
      point = (point << 6) | (byte(i) & 0x3fu);
    }
    const bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point < form.smallest || point > 0x10ffff || surrogate ? 0 : form.length;
  }
  return 0;
}

std::string hex(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(c);
  return {'0', 'x', digits[value >> 4], digits[value & 15]};
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f;
}

}  // namespace

std::optional<BadCharacter> find_bad_character(std::string_view text) {
  BadCharacter at;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text.substr(i));
    if (length == 0) {
      at.what = "the byte " + hex(text[i]) + " is not UTF-8; save the file as UTF-8";
      return at;
    }
    if (is_control(text[i])) {
      at.what = "the control character " + hex(text[i]) + " cannot stand in a configuration file";
      return at;
    }
    if (text[i] == '\n') {
      ++at.line;
      at.column = 0;
    }
    ++at.column;
    i += length;
  }
  return std::nullopt;
}

}  // namespace vitald::config
