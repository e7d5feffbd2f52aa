// One seeded run of the whole road in virtual time: targets that fail, the real engine, a store that commits
// atomically, the real delivery queues, receivers that misbehave, and a daemon that is killed between any two steps.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "alerting/deliver.hpp"
#include "alerting/engine.hpp"
#include "rehearsal/memory_store.hpp"
#include "tests/sim/random.hpp"
#include "tests/sim/truth.hpp"

namespace vitald::sim {

/// Mistakes that the shell around the engine could make; the simulator must notice them.
enum class Fault { none, mark_before_send, two_transactions };

struct Report {
  std::vector<std::string> violations;
  std::map<std::string, int> seen;  // how often something worth testing happened
  std::string log;
};

class Simulation {
 public:
  Simulation(std::uint64_t seed, Fault fault);
  Report run();

 private:
  struct Check {
    alerting::CheckRules rules;
    std::unique_ptr<Target> target;
    bool running = false;
    bool again = false;  // asked for while it ran
    Steady condition_since{};
    std::optional<Steady> homeless_since;  // confirmed, but in no incident
    std::set<Wall> bad_starts;             // wall starts of runs that found it bad
  };
  struct Channel {
    std::string name;
    Receiver receiver;
    std::optional<alerting::DeliveryQueue> queue;
    std::optional<alerting::NotificationId> out;  // taken from the queue, its settling not committed
    Receiver::Mood mood = Receiver::Mood::takes;
  };
  using Action = std::function<void()>;

  // the world
  void make_rules();
  void at(Duration after, Action action);     // whatever becomes of the daemon
  void later(Duration after, Action action);  // forgotten when the daemon dies
  void change_target(std::size_t index);
  void change_mood(std::size_t index);
  void judge_detection(std::size_t index, Duration lasted);
  void judge_belonging(Check& check);
  void people();

  // the daemon
  void start();
  void die(const char* where);
  bool may_die(int in_a_thousand, const char* where);
  void tick(std::size_t index);
  void run_check(std::size_t index);
  bool is_dragged_along(const Check& check) const;
  void observed(std::size_t index, const Now& started, const Observation& observation);
  void step(const alerting::Event& event);
  void arm();
  void commit();
  bool commit_records_and_messages(const alerting::Effects& effects);
  void note_committed(const alerting::Effects& effects);
  void poke(std::size_t index);
  void send(std::size_t index, const alerting::Attempt& attempt);
  void answered(std::size_t index, const alerting::Judgement& judgement);

  // the end, and the oracle
  void stop_faults();
  void judge_receipt(const Channel& channel, const alerting::Notification& message);
  void judge_end();
  void violate(std::string what);
  void saw(const char* what) { ++outcome_.seen[what]; }
  void log(const std::string& line);
  Now now() const { return {time_, Wall(time_.time_since_epoch() + wall_offset_)}; }

  Random random_;
  Fault fault_;
  Report outcome_;
  std::shared_ptr<alerting::Rules> rules_;
  std::vector<Check> checks_;
  std::vector<Channel> channels_;

  Steady time_{std::chrono::hours(1000)};
  Duration wall_offset_ = std::chrono::hours(24 * 365 * 50);
  bool wall_jumped_ = false;
  std::map<std::pair<Steady, std::uint64_t>, Action> actions_;
  std::uint64_t sequence_ = 0;
  bool faults_ = true;
  std::optional<Steady> died_at_;  // the latest death, for the judgement of detection

  rehearsal::MemoryStore store_;  // survives

  bool alive_ = false;
  std::uint64_t life_ = 0;
  std::unique_ptr<alerting::Engine> engine_;
  std::vector<alerting::Effects> uncommitted_;
  bool commit_planned_ = false;
  std::optional<Steady> wake_planned_;

  std::set<alerting::NotificationId> committed_;     // every message that was ever committed
  std::map<alerting::NotificationId, int> excuses_;  // crashes and lost answers that may repeat it
  std::map<alerting::NotificationId, int> receipts_;
};

}  // namespace vitald::sim
