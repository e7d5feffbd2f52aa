// What matching lines have in common: one example and a count for all that differ in numbers and ids only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "config/observation.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes {

/// Each word with a digit in it becomes '#': "#-#-# #:#:# job # failed for user #".
std::string masked(std::string_view line);

/// The lines of the last hour, in at most a dozen kinds. Remembered from run to run, so that the tenth line of an hour
/// does not stand alone in the message that it causes.
class DistinctLines {
 public:
  static constexpr Duration kept_for = std::chrono::hours(1);

  explicit DistinctLines(Wall now) : now_(now) {}
  /// Goes on from what write() left.
  DistinctLines(const Remembered& memory, Wall now);

  void add(std::string_view line);
  void write(Remembered& memory) const;
  /// The most frequent first, at most `most`: "12 times" and the last of them.
  std::vector<Evidence> evidence(std::size_t most = 8) const;

 private:
  struct Kind {
    std::uint64_t key = 0;  // of the masked line
    Wall last;
    std::uint64_t count = 0;
    std::string example;
  };
  std::vector<Kind> kinds_;
  Wall now_;
};

}  // namespace vitald::probes
