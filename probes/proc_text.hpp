// The small text files in which the kernel tells its figures (/proc, /sys): lines, words, numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vitald::probes {

struct Host;

/// The whole number at the beginning of the text, blanks before it skipped; nothing for "max", "-1" and words.
std::optional<std::uint64_t> leading_count(std::string_view text);

/// The number after `key` at the beginning of a line: "MemTotal:", "oom_kill ".
std::optional<std::uint64_t> counted(std::string_view text, std::string_view key);

/// What is between blanks and tabs.
std::vector<std::string_view> words_of(std::string_view line);

/// Takes the first line off `text`, without its end.
std::string_view take_line(std::string_view& text);

/// A file that a host need not have, or not let us read; `path` as for Host::read.
std::optional<std::string> read_if_there(const Host& host, const std::string& path);

/// The number in a file that need not be there.
std::optional<std::uint64_t> count_if_there(const Host& host, const std::string& path);

/// How many CPUs are in use, at least 1.
std::size_t count_cores(const Host& host);

}  // namespace vitald::probes
