// What people do to a simulated host: they take incidents, change the configuration, set the clock, close the lid.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/sim/simulation.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

void Simulation::people() {
  if (!faults_) return;
  agenda_.at(random_.between(Duration(1min), estate_.calm_between() / 2), [this] { people(); });
  if (clock_is_set_ && random_.chance(300)) set_the_clock();
  if (random_.chance(300) && alive_) {
    const auto open = engine_->open_incidents();
    if (!open.empty()) {
      saw("an incident was acknowledged");
      journal_.note(age(), "acknowledged", nlohmann::json::object());
      step(Acknowledged{open[random_.below(open.size())].record.id.substr(0, 8), "ali"});
    }
  }
  if (random_.chance(100) && alive_) silence();
  if (random_.chance(100)) reload(false);
  if (random_.chance(200)) {
    estate_.change();
    reload(true);
  }
}

/// Of one check, or of about a tenth of them; or one is taken back.
void Simulation::silence() {
  const auto silences = engine_->silences();
  if (!silences.empty() && random_.chance(400)) {
    saw("a silence was taken back");
    return step(SilenceRemoved{silences[random_.below(silences.size())].id});
  }
  saw("a silence");
  SilenceAdded made;
  made.checks.names = {random_.chance(300) ? "c" + std::to_string(random_.below(9) + 1) + "*"
                                           : rules_->checks[random_.below(rules_->checks.size())].name};
  made.lasts = random_.between(Duration(2min), Duration(4h));
  made.owner = "ali";
  made.reason = "work on the host";
  made.until_recovered = random_.chance(300);
  const double lasts = std::chrono::duration<double>(made.lasts).count();
  journal_.note(age(), "silence", {{"checks", made.checks.names.front()}, {"lasts", lasts}});
  step(made);
}

/// Somebody sets it; a zone's rules are applied to hardware that keeps local time; or the host was asleep, which stops
/// the steady clock and not the other.
void Simulation::set_the_clock() {
  wall_jumped_ = true;
  switch (random_.below(3)) {
    case 0:
      saw("the wall clock was set");
      wall_offset_ += random_.between(Duration(-2h), Duration(2h));
      break;
    case 1:
      saw("the wall clock went an hour forth or back");
      wall_offset_ += random_.chance(500) ? Duration(1h) : Duration(-1h);
      break;
    default:
      saw("the host was suspended");
      wall_offset_ += random_.between(Duration(1min), Duration(48h));
      break;
  }
  note_the_clock();
}

/// A daemon that is dead finds the new file when it starts.
void Simulation::reload(bool changed) {
  if (!alive_) return;
  saw(changed ? "the configuration was changed" : "the configuration was reloaded");
  log(changed ? "changed" : "reloaded");
  const std::shared_ptr<const Rules> before = rules_;
  adopt_receivers();
  adopt_checks();
  step(Elapsed{});  // what was due anyway is not the reload's
  const std::size_t decided = decided_;
  step(Reconfigured{rules_});
  if (!changed && decided_ != decided) violate("a reload that changes nothing tells somebody something");
  if (!alive_) return;
  for (const auto& check : checks_) {
    if (check->rules != nullptr && check->changed == agenda_.now()) plan_ticks(*check);
  }
  for (const auto& channel : channels_) {
    if (channel->configured && !channel->queue) channel->queue.emplace(channel->name, RetryPolicy{}, random_.draw());
  }
}

void Simulation::adopt_checks() {
  const std::shared_ptr<const Rules> before = std::exchange(rules_, estate_.rules());
  if (before == rules_) return;
  journal_.note_rules(age(), *rules_, now().wall);
  if (!rules_->maintenance.empty()) saw("a configuration with maintenance windows");
  const auto old = [&](const std::string& name) -> const CheckRules* {
    if (!before) return nullptr;
    const auto found = std::find_if(before->checks.begin(), before->checks.end(),
                                    [&](const CheckRules& check) { return check.name == name; });
    return found == before->checks.end() ? nullptr : &*found;
  };
  for (const auto& check : checks_) check->rules = nullptr;
  for (const CheckRules& rules : rules_->checks) {
    auto found = by_name_.find(rules.name);
    if (found == by_name_.end() && !rules.was.empty()) {
      found = by_name_.find(rules.was);
      if (found != by_name_.end()) saw("a check was renamed");
    }
    Check* check = found == by_name_.end() ? nullptr : found->second;
    if (check == nullptr) {
      check = checks_.emplace_back(std::make_unique<Check>()).get();
      check->target = std::make_unique<Target>(random_, random_.chance(300), estate_.calm_between());
      if (!faults_) check->target->calm();  // a daemon that was dead reads the new file after they have stopped
      check->network = random_.below(8);  // the upper half is in none
      agenda_.at(random_.between(Duration(1min), estate_.calm_between()), [this, check] { change_target(*check); });
    }
    by_name_[rules.name] = check;
    const CheckRules* known = old(check->name);
    const bool same = known != nullptr && known->name == rules.name && known->every == rules.every &&
                      known->limits == rules.limits && known->confirm.spread == rules.confirm.spread &&
                      known->recover.successes == rules.recover.successes && known->critical == rules.critical &&
                      known->depends_on == rules.depends_on;
    if (!same) check->changed = agenda_.now();
    check->name = rules.name;
    check->rules = &rules;
  }
  for (const auto& check : checks_) {
    check->above.clear();
    if (check->rules == nullptr) continue;
    for (const std::string& name : check->rules->depends_on) check->above.push_back(by_name_.at(name));
    journal_.note(
        age(), "member",
        {{"check", check->name}, {"network", check->network}, {"condition", to_string(check->target->condition())}});
  }
}

void Simulation::adopt_receivers() {
  const std::vector<std::string>& wanted = estate_.rules()->receivers;
  for (const auto& channel : channels_) {
    if (!channel->configured || std::find(wanted.begin(), wanted.end(), channel->name) != wanted.end()) continue;
    saw("a receiver was removed");
    channel->configured = false;
    const bool was_stopped = channel->queue && channel->queue->stopped();
    channel->queue.reset();
    channel->out.reset();
    if (was_stopped && engine_) step(SelfRecovered{"receiver:" + channel->name, "it is not configured any more"});
  }
  for (const std::string& name : wanted) {
    if (channel_of(name) != nullptr) continue;
    Channel& channel = *channels_.emplace_back(std::make_unique<Channel>());
    channel.name = name;
    agenda_.at(random_.between(Duration(1min), estate_.calm_between()), [this, &channel] { change_mood(channel); });
  }
}

}  // namespace vitald::sim
