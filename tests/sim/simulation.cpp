#include "tests/sim/simulation.hpp"

#include <algorithm>

#include "alerting/confirm.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

namespace {

Observed observed_event(const std::string& check, const Now& started, const Observation& observation, Duration took) {
  Observed event;
  event.check = check;
  event.observation = observation;
  event.started = started;
  event.took = took;
  return event;
}

}  // namespace

Simulation::Simulation(std::uint64_t seed, Fault fault) : random_(seed), fault_(fault) { make_rules(); }

void Simulation::make_rules() {
  rules_ = std::make_shared<Rules>();
  rules_->instance = "sim";
  rules_->unknown_after = random_.between(Duration(1min), Duration(10min));
  const int receivers = random_.between(1, 3);
  for (int index = 0; index < receivers; ++index) {
    rules_->receivers.push_back("r" + std::to_string(index));
    channels_.emplace_back().name = rules_->receivers.back();
  }
  for (Escalation& escalation : rules_->escalations) {
    escalation.steps.push_back({{}, false, {rules_->receivers.front()}});
    if (random_.chance(600)) {
      escalation.steps.push_back(
          {random_.between(Duration(1min), Duration(15min)), random_.chance(500), {rules_->receivers.back()}});
    }
    if (random_.chance(600)) escalation.remind = random_.between(Duration(3min), Duration(30min));
  }
  const int count = random_.between(1, 6);
  for (int index = 0; index < count; ++index) {
    Check& check = checks_.emplace_back();
    CheckRules& rules = check.rules;
    rules.name = "c" + std::to_string(index);
    rules.probe = "sim";
    rules.every = random_.between(Duration(10s), Duration(60s));
    rules.confirm = *confirmation_preset(random_.chance(500) ? "calm" : "fast");
    rules.recover.successes = random_.between(1, 3);
    rules.critical = static_cast<Severity>(random_.between(0, 3));
    rules.warning = std::max(rules.critical, Severity::p2);
    rules.hold = random_.between(Duration(1min), Duration(10min));
    Limit slow;
    slow.sample = "duration";
    slow.warning = Threshold{0.2};
    if (random_.chance(300)) slow.hold_for = 1min;
    Limit jobs;
    jobs.sample = "failed_jobs";
    jobs.kind = SampleKind::event;
    jobs.critical = Threshold{1};
    rules.limits = {slow, jobs};
    check.target = std::make_unique<Target>(random_, random_.chance(300));
    for (int above = 0; above < index; ++above) {
      if (random_.chance(300)) rules.depends_on.push_back("c" + std::to_string(above));
    }
    rules_->checks.push_back(rules);
  }
}

Report Simulation::run() {
  for (std::size_t index = 0; index < checks_.size(); ++index) {
    at(random_.between(Duration(1min), Duration(10min)), [this, index] { change_target(index); });
  }
  for (std::size_t index = 0; index < channels_.size(); ++index) {
    at(random_.between(Duration(1min), Duration(10min)), [this, index] { change_mood(index); });
  }
  at(3min, [this] { people(); });
  start();
  const Steady end_of_faults = time_ + random_.between(Duration(40min), Duration(2h));
  const Steady end = end_of_faults + 45min;
  while (!actions_.empty() && actions_.begin()->first.first <= end && outcome_.violations.empty()) {
    if (faults_ && actions_.begin()->first.first > end_of_faults) {
      time_ = end_of_faults;
      stop_faults();
      continue;
    }
    auto next = actions_.extract(actions_.begin());
    time_ = next.key().first;
    next.mapped()();
  }
  if (outcome_.violations.empty()) judge_end();
  return std::move(outcome_);
}

void Simulation::at(Duration after, Action action) { actions_[{time_ + after, ++sequence_}] = std::move(action); }

void Simulation::later(Duration after, Action action) {
  at(after, [this, life = life_, action = std::move(action)] {
    if (alive_ && life == life_) action();
  });
}

// ---- the world

void Simulation::change_target(std::size_t index) {
  if (!faults_) return;
  Check& check = checks_[index];
  if (check.target->condition() == Condition::down) judge_detection(index, time_ - check.condition_since);
  const Duration lasts = check.target->change();
  check.condition_since = time_;
  at(lasts, [this, index] { change_target(index); });
}

void Simulation::change_mood(std::size_t index) {
  if (!faults_) return;
  Channel& channel = channels_[index];
  constexpr std::array moods = {Receiver::Mood::unavailable, Receiver::Mood::too_many,  Receiver::Mood::resets,
                                Receiver::Mood::answer_lost, Receiver::Mood::malformed, Receiver::Mood::forbids};
  const bool was_fine = channel.mood == Receiver::Mood::takes;
  channel.mood = was_fine ? moods[random_.below(moods.size())] : Receiver::Mood::takes;
  if (channel.queue && channel.queue->stopped() && channel.mood == Receiver::Mood::takes) {
    saw("a stopped queue started again");
    channel.queue->resume(now());
    step(SelfRecovered{"receiver:" + channel.name, "it takes messages again"});
    poke(index);
  }
  at(random_.between(Duration(10s), Duration(12min)), [this, index] { change_mood(index); });
}

/// A person takes an incident, reloads, or sets the clock now and then.
void Simulation::people() {
  if (!faults_) return;
  at(random_.between(Duration(1min), Duration(10min)), [this] { people(); });
  if (random_.chance(100)) {
    wall_offset_ += random_.between(Duration(-2h), Duration(2h));
    wall_jumped_ = true;
    saw("the wall clock was set");
  }
  if (!alive_) return;
  if (random_.chance(300)) {
    const auto open = engine_->open_incidents();
    if (!open.empty()) {
      saw("an incident was acknowledged");
      step(Acknowledged{open[random_.below(open.size())].record.id.substr(0, 8), "ali"});
    }
  }
  if (random_.chance(150)) {
    saw("the configuration was reloaded");
    step(Reconfigured{std::make_shared<const Rules>(*rules_)});
  }
}

// ---- the daemon

void Simulation::start() {
  ++life_;
  alive_ = true;
  Snapshot snapshot = store_.load();
  for (Channel& channel : channels_) {
    channel.queue.emplace(channel.name, RetryPolicy{}, random_.draw());
    channel.out.reset();
  }
  for (const Notification& row : snapshot.outbox) {
    for (Channel& channel : channels_) {
      if (channel.name == row.id.receiver) channel.queue->add(row, now());
    }
  }
  if (!snapshot.incidents.empty()) saw("a start with an open incident");
  engine_ = std::make_unique<Engine>(rules_, std::move(snapshot), now(),
                                     std::array{random_.draw(), random_.draw(), random_.draw(), random_.draw()});
  log("start");
  step(Elapsed{});
  for (std::size_t index = 0; index < checks_.size(); ++index) {
    checks_[index].running = checks_[index].again = false;
    checks_[index].homeless_since.reset();
    later(random_.between(Duration(0s), checks_[index].rules.every), [this, index] { tick(index); });
  }
  for (std::size_t index = 0; index < channels_.size(); ++index) poke(index);
}

void Simulation::die(const char* where) {
  saw(where);
  log(std::string("died ") + where);
  for (Channel& channel : channels_) {
    if (channel.out) ++excuses_[*channel.out];
  }
  alive_ = false;
  died_at_ = time_;
  engine_.reset();
  uncommitted_.clear();
  commit_planned_ = false;
  wake_planned_.reset();
  at(random_.between(Duration(1s), random_.chance(200) ? Duration(20min) : Duration(20s)), [this] { start(); });
}

bool Simulation::may_die(int in_a_thousand, const char* where) {
  if (!faults_ || !random_.chance(in_a_thousand)) return false;
  die(where);
  return true;
}

void Simulation::tick(std::size_t index) {
  later(checks_[index].rules.every, [this, index] { tick(index); });
  if (!checks_[index].running) run_check(index);
}

void Simulation::run_check(std::size_t index) {
  Check& check = checks_[index];
  check.running = true;
  const Now started = now();
  Observation observation = check.target->observe();
  if (is_dragged_along(check)) {
    observation = {.outcome = Outcome::refused, .summary = "no answer from below", .reason = "dragged"};
  }
  const bool bad = is_dragged_along(check) || check.target->condition() != Condition::fine;
  if (bad) check.bad_starts.insert(started.wall);
  later(random_.between(Duration(1ms), Duration(1500ms)),
        [this, index, started, observation] { observed(index, started, observation); });
}

/// What it needs is down, and so it does not work either, whatever its own condition.
bool Simulation::is_dragged_along(const Check& check) const {
  return std::any_of(check.rules.depends_on.begin(), check.rules.depends_on.end(), [&](const std::string& name) {
    const Check& above = checks_[std::stoul(name.substr(1))];
    return above.target->condition() == Condition::down || is_dragged_along(above);
  });
}

void Simulation::observed(std::size_t index, const Now& started, const Observation& observation) {
  Check& check = checks_[index];
  check.running = false;
  step(observed_event(check.rules.name, started, observation, time_ - started.steady));
  if (!alive_) return;
  judge_belonging(check);
  if (!check.running && std::exchange(check.again, false)) run_check(index);
}

void Simulation::step(const Event& event) {
  if (!alive_) return;
  Effects effects = engine_->step(now(), event);
  wake_planned_ = effects.wake_at;
  arm();
  for (const RunCheck& request : effects.requests) {
    const auto index = static_cast<std::size_t>(std::stoul(request.check.substr(1)));
    later(std::max(request.at - time_, Duration::zero()), [this, index] {
      if (checks_[index].running) {
        checks_[index].again = true;
      } else {
        run_check(index);
      }
    });
  }
  if (effects.nothing_to_store()) return;
  if (may_die(2, "between deciding and committing")) return;
  uncommitted_.push_back(std::move(effects));
  if (std::exchange(commit_planned_, true)) return;
  later(random_.between(Duration(1ms), Duration(40ms)), [this] { commit(); });
}

void Simulation::arm() {
  if (!wake_planned_) return;
  later(std::max(*wake_planned_ - time_, Duration::zero()), [this, planned = *wake_planned_] {
    if (wake_planned_ == planned) step(Elapsed{});
  });
}

void Simulation::log(const std::string& line) {
  outcome_.log += std::to_string((time_.time_since_epoch() - 1000h) / 1ms) + " " + line + "\n";
}

}  // namespace vitald::sim
