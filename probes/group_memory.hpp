// What a probe remembers of the members of its groups: since when each is in its state, of which run of the process
// that is, and how many restarts were found in all. Process managers say little of that, and what they count falls when
// somebody resets, scales or starts anew.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes {

class GroupMemory {
 public:
  GroupMemory(std::string_view before, Wall now) : before_(Remembered::read(before)), now_(now) {}

  struct Member {
    std::optional<double> generation;  // at the last run; nothing for one that was not there
    Duration lasts{};                  // how long it has been seen in this state and generation
  };
  /// Once for each member and run. `generation` is another number after each restart.
  Member note(std::string_view name, std::string_view state, double generation);

  /// The group's counter of restarts, which never falls: `first` at the first run, and what was added since.
  double count(std::string_view group, double first, double added);

  std::string written() const { return after_.written(); }

 private:
  void keep(const std::string& key, std::string_view value);

  Remembered before_, after_;
  Wall now_;
};

}  // namespace vitald::probes
