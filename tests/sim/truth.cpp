#include "tests/sim/truth.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

Duration Target::change() {
  if (condition_ != Condition::fine) {
    condition_ = Condition::fine;
    return random_.between(Duration(30s), Duration(20min));
  }
  const std::uint64_t kind = random_.below(10);
  condition_ = kind < 2 ? Condition::slow : kind < 8 ? Condition::down : Condition::unmeasurable;
  const bool glitch = random_.chance(400);
  return glitch ? random_.between(Duration(1s), Duration(8s)) : random_.between(Duration(1min), Duration(25min));
}

Observation Target::observe() {
  Observation observation;
  const bool event = counts_events_ && !calm_ && random_.chance(20);
  switch (condition_) {
    case Condition::fine:
    case Condition::slow:
      observation.summary = "200 OK";
      observation.samples = {{"duration", condition_ == Condition::slow ? 0.5 : 0.05}};
      if (counts_events_) observation.samples.push_back({"failed_jobs", event ? 1.0 : 0.0});
      break;
    case Condition::down:
      observation.outcome = Outcome::refused;
      observation.summary = "connection refused";
      observation.reason = "connect_refused";
      break;
    case Condition::unmeasurable:
      observation.outcome = Outcome::unmeasured;
      observation.summary = "no resolver answers";
      observation.reason = random_.chance(500) ? "no_resolver" : "descriptors";
      break;
  }
  return observation;
}

Receiver::Answer Receiver::receive(const Attempt& attempt, Mood mood, Random& random) {
  const auto answer = [&](Judgement::Kind kind, std::string why, bool taken) {
    if (taken) taken_.push_back(attempt.notification);
    Answer made;
    made.judgement.kind = kind;
    made.judgement.why = std::move(why);
    made.taken = taken;
    if (taken) made.judgement.handle = "handle-" + std::to_string(taken_.size());
    return made;
  };
  switch (mood) {
    case Mood::takes:
      break;
    case Mood::unavailable:
      return answer(Judgement::Kind::retry, "503", false);
    case Mood::too_many: {
      Answer made = answer(Judgement::Kind::retry, "429", false);
      made.judgement.after = random.between(Duration(1s), Duration(90s));
      return made;
    }
    case Mood::resets:
      return answer(Judgement::Kind::retry, "reset by peer", false);
    case Mood::answer_lost: {
      Answer made = answer(Judgement::Kind::retry, "timed out", true);
      made.judgement.handle.clear();
      return made;
    }
    case Mood::malformed:
      if (attempt.form != Form::minimal) return answer(Judgement::Kind::malformed, "400", false);
      break;
    case Mood::forbids:
      return answer(Judgement::Kind::refused, "403", false);
  }
  return answer(Judgement::Kind::accepted, "", true);
}

}  // namespace vitald::sim
