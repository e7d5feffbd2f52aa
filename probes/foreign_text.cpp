#include "probes/foreign_text.hpp"

namespace vitald::probes {
namespace {

unsigned byte(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

/// Length of the well-formed character that `text` begins with (RFC 3629: no overlong forms, no surrogates), or 0.
std::size_t character_length(std::string_view text) {
  const unsigned lead = byte(text, 0), second = byte(text, 1);
  const auto tail = [&](std::size_t at) { return (byte(text, at) & 0xc0) == 0x80; };
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const bool bad = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f);
    return tail(1) && tail(2) && !bad ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const bool bad = (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
    return tail(1) && tail(2) && tail(3) && !bad ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string foreign_text(std::string_view text, std::size_t most) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    if (clean.size() + std::max<std::size_t>(length, 1) > most) return clean + "…";
    const unsigned lead = byte(text, 0);
    // U+0080 to U+009F are control characters as well; terminals obey them.
    const bool control = lead < 0x20 || lead == 0x7f || (length == 2 && lead == 0xc2 && byte(text, 1) < 0xa0);
    if (lead == '\n' || lead == '\r' || lead == '\t') {
      clean += ' ';
    } else if (length == 0 || control) {
      clean += '?';
    } else {
      clean += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return clean;
}

}  // namespace vitald::probes
