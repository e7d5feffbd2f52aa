// The own-network guard at random: whatever happens to the network and to the sites, nobody is paged for a site that is
// up, every site that is down is told of within the time that the guard may hold it, and one message tells of a cut.
#include "alerting/guard.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "alerting/engine.hpp"
#include "rehearsal/memory_store.hpp"
#include "tests/sim/random.hpp"

namespace vitald::alerting {
namespace {

using namespace std::chrono_literals;
using rehearsal::MemoryStore;
using sim::Random;

constexpr int sites = 4;

std::string site(int number) { return "site-" + std::to_string(number); }

std::shared_ptr<const Rules> rules(Random& random) {
  Rules rules;
  rules.instance = "web-1";
  rules.receivers = {"ops"};
  for (auto& escalation : rules.escalations) escalation.steps.push_back({{}, false, {"ops"}});
  for (int number = 0; number <= sites; ++number) {
    CheckRules& check = rules.checks.emplace_back();
    check.name = number < sites ? site(number) : "uplink";
    check.probe = number < sites ? "http" : "uplink";
    check.remote = number < sites;
    check.every = 30s;
    check.confirm = {random.between(1, 4), {5s, 10s, 15s}};
    check.recover = {random.between(1, 2)};
    check.hold = 15min;
  }
  rules.uplink = "uplink";
  return std::make_shared<const Rules>(rules);
}

/// A span of time in which something is not there.
struct Outage {
  Duration from{}, to{};
  bool at(Duration time) const { return time >= from && time < to; }
};

class World {
 public:
  explicit World(Random& random) : random_(random), rules_(rules(random)) { start(); }

  Outage network;
  std::map<std::string, Outage> down;
  std::vector<std::pair<Duration, Notification>> messages;

  void run(Duration until, bool restarts) {
    while (time_ < until) {
      time_ += 1s;
      const Duration now = time_;
      if (restarts && random_.chance(2)) restart();
      for (const CheckRules& check : rules_->checks) {
        const auto number = static_cast<int>(&check - rules_->checks.data());
        const auto asked = requests_.find(check.name);
        const bool again = asked != requests_.end() && asked->second <= now;
        if (!again && now % 30s != number * 7s) continue;
        if (again) requests_.erase(asked);
        observe(check.name);
      }
      if (wake_at_ && *wake_at_ <= at().steady) step(Elapsed{});
    }
  }

  Status settled(const std::string& name) const { return engine_->view(name)->settled; }

 private:
  Now at() const { return {Steady(1000h + time_), Wall(480'000h + time_)}; }
  void start() {
    engine_ = std::make_unique<Engine>(rules_, store_.load(), at(), std::array<std::uint64_t, 4>{1, 2, 3, ++starts_});
  }
  void restart() {
    if (random_.chance(500)) step(Stopping{});
    requests_.clear();
    start();
    step(Elapsed{});
  }
  void observe(const std::string& name) {
    Observed event;
    event.check = name;
    event.started = at();
    const bool fails = network.at(time_) || (down.contains(name) && down.at(name).at(time_));
    if (fails) {
      event.observation.outcome = Outcome::refused;
      event.observation.reason = name == "uplink" ? "anchors_silent" : "connect_timeout";
      event.observation.summary = "no answer";
    }
    step(event);
  }
  void step(const Event& event) {
    const Effects effects = engine_->step(at(), event);
    store_.commit(effects);
    wake_at_ = effects.wake_at;
    for (const RunCheck& request : effects.requests) requests_[request.check] = request.at - Steady(1000h);
    for (const Notification& message : effects.outbox) {
      messages.emplace_back(time_, message);
      const Effects after = engine_->step(at(), Delivered{message.id, true, "", ""});
      store_.commit(after);
      wake_at_ = after.wake_at;
    }
  }

  Random& random_;
  std::shared_ptr<const Rules> rules_;
  std::unique_ptr<Engine> engine_;
  MemoryStore store_;
  std::map<std::string, Duration> requests_;
  std::optional<Steady> wake_at_;
  Duration time_{};
  std::uint64_t starts_ = 0;
};

TEST(guard, one_cut_is_one_message_and_hides_no_outage) {
  int told_by_digest = 0, told_by_problem = 0, sites_down = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    World world(random);
    world.network.from = random.between(2min, 4min);
    world.network.to =
        world.network.from + (random.chance(600) ? random.between(2min, 9min) : random.between(13min, 50min));
    for (int number = 1; number < sites; ++number) {
      if (!random.chance(300)) continue;
      const Duration from = random.between(3min, 60min);
      world.down[site(number)] = {from, from + random.between(20min, 60min)};
    }
    world.run(150min, random.chance(500));
    std::set<std::string> told;
    std::size_t of_the_uplink = 0;
    for (const auto& [when, message] : world.messages) {
      if (message.check == "uplink") {
        ++of_the_uplink;
        told_by_digest += message.kind == NotificationKind::digest ? 1 : 0;
        told_by_problem += message.kind == NotificationKind::problem ? 1 : 0;
        continue;
      }
      if (message.check == "further checks") {  // more than a receiver's budget: told together
        for (const auto& [name, outage] : world.down) {
          if (message.summary.find(name) != std::string::npos) told.insert(name);
        }
        continue;
      }
      EXPECT_TRUE(world.down.contains(message.check)) << message.check << " was never down: " << message.summary;
      if (message.kind == NotificationKind::problem) told.insert(message.check);
    }
    EXPECT_GE(of_the_uplink, 1u);
    EXPECT_LE(of_the_uplink, 2u);
    for (const auto& [name, outage] : world.down) {
      ++sites_down;
      // While the host is cut off it may be one of those that are also affected; when it is back the site is told of.
      const Duration seen = std::max(outage.from, world.network.at(outage.from) ? world.network.to : outage.from);
      if (outage.to - seen > 5min) {
        EXPECT_TRUE(told.contains(name)) << name;
      }
      EXPECT_EQ(world.settled(name), Status::ok);
    }
  }
  EXPECT_GT(told_by_digest, 10);
  EXPECT_GT(told_by_problem, 5);
  EXPECT_GT(sites_down, 20);
}

}  // namespace
}  // namespace vitald::alerting
