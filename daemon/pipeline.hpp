// The sentence that the daemon is: it schedules a check, its probe observes, the engine decides, the store records, the
// sender sends. Read pipeline.cpp first; everything else hangs on it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alerting/engine.hpp"
#include "config/clock.hpp"
#include "daemon/board.hpp"
#include "daemon/configuration.hpp"
#include "daemon/instruments.hpp"
#include "daemon/recorder.hpp"
#include "daemon/runner.hpp"
#include "daemon/schedule.hpp"
#include "daemon/sender.hpp"
#include "probes/ping.hpp"

namespace vitald::daemon {

class Pipeline {
 public:
  /// All by reference: App owns them and outlives this.
  struct Parts {
    const Clock& clock;
    Runner& runner;
    alerting::Engine& engine;
    Recorder& recorder;
    Sender& sender;
    Board& board;
    Instruments& instruments;
  };

  Pipeline(boost::asio::any_io_executor loop, std::string instance, Parts parts);

  /// Takes over the checks of `configuration` (at start, and after a reload) and begins to run them.
  void configure(const Configuration& configuration);
  /// Whatever else happened to the engine: a delivery, an acknowledgement, trouble of our own.
  void decide(const alerting::Event& event);
  /// A ping that the check's target does not refuse. What it changed was submitted to the recorder when this returns.
  void ping(const CheckPlan& plan, const probes::Ping& ping, Wall listening_since);
  /// No further run begins.
  void stop();

  /// Passes of the schedule so far: the watchdog wants to see it move.
  std::uint64_t passes() const { return passes_; }
  /// When the next pass is due at the latest, or nothing without checks.
  std::optional<Steady> next_pass() { return schedule_.next(); }

 private:
  void arm_schedule();
  void run_due();
  void begin(std::shared_ptr<const CheckPlan> plan, std::uint64_t missed);
  void observed(const CheckPlan& plan, std::uint64_t missed, FinishedRun run);
  void conclude(const CheckPlan& plan, std::uint64_t missed, FinishedRun run, bool told);
  void refresh(const std::vector<alerting::CheckRecord>& changed);
  void arm_engine(std::optional<Steady> wake_at);
  void introduce(const CheckPlan& plan, const alerting::CheckRules& rules);
  void post_row(const CheckPlan& plan, std::uint64_t missed, FinishedRun run);

  Parts parts_;
  Schedule schedule_;
  std::vector<std::shared_ptr<const CheckPlan>> plans_;  // at the schedule's indices; runs under way hold theirs
  boost::asio::steady_timer schedule_timer_;
  boost::asio::steady_timer engine_timer_;
  std::optional<Steady> armed_schedule_, armed_engine_;  // so that a timer is touched only when its time changes
  std::uint64_t passes_ = 0;
  bool stopped_ = false;
};

}  // namespace vitald::daemon
