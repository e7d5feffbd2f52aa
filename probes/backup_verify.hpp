// One backup read from end to end and decoded, a piece at a time: a dump of 50 GB takes more than one run.
#pragma once

#include <memory>
#include <string>

#include "probes/archive.hpp"
#include "probes/glob.hpp"

namespace vitald::probes::backup {

/// What came out, worth remembering as long as the file stays the same.
struct Finding {
  enum class What { intact, corrupt, hollow };
  What what = What::intact;
  std::string words = {};  // of corrupt: "its end is missing"
};

/// A word for the memory, and back; nothing where it says nothing.
std::string to_text(const Finding& finding);
std::optional<Finding> finding_from(std::string_view text);

/// Used by one thread at a time: jobs on workers, one after the other.
class Verification {
 public:
  enum class State { reading, ended, changed };  // changed: it is another file by now

  Verification(std::string root, FoundFile file, Packing packing);
  Verification(const Verification&) = delete;
  ~Verification();

  /// The next piece, a fraction of a second's work. Blocks. Throws ProbeFailure: denied:PATH, cannot_verify:PATH, and
  /// unreadable (wrong), where the disk fails.
  void advance();

  State state() const { return state_; }
  const FoundFile& file() const { return file_; }
  const Finding& finding() const { return finding_; }  // once it has ended
  /// How much of it was read, 0 to 1.
  double progress() const;

 private:
  void open();
  void conclude(bool whole);

  const std::string root_;
  const FoundFile file_;
  std::unique_ptr<Archive> archive_;
  State state_ = State::reading;
  Finding finding_;
  int descriptor_ = -1;
  std::uint64_t read_ = 0;
};

}  // namespace vitald::probes::backup
