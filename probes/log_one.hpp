// One log of those that log_follow.hpp follows, during one run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/log_follow.hpp"
#include "probes/log_lines.hpp"
#include "probes/log_position.hpp"

namespace vitald::probes {

class OneLog {
 public:
  /// `known`: what was remembered of it. `fresh`: it was not there at earlier runs, so all of it is new.
  OneLog(const FollowOptions& options, std::string path, std::optional<LogMemory> known, bool fresh);

  /// Reads at most `budget` bytes, and takes them off.
  void run(std::uint64_t& budget, const OnLogLine& on_line, Followed& into);

  FollowedLog& about() { return about_; }
  const LogMemory& memory() const { return memory_; }
  /// Forgets the oldest files.
  void keep(std::size_t positions, std::size_t carry);

 private:
  struct Candidate {
    LogFile file;
    std::unique_ptr<LogBytes> bytes = nullptr;
    bool at_path = false;  // the file at the path itself
    bool unreadable = false;
    bool taken = false;
  };
  struct Placed {
    Position position;
    Candidate* at = nullptr;
  };

  bool look();
  LogBytes* bytes_of(Candidate& candidate);
  void begin();
  void place();
  void place_by_inode();
  void place_by_content();
  void find_content(Placed& placed, bool may_be_at_path);
  bool is_too_new(const Candidate& candidate, const Placed& placed) const;
  bool adopt(Placed& placed, Candidate& candidate);
  void add_new();
  bool is_copy(Candidate& candidate);
  void put_before(std::size_t self, std::size_t end);
  void join_half_lines(std::size_t from);
  void drop_missing(Followed& into);
  void read_all(std::uint64_t& budget, const OnLogLine& on_line, Followed& into);
  bool read_on(Position& position, LogBytes& bytes, std::uint64_t& budget, LogLines& lines);
  void remember();

  const FollowOptions& options_;
  LogMemory memory_;
  bool known_, fresh_;
  Candidate* cut_ = nullptr;  // the file that was current, cut to nothing meanwhile: what it held is in a copy
  bool stopped_ = false;      // the time was up before all was found
  bool was_current_ = false;
  FollowedLog about_;
  std::vector<std::unique_ptr<Candidate>> candidates_;  // the file at the path first, then as rotated_files has them
  std::vector<Placed> placed_;
};

}  // namespace vitald::probes
