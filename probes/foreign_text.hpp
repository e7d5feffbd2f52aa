// Text that a target sent, made fit to stand in a message: bounded, valid UTF-8, on one line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vitald::probes {

/// At most `most` bytes of it and an ellipsis, cut between characters; control characters and bytes that are no UTF-8
/// become '?', a line break a blank.
std::string foreign_text(std::string_view text, std::size_t most = 80);

}  // namespace vitald::probes
