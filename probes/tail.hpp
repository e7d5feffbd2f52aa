// The end of a text, as evidence: what somebody would look at first after logging in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vitald::probes {

/// The last lines of a regular file, as last_lines_of() has them; "" where it is not there, not readable or something
/// else. Reads at most 64 KiB and follows no special file. Blocks: call it in a worker's job.
std::string last_lines(const std::string& path, std::size_t lines = 8);

/// The last lines that are not blank, oldest first, each made fit for a message and at most 200 bytes, joined by '\n'.
std::string last_lines_of(std::string_view text, std::size_t lines = 8);

}  // namespace vitald::probes
