// The storm bound (docs/guarantees.md R11) over random failures of 1 to 1,000 checks, random escalations and reminders,
// acknowledgements left out, restarts in between. A failure prints its seed; FIRST_SEED=S SEEDS=N runs others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "alerting/engine.hpp"
#include "alerting/json_fields.hpp"
#include "rehearsal/memory_store.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) { make_rules(); }

  void run() {
    start({});
    const Duration length = 5h;
    for (const CheckRules& check : rules_->checks) plan(check.name, length);
    std::size_t restarts = below(3);
    for (const auto& [when, change] : changes_) {
      if (restarts > 0 && below(changes_.size()) < 3) {
        --restarts;
        start(store_.load());
        step(Elapsed{});
      }
      advance(when);
      Observed event;
      event.check = change.first;
      event.started = now();
      event.observation.outcome = change.second ? Outcome::refused : Outcome::answered;
      event.observation.summary = change.second ? "connection refused" : "fine";
      step(event);
    }
    // Whatever has been gathered is told by then: the hour's share is free again.
    advance(time_ + 70min);
  }

  struct Sent {
    Duration at;
    Notification message;
  };
  std::map<std::string, std::vector<Sent>> sent;  // by receiver, in the order of time
  const rehearsal::MemoryStore& store() const { return store_; }
  const Rules& rules() const { return *rules_; }

 private:
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  Duration between(Duration low, Duration high) {
    return Duration(std::uniform_int_distribution<std::int64_t>(low.count(), high.count())(random_));
  }

  void make_rules() {
    auto rules = std::make_shared<Rules>();
    rules->instance = "host";
    rules->receivers = {"a", "b"};
    for (Escalation& escalation : rules->escalations) {
      escalation.steps.push_back({{}, false, {"a"}});
      if (below(2) == 0) escalation.steps.push_back({between(1s, 20min), below(2) == 0, {"b"}});
      if (below(3) == 0) escalation.steps.push_back({between(20min, 40min), false, {"a", "b"}});
      if (below(2) == 0) escalation.remind = between(1s, 30min);
    }
    const std::size_t scale = below(3) == 0 ? 1000 : below(2) == 0 ? 60 : 8;
    const std::size_t count = 1 + below(scale);
    for (std::size_t index = 0; index < count; ++index) {
      CheckRules& check = rules->checks.emplace_back();
      check.name = "c" + std::to_string(index);
      check.probe = "http";
      check.critical = static_cast<Severity>(below(4));
      check.confirm = {1, {}};
      check.recover = {1};
      check.every = 30s;
    }
    rules_ = std::move(rules);
    burst_ = below(2) == 0;
    burst_at_ = between(0s, 2h);
  }

  /// Fails, and recovers as a rule; often with all others at once.
  void plan(const std::string& check, Duration length) {
    const Duration fails = burst_ && below(10) > 0 ? burst_at_ + between(0s, 5s) : between(0s, length / 2);
    changes_.emplace(fails, std::pair(check, true));
    if (below(8) == 0) return;
    changes_.emplace(below(4) == 0 ? fails + between(1s, 2min) : fails + between(1min, length / 2),
                     std::pair(check, false));
  }

  Now now() const { return {Steady(1000h) + time_, Wall(24h * 365 * 55) + time_}; }

  void start(Snapshot snapshot) {
    engine_ = std::make_unique<Engine>(rules_, std::move(snapshot), now(),
                                       std::array<std::uint64_t, 4>{random_(), random_(), random_(), random_()});
    wake_at_ = now().steady;
  }

  void advance(Duration to) {
    while (wake_at_ && *wake_at_ - Steady(1000h) <= to) {
      time_ = std::max(time_, *wake_at_ - Steady(1000h));
      step(Elapsed{});
    }
    time_ = to;
  }

  void step(const Event& event) {
    const Effects effects = engine_->step(now(), event);
    store_.commit(effects);
    wake_at_ = effects.wake_at;
    for (const Notification& message : effects.outbox) {
      sent[message.id.receiver].push_back({time_, message});
      const Effects settled = engine_->step(now(), Delivered{message.id, true, "", ""});
      store_.commit(settled);
      wake_at_ = settled.wake_at;
    }
  }

  std::mt19937_64 random_;
  std::shared_ptr<const Rules> rules_;
  bool burst_ = false;
  Duration burst_at_{};
  std::multimap<Duration, std::pair<std::string, bool>> changes_;
  std::unique_ptr<Engine> engine_;
  rehearsal::MemoryStore store_;
  std::optional<Steady> wake_at_;
  Duration time_{};
};

/// The most messages in any such window, whatever they are about, but for recoveries of what was told before it.
std::size_t most_within(const std::vector<World::Sent>& sent, Duration window) {
  std::map<IncidentId, Duration> first;
  for (const auto& one : sent) first.try_emplace(one.message.id.incident, one.at);
  std::size_t most = 0;
  for (std::size_t begin = 0; begin < sent.size(); ++begin) {
    std::size_t count = 0;
    for (std::size_t at = begin; at < sent.size() && sent[at].at < sent[begin].at + window; ++at) {
      const Notification& message = sent[at].message;
      const bool of_before = first.at(message.id.incident) < sent[begin].at;
      if (message.kind != NotificationKind::recovery || !of_before) ++count;
    }
    most = std::max(most, count);
  }
  return most;
}

/// Every open incident was told to those whom its steps name at once, or belongs to a storm that was.
void expect_told(const World& world, std::uint64_t seed) {
  for (const auto& [id, record] : world.store().incidents()) {
    if (record.closed || record.subject.starts_with("storm:")) continue;
    if (record.told.contains("a")) continue;
    const Json state = parse_object(record.state);
    const Json* storms = member(state, "storms");
    ASSERT_TRUE(storms != nullptr && storms->contains("a")) << "seed " << seed << ": nobody heard of " << record.check;
    const auto storm = world.store().incidents().find((*storms)["a"].get<std::string>());
    ASSERT_TRUE(storm != world.store().incidents().end() && !storm->second.closed) << "seed " << seed;
    EXPECT_TRUE(storm->second.told.contains("a")) << "seed " << seed << ": a storm that was never told";
  }
}

/// A storm is open as long as one of its members, and what was told is un-told.
void expect_untold(const World& world, std::uint64_t seed) {
  std::map<IncidentId, bool> recovered;
  for (const auto& [receiver, all] : world.sent) {
    recovered.clear();
    for (const auto& one : all) {
      bool& over = recovered[one.message.id.incident];
      EXPECT_FALSE(over) << "seed " << seed << ": something came after the recovery";
      over = one.message.kind == NotificationKind::recovery;
    }
    for (const auto& [id, over] : recovered) {
      const auto& record = world.store().incidents().at(id);
      EXPECT_EQ(over, record.closed.has_value()) << "seed " << seed << ": " << receiver << " on " << record.subject;
    }
  }
}

TEST(storm_property, no_receiver_gets_more_than_the_bound_and_nothing_is_hidden) {
  const std::uint64_t first = from_environment("FIRST_SEED", 1);
  const std::uint64_t seeds = from_environment("SEEDS", 20);
  int storms = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    World world(seed);
    world.run();
    for (const auto& [receiver, all] : world.sent) {
      EXPECT_LE(most_within(all, 1min), 5u) << "FIRST_SEED=" << seed << " SEEDS=1: " << receiver;
      EXPECT_LE(most_within(all, 1h), 20u) << "FIRST_SEED=" << seed << " SEEDS=1: " << receiver;
      storms += static_cast<int>(std::count_if(all.begin(), all.end(), [](const auto& one) {
        return one.message.check == "further checks" && one.message.kind == NotificationKind::problem;
      }));
    }
    expect_told(world, seed);
    expect_untold(world, seed);
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_TRUE(seeds < 20 || storms >= 8) << "a test that sees no storms proves nothing: " << storms;
}

}  // namespace
}  // namespace vitald::alerting
