// How far a log has been read, told so that it is found again whatever became of the file's name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "probes/log_bytes.hpp"

namespace vitald::probes {

/// One file that is, or was, at the path of a log. Device, inode and birth find it after a renaming; the hashes of its
/// first bytes and of those before `seen` find it in a copy or a gzip'ed one, and tell another file with the same
/// inode.
struct Position {
  std::uint64_t device = 0, inode = 0;
  std::int64_t born = 0;
  std::uint64_t offset = 0;  // of the first byte that belongs to no line counted yet
  std::uint64_t seen = 0;    // how far the bytes are known; behind `offset` where a line is half written
  std::uint64_t head = 0, tail = 0;
  bool skipping = false;   // `offset` is within a line that was too long and has been counted
  bool carries = false;    // it was cut to nothing after it was copied: a half line at its end goes on in the next file
  bool continued = false;  // it is that next file
  bool unread = false;     // there was more of it than a run may read
  int missed = 0;          // runs that did not find it

  friend bool operator==(const Position&, const Position&) = default;
};

/// What is remembered of one log.
struct LogMemory {
  std::vector<Position> positions;  // oldest first
  bool current = false;             // the last of them is of the file at the path itself
  std::int64_t horizon = 0;         // last write to what was read: a file not written since holds nothing new
  std::int64_t since = 0;           // seconds of the epoch: when the log was first looked at
  std::string carry;                // the beginning of the half line that goes on in the current file

  friend bool operator==(const LogMemory&, const LogMemory&) = default;
};

std::string written(const LogMemory& memory);
/// Nothing where it is none.
std::optional<LogMemory> parse_log_memory(std::string_view text);

/// At its start.
Position position_in(const LogFile& file);
bool same_file(const LogFile& file, const Position& position);
/// Whether `bytes` are those of the position, and perhaps more.
bool continues(LogBytes& bytes, const Position& position);
/// `tail`: at least the last tail_bytes before position.seen, or all of them.
void take_fingerprint(LogBytes& bytes, std::string_view tail, Position& position);
/// Everything in it counts as read, but for a half line at its end.
Position at_the_end(LogBytes& bytes);

inline constexpr std::size_t tail_bytes = 256;

}  // namespace vitald::probes
