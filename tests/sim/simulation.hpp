// One seeded run of the whole road in virtual time: targets and networks that fail, the real engine, a store that
// commits atomically, the real delivery queues, receivers that misbehave, people who change the configuration and the
// clock, and a daemon that is killed between any two steps.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "alerting/deliver.hpp"
#include "alerting/engine.hpp"
#include "rehearsal/memory_store.hpp"
#include "tests/sim/agenda.hpp"
#include "tests/sim/estate.hpp"
#include "tests/sim/journal.hpp"
#include "tests/sim/random.hpp"
#include "tests/sim/truth.hpp"

namespace vitald::sim {

/// Mistakes that the shell around the engine could make; the simulator must notice them.
enum class Fault { none, mark_before_send, two_transactions };

struct Report {
  std::vector<std::string> violations;
  std::map<std::string, int> seen;  // how often something worth testing happened
  std::string log;
  Duration simulated{};
  std::size_t checks = 0;  // at the end
};

class Simulation {
 public:
  /// `journal`: a file for tests/sim/oracle.py, or "".
  Simulation(std::uint64_t seed, Fault fault, const std::string& journal = "");
  Report run();

 private:
  struct Check {
    std::string name;
    const alerting::CheckRules* rules = nullptr;  // of estate_'s rules of now; nothing when it was removed
    std::unique_ptr<Target> target;
    std::vector<const Check*> above;  // what it depends on
    std::size_t network = 0;
    bool running = false;
    bool again = false;    // asked for while it ran
    bool suspect = false;  // it was bad, and is not known to be good again
    Steady condition_since{};
    Steady changed{};                      // when its rules last did
    std::uint64_t schedule = 0;            // ticks of an older schedule are void
    std::optional<Steady> homeless_since;  // confirmed, but in no incident
    std::set<Wall> bad_starts;             // wall starts of runs that found it bad
  };
  struct Channel {
    std::string name;
    bool configured = true;
    Receiver receiver;
    std::optional<alerting::DeliveryQueue> queue;
    std::optional<alerting::NotificationId> out;  // taken from the queue, its settling not committed
    Receiver::Mood mood = Receiver::Mood::takes;
  };

  // the world
  void later(Duration after, Agenda::Action action);  // forgotten when the daemon dies
  void change_target(Check& check);
  void change_network(std::size_t index);
  void change_mood(Channel& channel);
  bool is_cut(const Check& check) const;

  // people
  void people();
  void silence();
  void set_the_clock();
  void note_the_clock();
  void reload(bool changed);
  void adopt_checks();
  void adopt_receivers();

  // the daemon
  void start();
  void die(const char* where);
  bool may_die(int in_a_thousand, const char* where);
  void plan_ticks(Check& check);
  void tick(Check& check, std::uint64_t schedule);
  void run_check(Check& check);
  void observed(Check& check, const Now& started, const Observation& observation);
  void step(const alerting::Event& event);
  void arm();
  void commit();
  bool commit_records_and_messages(const alerting::Effects& effects);
  void poke(Channel& channel);
  void send(Channel& channel, const alerting::Attempt& attempt);
  void answered(Channel& channel, const alerting::Judgement& judgement);

  // the judgement
  void judge_step(const alerting::Effects& effects);
  void judge_incidents();
  void judge_committed(const alerting::Effects& effects);
  void judge_detection(const Check& check, Duration lasted);
  void judge_belonging(Check& check);
  void judge_receipt(Channel& channel, const alerting::Notification& message);
  void stop_faults();
  void judge_end();
  void judge_heard();
  void violate(std::string what);
  void saw(const char* what) { ++outcome_.seen[what]; }
  void log(const std::string& line);

  Now now() const { return {agenda_.now(), Wall(agenda_.now().time_since_epoch() + wall_offset_)}; }
  Duration age() const { return agenda_.now() - begun_; }
  Channel* channel_of(const std::string& receiver);

  Random random_;
  Fault fault_;
  Report outcome_;
  Journal journal_;
  Estate estate_;
  std::shared_ptr<const alerting::Rules> rules_;     // which the world follows
  std::vector<std::unique_ptr<Check>> checks_;       // every one that ever was
  std::unordered_map<std::string, Check*> by_name_;  // by every name that it ever had
  std::vector<std::unique_ptr<Channel>> channels_;
  std::array<bool, 4> cut_{};  // networks

  static constexpr Steady begun_{std::chrono::hours(1000)};
  Agenda agenda_{begun_};
  Duration wall_offset_{};
  bool wall_jumped_ = false;
  bool clock_is_set_ = false;  // in this world, now and then
  bool faults_ = true;
  std::optional<Steady> died_at_;  // the latest death, for the judgement of detection

  rehearsal::MemoryStore store_;  // survives

  bool alive_ = false;
  std::uint64_t life_ = 0;
  std::unique_ptr<alerting::Engine> engine_;
  std::vector<alerting::Effects> uncommitted_;
  bool commit_planned_ = false;
  std::optional<Steady> wake_planned_;
  int steps_without_time_ = 0;
  std::uint64_t steps_ = 0;
  std::size_t decided_ = 0;  // messages, in all

  std::set<alerting::NotificationId> committed_;                  // every message that was ever committed
  std::map<alerting::IncidentId, std::uint32_t> newest_;          // sequence of the incident's newest committed message
  std::set<std::pair<alerting::IncidentId, std::string>> ended_;  // recoveries that were committed
  std::map<alerting::NotificationId, int> excuses_;               // crashes and lost answers that may repeat it
  std::map<alerting::NotificationId, int> receipts_;
};

}  // namespace vitald::sim
