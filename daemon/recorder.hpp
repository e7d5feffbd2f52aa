// The store as the pipeline sees it: effects in; notifications out again once they are safe. When the disk is full,
// read-only, corrupt or slow, monitoring and paging go on from memory: what goes out unsaved is noted in the owed file
// (tmpfs) first, and put into the store when that works again (docs/guarantees.md R1, R2, R8).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "alerting/effects.hpp"
#include "config/clock.hpp"
#include "config/result.hpp"
#include "daemon/vault.hpp"

namespace vitald::daemon {

class Recorder {
 public:
  /// All are called on the loop.
  struct Callbacks {
    /// These may be sent now, in this order. Each is handed out once; `unsaved` is set in those the store has not got.
    std::function<void(std::vector<alerting::Notification>)> release;
    /// The store fails (once, when it begins) or works again.
    std::function<void(std::string summary, std::string remedy)> failed;
    std::function<void(std::string summary)> recovered;
  };
  struct Paths {
    std::filesystem::path state;    // directory of the store
    std::filesystem::path runtime;  // directory of the owed file
  };
  struct Opened {
    std::unique_ptr<Recorder> recorder;
    alerting::Snapshot snapshot;  // owed entries already replayed into it
  };

  /// Blocking, before the loop runs. Fails only where the daemon must not start: another instance, a newer schema, a
  /// directory that is not ours. A broken disk is no failure: the recorder starts degraded.
  static Result<Opened> open(const Paths& paths, boost::asio::any_io_executor loop, const Clock& clock,
                             Callbacks callbacks);

  virtual ~Recorder() = default;
  /// Queues the effects; order is kept. Never blocks.
  virtual void submit(alerting::Effects effects) = 0;
  virtual bool degraded() const = 0;
  /// `done` is called when everything submitted so far is safe, or will not be.
  virtual void flush(std::function<void()> done) = 0;
  /// Closed incidents, read on the disk thread after what was submitted so far; `done` is called on the loop, once the
  /// disk has answered.
  using History = Result<std::vector<alerting::IncidentRecord>>;
  virtual void history(HistoryQuery query, std::function<void(History)> done) = 0;
};

}  // namespace vitald::daemon
