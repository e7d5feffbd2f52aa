// Files by a shell pattern, such as /backups/*/db-*.gz: counted, bounded, and with the reason where a folder is closed.
#pragma once

#include <time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"

namespace vitald::probes {

struct FoundFile {
  std::string path;  // without the host's root
  std::uint64_t device = 0, inode = 0, size = 0;
  Wall changed{};  // mtime

  /// Another content has another one. Without blanks.
  std::string identity() const;
};

struct GlobLimits {
  std::size_t files = 10'000;
  std::size_t entries = 200'000;  // of folders, read on the way
};

struct FoundFiles {
  std::vector<FoundFile> files;  // regular ones, each once, in no order
  std::string missing_folder;    // the part before the first wildcard is not there: the first such, or ""
};

/// A file's time, kept between 1970 and 2200 where it claims to be of another age: whatever it says, no clock
/// overflows.
Wall wall_of(const timespec& time);

/// What makes a pattern one that find_files() takes, or a sentence that says what is wrong with it.
std::string wrong_with_pattern(std::string_view pattern);

/// Blocks: call it in a worker's job. `*`, `?` and `[…]` in any part of the path; a leading dot must be written. Throws
/// ProbeFailure (unmeasured): denied:FOLDER, too_many_files, out_of_descriptors and their like.
FoundFiles find_files(const std::string& root, const std::vector<std::string>& patterns, const GlobLimits& limits = {});

}  // namespace vitald::probes
