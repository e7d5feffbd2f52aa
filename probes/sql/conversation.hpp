// A blocking conversation with a server, on a worker: how the loop follows it and how it ends it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "config/clock.hpp"
#include "probes/kept.hpp"
#include "probes/probe.hpp"
#include "probes/sql/session.hpp"

namespace vitald::probes::sql {

/// Shared by the worker, which talks, and the loop, which may have given up. Safe from both.
class Talk {
 public:
  Talk(const Clock& clock, Steady deadline);

  /// The step that begins now, for the message should the deadline come: connect, tls, login, query, … `name` is
  /// static.
  void begin(std::string_view name);
  /// The step begun last ended: it becomes a phase.
  void end();
  std::string_view step() const;
  std::vector<Phase> phases() const;

  /// The deadline of the run. A call that takes a time-out gets what is left of it, at least one millisecond.
  Steady deadline() const { return deadline_; }
  Duration left() const;

  /// The descriptor that the conversation now uses, so that sever() can end it; -1: none. Whoever closes it says
  /// use(-1) before. When the conversation was severed already, it is shut down at once.
  void use(int descriptor);
  /// The loop gave up: the descriptor is shut down, and whatever waits on it returns.
  void sever();
  bool severed() const;

 private:
  const Clock& clock_;  // the daemon's: outlives every worker's job but those that are wedged at the process's end
  const Steady deadline_;
  mutable std::mutex mutex_;
  std::string_view step_;
  Steady began_;
  std::vector<Phase> phases_;
  int descriptor_ = -1;
  bool severed_ = false;
};

/// Runs `job` on a worker under `key`, and brings its phases into the context's. When the run is cancelled the talk is
/// severed, and the context's step is the one that the talk was in. `job` owns everything that it touches.
awaitable<void> converse(ProbeContext& context, std::string key, std::function<void(Talk&)> job);

/// How a session comes about: logs in, and tells the talk its steps and its descriptor. Throws ProbeFailure.
using Login = std::function<std::unique_ptr<Session>(Talk&)>;
using Questions = std::function<void(Session&, Talk&)>;

/// converse() with a session: the kept one if there is one that still answers, a new one otherwise. It is kept again
/// (where `kept` is not nullptr) only when `ask` did not throw.
awaitable<void> with_session(ProbeContext& context, std::string key, Login login, std::shared_ptr<Kept<Session>> kept,
                             Questions ask);

}  // namespace vitald::probes::sql
