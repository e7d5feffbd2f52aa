// Flapping: how many messages a day any pattern can cause, and that what is real is told as promptly as ever.
#include "alerting/flap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <set>

#include "alerting/confirm.hpp"
#include "alerting/engine.hpp"
#include "rehearsal/memory_store.hpp"
#include "tests/sim/random.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using rehearsal::MemoryStore;
using sim::Random;

constexpr std::size_t most_a_day = 26;

/// One check, run as the daemon would: by its schedule, and again when the engine asks for it.
class World {
 public:
  struct Message {
    Duration at{};
    NotificationKind kind{};
    Status status{};
  };
  using Truth = std::function<Status(Duration)>;

  explicit World(CheckRules check) {
    check.name = "web";
    check.probe = "test";
    check.hold = 15min;
    Limit limit;
    limit.sample = "load";
    limit.warning = Threshold{5};
    limit.critical = Threshold{10};
    check.limits = {limit};
    Rules rules;
    rules.instance = "web-1";
    rules.receivers = {"ops"};
    for (auto& escalation : rules.escalations) escalation.steps.push_back({{}, false, {"ops"}});
    rules.checks = {check};
    rules_ = std::make_shared<const Rules>(rules);
    start();
  }

  void run(Duration until, const Truth& truth) {
    const Duration every = rules_->checks[0].every;
    for (Duration regular = time_;;) {
      const Duration again = requests_.empty() ? Duration::max() : *requests_.begin();
      const Duration next = std::min(regular, again);
      if (next >= until) break;
      time_ = std::max(time_, next);
      if (next == regular) regular += every;
      requests_.erase(requests_.begin(), requests_.upper_bound(time_));
      observe(truth(time_));
    }
    time_ = until;
  }

  /// By SIGTERM or by kill -9, and away for a moment.
  void restart(bool clean, Duration away) {
    if (clean) step(Stopping{});
    requests_.clear();
    time_ += away;
    start();
    step(Elapsed{});
  }

  std::size_t most_within_a_day() const {
    std::size_t most = 0;
    for (std::size_t from = 0; from < messages.size(); ++from) {
      std::size_t to = from;
      while (to < messages.size() && messages[to].at < messages[from].at + 24h) ++to;
      most = std::max(most, to - from);
    }
    return most;
  }
  Duration time() const { return time_; }
  Status settled() const { return engine_->view("web")->settled; }

  std::vector<Message> messages;

 private:
  Now now() const { return {Steady(1000h + time_), Wall(480'000h + time_)}; }

  void start() {
    engine_ = std::make_unique<Engine>(rules_, store_.load(), now(), std::array<std::uint64_t, 4>{1, 2, 3, ++starts_});
  }

  void observe(Status verdict) {
    Observed event;
    event.check = "web";
    event.started = now();
    if (verdict == Status::unknown) {
      event.observation.outcome = Outcome::unmeasured;
      event.observation.reason = "no_resolver";
    } else {
      const double load = verdict == Status::critical ? 20 : verdict == Status::warning ? 7 : 1;
      event.observation.samples = {{"load", load}};
    }
    step(event);
  }

  void step(const Event& event) {
    const Effects effects = engine_->step(now(), event);
    store_.commit(effects);
    for (const RunCheck& request : effects.requests) requests_.insert(request.at - Steady(1000h));
    for (const Notification& message : effects.outbox) {
      if (message.check == "web") messages.push_back({time_, message.kind, message.status});
      store_.commit(engine_->step(now(), Delivered{message.id, true, "", ""}));
    }
  }

  std::shared_ptr<const Rules> rules_;
  std::unique_ptr<Engine> engine_;
  MemoryStore store_;
  std::set<Duration> requests_;
  Duration time_{};
  std::uint64_t starts_ = 0;
};

CheckRules any_check(Random& random) {
  CheckRules check;
  const std::vector<Duration> rhythms = {15s, 30s, 47s, 1min, 5min};
  check.every = rhythms[random.below(rhythms.size())];
  switch (random.below(4)) {
    case 0:
      check.confirm = *confirmation_preset("fast");
      break;
    case 1:
      check.confirm = *confirmation_preset("calm");
      break;
    case 2:
      check.confirm = {random.between(1, 5), {Duration(random.between(1, 20) * 1s)}};
      break;
    default:
      check.passive = true;
  }
  check.recover = {random.between(1, 3)};
  return check;
}

Duration log_uniform(Random& random, Duration least, Duration most) {
  const double part = static_cast<double>(random.below(1'000'000)) / 1e6;
  const double ratio = static_cast<double>(most.count()) / static_cast<double>(least.count());
  return Duration(static_cast<Duration::rep>(static_cast<double>(least.count()) * std::pow(ratio, part)));
}

TEST(flap, a_site_that_flips_every_20_s_causes_between_1_and_26_messages_a_day) {
  for (const char* preset : {"fast", "calm"}) {
    for (const Duration every : {30s, 47s}) {
      CheckRules check;
      check.confirm = *confirmation_preset(preset);
      check.every = every;
      World world(check);
      world.run(24h, [](Duration at) { return at / 20s % 2 == 0 ? Status::critical : Status::ok; });
      EXPECT_GE(world.messages.size(), 1u) << preset << " every " << every.count();
      EXPECT_LE(world.messages.size(), most_a_day) << preset << " every " << every.count();
    }
  }
}

TEST(flap, any_periodic_pattern_causes_at_most_26_messages_a_day) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    World world(any_check(random));
    const Duration period = log_uniform(random, 20s, 6h);
    const Duration bad = period * random.between(5, 95) / 100;
    const Status worst = random.chance(700) ? Status::critical : Status::warning;
    const Status best = worst == Status::critical && random.chance(200) ? Status::warning : Status::ok;
    world.run(30h, [&](Duration at) { return at % period < bad ? worst : best; });
    EXPECT_LE(world.most_within_a_day(), most_a_day);
    world.run(40h, [](Duration) { return Status::ok; });
    EXPECT_EQ(world.settled(), Status::ok) << "in the end it has recovered";
    if (!world.messages.empty()) {
      EXPECT_EQ(world.messages.back().kind, NotificationKind::recovery);
    }
  }
}

TEST(flap, any_random_pattern_over_restarts_and_gaps_stays_within_26_and_ends_with_the_truth) {
  for (std::uint64_t seed = 1; seed <= 14; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(1000 + seed);
    World world(any_check(random));
    const Duration mean = log_uniform(random, 10s, 3h);
    while (world.time() < 30h) {
      const Status now = static_cast<Status>(random.below(4));
      const Duration lasts = log_uniform(random, mean / 8, mean * 8);
      world.run(std::min<Duration>(world.time() + lasts, 30h), [&](Duration) { return now; });
      if (random.chance(50)) {
        const std::size_t before = world.messages.size();
        world.restart(random.chance(500), random.between(1s, 60s));
        EXPECT_EQ(world.messages.size(), before) << "a restart alone tells nobody anything";
      }
    }
    EXPECT_LE(world.most_within_a_day(), most_a_day);
    const bool down = random.chance(500);
    world.run(world.time() + 6h, [&](Duration) { return down ? Status::critical : Status::ok; });
    EXPECT_EQ(world.settled(), down ? Status::critical : Status::ok);
    if (!world.messages.empty()) {
      EXPECT_EQ(world.messages.back().status, world.settled());
    }
  }
}

/// Whoever knows the demands, and is good for just as long as it takes each time.
TEST(flap, even_an_adversary_stays_within_26) {
  for (const bool levels : {false, true}) {
    CheckRules check;
    check.confirm = {1, {1s}};
    check.recover = {1};
    check.every = 30s;
    World world(check);
    int stage = 0;
    std::size_t told = 0;
    world.run(72h, [&](Duration) {
      if (world.messages.size() != told) {
        told = world.messages.size();
        ++stage;
      }
      static constexpr Status with_levels[] = {Status::critical, Status::warning, Status::ok};
      if (levels) return with_levels[stage % 3];
      return stage % 2 == 0 ? Status::critical : Status::ok;
    });
    EXPECT_GT(world.messages.size(), 5u) << "it is an adversary, as far as the receiver's budget lets it";
    EXPECT_LE(world.most_within_a_day(), most_a_day);
  }
}

TEST(flap, an_outage_after_a_quiet_day_is_told_and_untold_as_promptly_as_ever) {
  for (std::uint64_t seed = 1; seed <= 16; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(2000 + seed);
    const CheckRules check = any_check(random);
    World world(check);
    const Duration period = log_uniform(random, 20s, 1h);
    world.run(3h, [&](Duration at) { return at % period < period / 2 ? Status::critical : Status::ok; });
    world.run(33h, [](Duration) { return Status::ok; });
    const std::size_t before = world.messages.size();
    const Duration from = world.time() + random.between(1s, 1h);
    const Duration span = confirmation_span(check) + check.every + 1s;
    const Duration to = from + span + random.between(0s, 3h);
    world.run(to + 1h, [&](Duration at) { return at >= from && at < to ? Status::critical : Status::ok; });
    ASSERT_EQ(world.messages.size(), before + 2);
    EXPECT_EQ(world.messages[before].kind, NotificationKind::problem);
    EXPECT_LE(world.messages[before].at, from + span);
    EXPECT_EQ(world.messages[before + 1].kind, NotificationKind::recovery);
    const Duration step = check.confirm.spread.empty() ? Duration(5s) : check.confirm.spread.back();
    EXPECT_LE(world.messages[before + 1].at, to + check.every + step * (check.recover.successes - 1) + 1s);
  }
}

TEST(flap, one_long_outage_with_a_restart_of_the_target_in_it_is_not_unstable) {
  Flapping state;
  Duration time = 0s;
  const auto runs = [&](Status verdict, Duration until) {
    for (; time < until; time += 30s) observe(state, verdict, Steady(1000h + time), 30s);
  };
  runs(Status::critical, 12min);
  runs(Status::ok, 14min);
  runs(Status::critical, 25min);
  EXPECT_EQ(counted(state, Status::ok, Status::ok, Status::critical, false, Steady(1000h + time)), Status::ok);
}

TEST(flap, a_recovery_is_not_held_back_where_nobody_was_told) {
  Flapping state;
  for (int times = 0; times < 9; ++times) rise(state, false, {Steady(1000h), Wall(480'000h)});
  EXPECT_EQ(state.demand, Duration(4h));
  EXPECT_EQ(counted(state, Status::ok, Status::critical, Status::ok, true, Steady(1001h)), Status::critical);
  EXPECT_EQ(counted(state, Status::ok, Status::critical, Status::ok, false, Steady(1001h)), Status::ok);
  EXPECT_EQ(fall(state), "steady for 4 h");
  EXPECT_EQ(rise(state, false, {Steady(1030h), Wall(480'030h)}), "") << "forgotten after a day";
}

}  // namespace
}  // namespace vitald::alerting
