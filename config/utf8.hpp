// What a configuration file may consist of, character by character.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vitald::config {

struct BadCharacter {
  int line = 1;
  int column = 1;
  std::string what;
};

/// The first byte that is no UTF-8 (RFC 3629: no surrogates, no overlong forms), or no text: a control character other
/// than tab, line feed and carriage return, or a byte order mark of UTF-16.
std::optional<BadCharacter> find_bad_character(std::string_view text);

}  // namespace vitald::config
