// What is really so in the simulated world: how each target fares, and what each receiver has taken.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "alerting/deliver.hpp"
#include "alerting/event.hpp"
#include "tests/sim/random.hpp"

namespace vitald::sim {

enum class Condition { fine, slow, down, unmeasurable };

/// One target: conditions that follow each other for random times. Glitches are short, outages long.
class Target {
 public:
  explicit Target(Random& random, bool counts_events) : random_(random), counts_events_(counts_events) {}

  /// Becomes something else, and says for how long.
  Duration change();
  void calm() {
    condition_ = Condition::fine;
    calm_ = true;
  }
  Condition condition() const { return condition_; }
  Observation observe();

 private:
  Random& random_;
  bool counts_events_;
  bool calm_ = false;
  Condition condition_ = Condition::fine;
};

/// One receiver: takes messages, or misbehaves in one of the ways that real ones do.
class Receiver {
 public:
  enum class Mood { takes, unavailable, too_many, resets, answer_lost, malformed, forbids };

  struct Answer {
    alerting::Judgement judgement;
    bool taken = false;
  };

  Answer receive(const alerting::Attempt& attempt, Mood mood, Random& random);

  /// In the order of arrival, repeats included.
  const std::vector<alerting::Notification>& taken() const { return taken_; }

 private:
  std::vector<alerting::Notification> taken_;
};

}  // namespace vitald::sim
