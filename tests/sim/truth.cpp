#include "tests/sim/truth.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

std::string_view to_string(Condition condition) {
  switch (condition) {
    case Condition::fine:
      return "fine";
    case Condition::slow:
      return "slow";
    case Condition::down:
      return "down";
    case Condition::unmeasurable:
      return "unmeasurable";
    case Condition::flapping:
      return "flapping";
    case Condition::lossy:
      return "lossy";
  }
  return "";
}

std::string_view to_string(Receiver::Mood mood) {
  constexpr std::array words = {"takes",  "slow",        "unavailable", "too_many",
                                "resets", "answer_lost", "malformed",   "forbids"};
  return words[static_cast<std::size_t>(mood)];
}

Duration Target::change() {
  if (condition_ != Condition::fine) {
    condition_ = Condition::fine;
    return random_.between(Duration(30s), calm_between_);
  }
  const std::uint64_t kind = random_.below(20);
  condition_ = kind < 4    ? Condition::slow
               : kind < 14 ? Condition::down
               : kind < 17 ? Condition::unmeasurable
               : kind < 18 ? Condition::flapping
                           : Condition::lossy;
  if (condition_ == Condition::flapping) {
    flap_ = random_.between(Duration(5s), Duration(60s));
    return random_.between(Duration(3min), Duration(40min));
  }
  const bool glitch = random_.chance(400);
  return glitch ? random_.between(Duration(1s), Duration(8s)) : random_.between(Duration(1min), Duration(25min));
}

bool Target::is_away(Steady now) const {
  switch (condition_) {
    case Condition::down:
      return true;
    case Condition::flapping:
      return now.time_since_epoch() / flap_ % 2 == 0;
    case Condition::lossy:
      return random_.chance(600);
    case Condition::fine:
    case Condition::slow:
    case Condition::unmeasurable:
      break;
  }
  return false;
}

Observation Target::observe(Steady now, bool cut) {
  Observation observation;
  if (condition_ == Condition::unmeasurable) {
    observation.outcome = Outcome::unmeasured;
    observation.summary = "no resolver answers";
    observation.reason = random_.chance(500) ? "no_resolver" : "descriptors";
  } else if (is_away(now) || cut) {
    observation.outcome = Outcome::refused;
    observation.summary = "connection refused";
    observation.reason = "connect_refused";
  } else {
    observation.summary = "200 OK";
    observation.samples = {{"duration", condition_ == Condition::slow ? 0.5 : 0.05}};
    const bool event = counts_events_ && !calm_ && random_.chance(20);
    if (counts_events_) observation.samples.push_back({"failed_jobs", event ? 1.0 : 0.0});
  }
  return observation;
}

Receiver::Answer Receiver::receive(const Attempt& attempt, Mood mood, Random& random) {
  Answer made;
  made.after = random.between(Duration(1ms), mood == Mood::slow ? Duration(40s) : Duration(500ms));
  const auto answer = [&](Judgement::Kind kind, std::string why, bool taken) {
    made.judgement.kind = kind;
    made.judgement.why = std::move(why);
    made.taken = taken;
    if (taken) made.judgement.handle = "handle-" + std::to_string(++taken_);
    return made;
  };
  switch (mood) {
    case Mood::takes:
    case Mood::slow:
      break;
    case Mood::unavailable:
      return answer(Judgement::Kind::retry, "503", false);
    case Mood::too_many:
      made.judgement.after = random.between(Duration(1s), Duration(90s));
      return answer(Judgement::Kind::retry, "429", false);
    case Mood::resets:
      return answer(Judgement::Kind::retry, "reset by peer", false);
    case Mood::answer_lost:
      answer(Judgement::Kind::retry, "timed out", true);
      made.judgement.handle.clear();
      made.judgement.perhaps_taken = true;
      return made;
    case Mood::malformed:
      if (attempt.form != Form::minimal) return answer(Judgement::Kind::malformed, "400", false);
      break;
    case Mood::forbids:
      return answer(Judgement::Kind::refused, "403", false);
  }
  return answer(Judgement::Kind::accepted, "", true);
}

}  // namespace vitald::sim
