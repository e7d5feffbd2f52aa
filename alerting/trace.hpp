// Why it is as it is: the chain of reasons that a check and an incident carry, in plain words, stored with their
// records. It is what `vitald explain` and the timeline of an incident are made of (docs/guarantees.md R23).
//
// A stage that decides something says so with one line:
//
//   explain(turn, check, "held by an event until " + say_time(at));
//
// It costs a string, so it is called where something changes, never for an observation that changes nothing; what
// changed puts the record out with this step, and the reasons travel in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"

namespace vitald::alerting {

struct CheckState;
struct Incident;
struct Turn;

struct Reason {
  Wall at{};     // the latest time
  Wall first{};  // the same, unless it was said several times
  int times = 1;
  std::string text;
};

/// A bounded list, oldest first. What is said again, at once or in turn with one other line, is counted and not
/// listed again.
class Trace {
 public:
  struct Bounds {
    std::size_t lines, bytes;
    std::size_t first;  // so many of the oldest are kept for good, those behind them go first
  };
  static constexpr Bounds of_a_check = {24, 4 * 1024, 0};
  static constexpr Bounds of_an_incident = {200, 32 * 1024, 40};

  explicit Trace(Bounds bounds) : bounds_(bounds) {}
  void add(Wall at, std::string_view text);
  const std::vector<Reason>& reasons() const { return reasons_; }
  /// How many lines had to go.
  std::size_t dropped() const { return dropped_; }
  void clear();

  /// One text, a line for each reason, and back; lines that make no sense are left out.
  std::string to_text() const;
  void read(std::string_view text);

 private:
  void keep_within_bounds();

  Bounds bounds_;
  std::vector<Reason> reasons_;
  std::size_t bytes_ = 0;
  std::size_t dropped_ = 0;
};

/// What the stages call.
void explain(const Turn& turn, CheckState& check, std::string_view text);
void explain(const Turn& turn, Incident& incident, std::string_view text);

}  // namespace vitald::alerting
