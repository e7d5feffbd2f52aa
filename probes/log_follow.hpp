// Follows logs from run to run: each line counts once, whatever rotation does to the files in between. Blocks: for
// workers' jobs.
//
// A log is renamed and made anew, copied and cut to nothing, gzip'ed at once or later, all of it several times between
// two runs or while vitald is down: what was not read is looked for where it is now, by device and inode, and by what
// it begins with and what stood where the reading ended (log_position.hpp). A file that was renamed is still followed,
// since its program may write on into it. What nobody can find any more is a gap, and said.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "probes/failure.hpp"
#include "probes/log_bytes.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes {

struct FollowOptions {
  std::string root;                  // Host::root: in front of every path when it is used
  std::vector<std::string> logs;     // paths and patterns
  std::vector<std::string> rotated;  // patterns of rotated files that are not beside their logs
  bool from_start = false;           // whether a log that was never looked at is read from its start
  bool reads = true;                 // false: only looks what is there
  std::uint64_t most_bytes = 64 << 20;
  Wall now;
  std::function<bool()> stop = [] { return false; };  // asked between pieces: true when the time is up
};

/// One log after a run.
struct FollowedLog {
  std::string path;
  std::optional<LogFile> file;            // nothing: it is not there
  std::optional<LogFile> rotated;         // what rotation made last
  Wall since;                             // first looked at
  bool moved = false;                     // it is not there, but where rotation has put it is known
  std::optional<ProbeFailure> trouble{};  // it cannot be read
};

struct Followed {
  std::vector<FollowedLog> logs;
  std::uint64_t lines = 0, bytes = 0;  // read in this run
  std::uint64_t lag = 0;               // bytes that are left for the next run
  std::vector<std::string> gaps;       // one sentence each
  Remembered memory;                   // for the next run
};

using OnLogLine = std::function<void(const std::string& path, std::string_view line)>;

/// Throws ProbeFailure(unmeasured) where the patterns match more files than can be followed.
Followed follow(const FollowOptions& options, const Remembered& memory, const OnLogLine& on_line);

inline constexpr std::size_t most_logs = 100;

}  // namespace vitald::probes
