// Runs probes: starts them within the bounds of Admission, ends each at its deadline, and turns whatever came of it -
// an observation, a ProbeFailure, silence - into one observation. The only catch in the daemon besides main's.
//
// There is one way to end a run: its cancellation signal. The deadline, a reload and the shutdown all use it. A probe
// and its context live in the run, so a reload may drop its own reference at any time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/admission.hpp"
#include "daemon/configuration.hpp"
#include "daemon/hearing.hpp"
#include "probes/probe.hpp"

namespace vitald::daemon {

/// What every probe may use; outlives the runner.
struct ProbeKit {
  net::Network& network;
  probes::Workers& workers;
  probes::Helper& helper;
  const probes::Host& host;
  const Clock& clock;
  Hearing* hearing = nullptr;  // where pings are heard
};

struct FinishedRun {
  Observation observation;  // the sample `duration` and the phases added
  Now started;
  Duration took{};
  std::string memory = {};  // what it was handed to begin with
};

class Runner {
 public:
  using Done = std::function<void(FinishedRun)>;

  Runner(boost::asio::any_io_executor loop, ProbeKit kit, std::size_t places);
  ~Runner();

  /// `done` is called once, from the loop, never from within start(); not at all once stop() was called.
  void start(const CheckPlan& plan, std::string_view memory, Done done);
  /// Kills every run; nothing starts any more.
  void stop();

  std::size_t running() const { return admission_.running(); }
  std::size_t waiting() const { return admission_.waiting(); }

 private:
  struct Run;
  using RunId = std::uint64_t;

  void launch(RunId id);
  void finish(RunId id, std::exception_ptr failure, Observation observation);
  void arm_deadline();
  void enforce_deadlines();

  boost::asio::any_io_executor loop_;
  ProbeKit kit_;
  Admission admission_;
  RunId last_id_ = 0;
  std::unordered_map<RunId, std::unique_ptr<Run>> runs_;  // waiting and running
  std::unique_ptr<Run> ended_;                            // the last one that ended
  // One timer for all deadlines: nearly every run ends long before its own, so it is armed for the earliest at most
  // once per firing, and a run that ends costs no system call.
  std::map<std::pair<Steady, RunId>, Run*> deadlines_;
  boost::asio::steady_timer deadline_timer_;
  Steady armed_for_ = Steady::max();
  bool stopped_ = false;
};

/// What the run's end means, given what was thrown and whether the deadline had passed. Pure; for tests.
Observation judge_failure(std::exception_ptr failure, bool late, Duration timeout, const net::PhaseLog& phases);

}  // namespace vitald::daemon
