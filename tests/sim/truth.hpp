// What is really so in the simulated world: how each target fares, and what each receiver has taken.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/deliver.hpp"
#include "alerting/event.hpp"
#include "tests/sim/random.hpp"

namespace vitald::sim {

enum class Condition {
  fine,
  slow,
  down,
  unmeasurable,
  flapping,  // up and down by turns, each for some seconds
  lossy,     // each probe may be lost
};
std::string_view to_string(Condition condition);

/// One target: conditions that follow each other for random times. Glitches are short, outages long. `calm_between`
/// bounds how long it is fine in between.
class Target {
 public:
  Target(Random& random, bool counts_events, Duration calm_between)
      : random_(random), counts_events_(counts_events), calm_between_(calm_between) {}

  /// Becomes something else, and says for how long.
  Duration change();
  void calm() {
    condition_ = Condition::fine;
    calm_ = true;
  }
  Condition condition() const { return condition_; }
  /// `cut`: what leads to it is down, whatever its own condition.
  Observation observe(Steady now, bool cut);

 private:
  bool is_away(Steady now) const;

  Random& random_;
  bool counts_events_;
  Duration calm_between_;
  bool calm_ = false;
  Condition condition_ = Condition::fine;
  Duration flap_{1};  // how long it stays up or down while it flaps
};

/// What a receiver took of one incident.
struct Heard {
  std::uint32_t newest = 0;
  bool raised = false, recovered = false;
};

/// One receiver: takes messages, or misbehaves in one of the ways that real ones do.
class Receiver {
 public:
  enum class Mood { takes, slow, unavailable, too_many, resets, answer_lost, malformed, forbids };

  struct Answer {
    alerting::Judgement judgement;
    bool taken = false;
    Duration after{};  // how long it takes to answer
  };

  Answer receive(const alerting::Attempt& attempt, Mood mood, Random& random);
  /// What it took of the incident, before what it takes now is noted.
  Heard& heard(const alerting::IncidentId& incident) { return heard_[incident]; }

 private:
  std::map<alerting::IncidentId, Heard> heard_;
  std::size_t taken_ = 0;
};
std::string_view to_string(Receiver::Mood mood);

}  // namespace vitald::sim
