// The world, and the first half of the road: targets fail, checks run, the engine decides.
#include "tests/sim/simulation.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

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

Simulation::Simulation(std::uint64_t seed, Fault fault, const std::string& journal)
    : random_(seed), fault_(fault), journal_(journal), estate_(random_), clock_is_set_(random_.chance(300)) {
  // In the winter of 2020, or half a day before the clocks of Europe go forth or back.
  constexpr std::array<std::int64_t, 3> days = {1580400000, 1585396800, 1603540800};
  wall_offset_ = std::chrono::seconds(days[random_.below(days.size())]) - begun_.time_since_epoch();
}

Report Simulation::run() {
  note_the_clock();
  adopt_receivers();
  adopt_checks();
  for (std::size_t index = 0; index < cut_.size(); ++index) {
    agenda_.at(random_.between(Duration(10min), estate_.calm_between() * 2), [this, index] { change_network(index); });
  }
  agenda_.at(3min, [this] { people(); });
  start();
  const Steady end_of_faults = agenda_.now() + estate_.lasts();
  const Steady end = end_of_faults + 6h;  // a check that came and went must have been calm for up to four hours
  while (!agenda_.empty() && agenda_.next() <= end && outcome_.violations.empty()) {
    if (faults_ && agenda_.next() > end_of_faults) {
      agenda_.advance(end_of_faults);
      stop_faults();
      continue;
    }
    agenda_.step();
  }
  if (outcome_.violations.empty()) judge_end();
  journal_.note(age(), "end", nlohmann::json::object());
  outcome_.simulated = age();
  if (age() > 20h) saw("a day and more, with a change to or from summer time in two of three");
  outcome_.checks = rules_->checks.size();
  return std::move(outcome_);
}

void Simulation::later(Duration after, Agenda::Action action) {
  agenda_.at(after, [this, life = life_, action = std::move(action)] {
    if (alive_ && life == life_) action();
  });
}

/// What the wall clock shows less the time that has passed.
void Simulation::note_the_clock() {
  const Duration ahead = now().wall.time_since_epoch() - age();
  journal_.note(age(), "clock", {{"ahead", std::chrono::duration<double>(ahead).count()}});
}

// ---- the world

void Simulation::change_target(Check& check) {
  if (!faults_ || check.rules == nullptr) return;
  if (check.target->condition() == Condition::down) {
    judge_detection(check, agenda_.now() - std::max(check.condition_since, check.changed));
  }
  if (check.target->condition() == Condition::flapping) saw("a target flapped");
  if (check.target->condition() == Condition::lossy) saw("a burst of loss");
  const Duration lasts = check.target->change();
  check.condition_since = agenda_.now();
  journal_.note(age(), "target", {{"check", check.name}, {"condition", to_string(check.target->condition())}});
  agenda_.at(lasts, [this, &check] { change_target(check); });
}

void Simulation::change_network(std::size_t index) {
  if (!faults_) return;
  cut_[index] = !cut_[index];
  if (cut_[index]) saw("a part of the network was cut off");
  journal_.note(age(), "network", {{"network", index}, {"cut", bool(cut_[index])}});
  const Duration lasts = cut_[index] ? random_.between(Duration(5s), Duration(20min))
                                     : random_.between(Duration(10min), estate_.calm_between() * 2);
  agenda_.at(lasts, [this, index] { change_network(index); });
}

void Simulation::change_mood(Channel& channel) {
  if (!faults_ || !channel.configured) return;
  constexpr std::array moods = {Receiver::Mood::slow,   Receiver::Mood::unavailable, Receiver::Mood::too_many,
                                Receiver::Mood::resets, Receiver::Mood::answer_lost, Receiver::Mood::malformed,
                                Receiver::Mood::forbids};
  const bool was_fine = channel.mood == Receiver::Mood::takes;
  channel.mood = was_fine ? moods[random_.below(moods.size())] : Receiver::Mood::takes;
  journal_.note(age(), "mood", {{"receiver", channel.name}, {"mood", to_string(channel.mood)}});
  if (alive_ && channel.queue && channel.queue->stopped() && channel.mood == Receiver::Mood::takes) {
    saw("a stopped queue started again");
    channel.queue->resume(now());
    step(SelfRecovered{"receiver:" + channel.name, "it takes messages again"});
    poke(channel);
  }
  const Duration lasts = was_fine ? random_.between(Duration(10s), Duration(12min))
                                  : random_.between(Duration(10s), estate_.calm_between());
  agenda_.at(lasts, [this, &channel] { change_mood(channel); });
}

/// What it needs is down, or the network between, and so it does not work either, whatever its own condition.
bool Simulation::is_cut(const Check& check) const {
  if (check.network < cut_.size() && cut_[check.network]) return true;
  return std::any_of(check.above.begin(), check.above.end(), [&](const Check* above) {
    return above->target->condition() == Condition::down || is_cut(*above);
  });
}

Simulation::Channel* Simulation::channel_of(const std::string& receiver) {
  const auto found = std::find_if(channels_.begin(), channels_.end(), [&](const auto& channel) {
    return channel->name == receiver && channel->configured;
  });
  return found == channels_.end() ? nullptr : found->get();
}

// ---- the daemon

void Simulation::start() {
  ++life_;
  alive_ = true;
  journal_.note(age(), "daemon", {{"alive", true}});
  adopt_receivers();  // what people wrote meanwhile
  adopt_checks();
  Snapshot snapshot = store_.load();
  for (const auto& channel : channels_) {
    if (channel->configured) channel->queue.emplace(channel->name, RetryPolicy{}, random_.draw());
    channel->out.reset();
  }
  for (const Notification& row : snapshot.outbox) {
    if (Channel* channel = channel_of(row.id.receiver)) channel->queue->add(row, now());
  }
  if (!snapshot.incidents.empty()) saw("a start with an open incident");
  engine_ = std::make_unique<Engine>(rules_, std::move(snapshot), now(),
                                     std::array{random_.draw(), random_.draw(), random_.draw(), random_.draw()});
  log("start");
  step(Elapsed{});
  for (const auto& check : checks_) {
    check->running = check->again = false;
    check->homeless_since.reset();
    if (check->rules != nullptr) plan_ticks(*check);
  }
  for (const auto& channel : channels_) poke(*channel);
}

void Simulation::die(const char* where) {
  saw(where);
  log(std::string("died ") + where);
  journal_.note(age(), "daemon", {{"alive", false}});
  for (const auto& channel : channels_) {
    if (channel->out) ++excuses_[*channel->out];
  }
  alive_ = false;
  died_at_ = agenda_.now();
  engine_.reset();
  uncommitted_.clear();
  commit_planned_ = false;
  wake_planned_.reset();
  agenda_.at(random_.between(Duration(1s), random_.chance(200) ? Duration(20min) : Duration(20s)), [this] { start(); });
}

bool Simulation::may_die(int in_a_thousand, const char* where) {
  if (!faults_ || !random_.chance(in_a_thousand)) return false;
  die(where);
  return true;
}

void Simulation::plan_ticks(Check& check) {
  later(random_.between(Duration(0s), check.rules->every),
        [this, &check, schedule = ++check.schedule] { tick(check, schedule); });
}

void Simulation::tick(Check& check, std::uint64_t schedule) {
  if (check.rules == nullptr || schedule != check.schedule) return;
  later(check.rules->every, [this, &check, schedule] { tick(check, schedule); });
  if (!check.running) run_check(check);
}

void Simulation::run_check(Check& check) {
  check.running = true;
  const Now started = now();
  Observation observation = check.target->observe(started.steady, is_cut(check));
  const bool happened = observation.samples.size() > 1 && observation.samples[1].value > 0;
  if (happened) journal_.note(age(), "event", {{"check", check.name}});
  if (observation.outcome != Outcome::answered || check.target->condition() == Condition::slow) {
    check.suspect = true;
    check.bad_starts.insert(started.wall);
  }
  later(random_.between(Duration(1ms), Duration(1500ms)),
        [this, &check, started, observation = std::move(observation)] { observed(check, started, observation); });
}

void Simulation::observed(Check& check, const Now& started, const Observation& observation) {
  check.running = false;
  if (check.rules == nullptr) return;
  step(observed_event(check.name, started, observation, agenda_.now() - started.steady));
  if (!alive_) return;
  if (check.suspect) judge_belonging(check);
  if (!check.running && std::exchange(check.again, false)) run_check(check);
}

void Simulation::step(const Event& event) {
  if (!alive_) return;
  Effects effects = engine_->step(now(), event);
  judge_step(effects);
  wake_planned_ = effects.wake_at;
  arm();
  for (const RunCheck& request : effects.requests) {
    Check& check = *by_name_.at(request.check);
    later(std::max(request.at - agenda_.now(), Duration::zero()), [this, &check] {
      if (check.rules == nullptr) return;
      if (check.running) {
        check.again = true;
      } else {
        run_check(check);
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
  later(std::max(*wake_planned_ - agenda_.now(), Duration::zero()), [this, planned = *wake_planned_] {
    if (wake_planned_ == planned) step(Elapsed{});
  });
}

void Simulation::log(const std::string& line) { outcome_.log += std::to_string(age() / 1ms) + " " + line + "\n"; }

}  // namespace vitald::sim
