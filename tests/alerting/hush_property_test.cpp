// Silences, windows, restarts, reloads and a clock that is set, in random order: what must never go out does not, what
// must go out in the end does. A failure prints the seed.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>

#include "alerting/engine.hpp"
#include "rehearsal/memory_store.hpp"

namespace vitald::alerting {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::shared_ptr<const Rules> rules_with(bool windows) {
  auto rules = std::make_shared<Rules>();
  rules->instance = "web-1";
  rules->receivers = {"ops", "lead"};
  for (Escalation& escalation : rules->escalations) {
    escalation.steps = {{Duration::zero(), false, {"ops"}}, {minutes(7), true, {"lead"}}};
    escalation.remind = minutes(5);
  }
  for (const char* name : {"web", "api", "db"}) {
    CheckRules check;
    check.name = name;
    check.labels = {{"team", name == std::string("db") ? "db" : "web"}};
    check.confirm = {1, {}};
    check.recover.successes = 1;
    check.every = seconds(30);
    if (check.name == "api") check.depends_on = {"db"};
    rules->checks.push_back(check);
  }
  if (windows)
    rules->maintenance.push_back({"deploy", {{}, {{"team", "web"}}}, {*Cron::parse("*/20 * * * *"), {}, minutes(6)}});
  return rules;
}

struct Person {
  std::string silence;
  Matcher checks;
  Steady ends;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), rules_(rules_with(true)) { start(); }

  void live(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      now_.steady += seconds(1 + draw(120));
      now_.wall = Wall(now_.steady.time_since_epoch()) + ahead_;
      something();
    }
  }
  /// Nothing is muted any more, and nothing changes: whoever is concerned has been told then.
  void settle_down() {
    rules_ = rules_with(false);
    step(Reconfigured{rules_});
    while (!engine_->silences().empty()) {
      const std::string ended = engine_->silences().front().id;
      std::erase_if(people_, [&](const Person& one) { return one.silence == ended; });
      step(SilenceRemoved{ended});
    }
    people_.clear();
    for (int i = 0; i < 20; ++i) {
      now_.steady += minutes(6);
      now_.wall += minutes(6);
      for (const CheckRules& check : rules_->checks) observe(check.name, bad_.contains(check.name));
      step(Elapsed{});
    }
    // What is beyond the receivers' budgets is told by a storm.
    const auto open = engine_->open_incidents();
    const bool storm = std::any_of(open.begin(), open.end(), [&](const IncidentView& one) {
      return one.record.subject.starts_with("storm:ops:") && told_[one.record.id].contains("ops");
    });
    for (const IncidentView& one : open) {
      EXPECT_FALSE(one.muted);
      if (one.record.subject.starts_with("storm:")) continue;
      EXPECT_TRUE(storm || told_[one.record.id].contains("ops")) << one.record.check << " was never told";
    }
  }

 private:
  int draw(int below) { return static_cast<int>(random_() % static_cast<unsigned>(below)); }

  void something() {
    const std::string check = rules_->checks[static_cast<std::size_t>(draw(3))].name;
    switch (draw(14)) {
      case 0: {
        static const Matcher choices[] = {
            {{"web"}, {}}, {{"*"}, {}}, {{}, {{"team", "db"}}}, {{"a*"}, {{"team", "web"}}}};
        const Matcher& chosen = choices[draw(4)];
        const Duration lasts = minutes(1 + draw(20));
        step(SilenceAdded{chosen, lasts, "ann", "because", false});
        return people_.push_back({engine_->newest_silence(), chosen, now_.steady + lasts});
      }
      case 1: {
        const auto silences = engine_->silences();
        if (silences.empty()) return;
        std::erase_if(people_, [&](const Person& one) { return one.silence == silences.front().id; });
        return step(SilenceRemoved{silences.front().id});
      }
      case 2:
        return start();
      case 3:
        rules_ = rules_with(draw(3) != 0);
        return step(Reconfigured{rules_});
      case 4:
        ahead_ += minutes(draw(120) - 60);
        now_.wall = Wall(now_.steady.time_since_epoch()) + ahead_;
        return step(Elapsed{});
      case 5:
        for (const IncidentView& open : engine_->open_incidents())
          return step(Acknowledged{open.record.id, "ann", draw(2) == 0});
        return;
      case 6:
      case 7:
        return step(Elapsed{});
      default:
        return observe(check, draw(3) != 0);
    }
  }

  void observe(const std::string& check, bool bad) {
    if (bad) {
      bad_.insert(check);
    } else {
      bad_.erase(check);
    }
    Observed event;
    event.check = check;
    event.started = now_;
    event.observation.outcome = bad ? Outcome::refused : Outcome::answered;
    event.observation.summary = bad ? "refused" : "fine";
    step(event);
  }

  void start() {
    engine_ =
        std::make_unique<Engine>(rules_, store_.load(), now_, std::array<std::uint64_t, 4>{1, 2, random_(), ++starts_});
    step(Elapsed{});
  }

  bool muted(const std::string& check) const {
    const auto rule =
        std::find_if(rules_->checks.begin(), rules_->checks.end(), [&](const auto& one) { return one.name == check; });
    if (rule == rules_->checks.end()) return false;  // a storm
    for (const Person& one : people_) {
      if (now_.steady < one.ends && one.checks.fits(check, rule->labels)) return true;
    }
    for (const Maintenance& window : rules_->maintenance) {
      if (window.when.at(now_.wall) && window.checks.fits(check, rule->labels)) return true;
    }
    return false;
  }

  void step(const Event& event) {
    take(engine_->step(now_, event));
    std::set<IncidentId> open;
    for (const IncidentView& view : engine_->open_incidents()) open.insert(view.record.id);
    for (const auto& [incident, receiver] : owed_) {
      EXPECT_TRUE(open.contains(incident)) << receiver << " is owed a recovery of an incident that is over";
    }
  }

  void take(const Effects& effects) {
    store_.commit(effects);
    for (const Notification& message : effects.outbox) {
      auto& told = told_[message.id.incident];
      if (message.kind == NotificationKind::recovery) {
        EXPECT_TRUE(told.contains(message.id.receiver)) << "recovery to somebody who was never told";
        owed_.erase({message.id.incident, message.id.receiver});
      } else {
        EXPECT_FALSE(muted(message.check)) << to_string(message.kind) << " of " << message.check;
      }
      if (message.kind != NotificationKind::recovery && message.kind != NotificationKind::digest) {
        told.insert(message.id.receiver);
        owed_.insert({message.id.incident, message.id.receiver});
      }
      take(engine_->step(now_, Delivered{message.id, true, "", ""}));
    }
  }

  std::mt19937_64 random_;
  std::shared_ptr<const Rules> rules_;
  rehearsal::MemoryStore store_;
  std::unique_ptr<Engine> engine_;
  Now now_{Steady(hours(1000)), Wall(hours(24 * 365 * 55))};
  Duration ahead_ = Wall(hours(24 * 365 * 55)) - Wall(hours(1000));
  std::uint64_t starts_ = 0;
  std::set<std::string> bad_;
  std::vector<Person> people_;
  std::map<IncidentId, std::set<std::string>> told_;
  std::set<std::pair<IncidentId, std::string>> owed_;
};

TEST(hush_property, nothing_goes_out_of_what_is_muted_and_nothing_is_lost) {
  for (std::uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.live(400);
    world.settle_down();
  }
}

}  // namespace
}  // namespace vitald::alerting
