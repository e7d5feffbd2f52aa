// Text of unknown origin inside one of our sentences.
#pragma once

#include <string>
#include <string_view>

namespace vitald::config {

/// At most 40 bytes of it, cut between characters, on one line, control characters replaced.
std::string shown(std::string_view foreign);

/// ", found 'soon'": the end of a sentence that began with what was expected.
std::string but_found(std::string_view foreign);

}  // namespace vitald::config
