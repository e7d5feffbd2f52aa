// The recorder's loop side: which effects wait, which fly to the disk, which are owed. Everything here runs on the
// loop; the disk thread only commits what it is handed.
//
//   submit -> waiting -> in flight -> committed: its notifications are released
//                 |          |
//                 +----------+-- late or failed: into the owed file, released as unsaved, kept in the backlog,
//                                which flies again, as one transaction, until it lands
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alerting/effects.hpp"
#include "config/clock.hpp"
#include "daemon/disk_thread.hpp"
#include "daemon/ledger.hpp"
#include "daemon/owed.hpp"
#include "daemon/recorder.hpp"
#include "daemon/vault.hpp"

namespace vitald::daemon {

struct RecorderLimits {
  Duration patience = std::chrono::seconds(5);  // for a commit, before alerts go out without it
  Duration retry = std::chrono::seconds(5);     // between attempts at a store that fails
  Duration farewell = std::chrono::seconds(2);  // for the disk, when the recorder ends
};

/// How things stood when the store was opened.
struct RecorderStart {
  alerting::Snapshot snapshot;          // what the engine starts with
  alerting::Effects owed;               // of that, what the store has not got
  std::optional<Failure> trouble = {};  // why the store does not work
  std::string remedy = {};
  std::string note = {};  // what people should know about a store that was rebuilt
};

class Recording : public std::enable_shared_from_this<Recording> {
 public:
  Recording(std::shared_ptr<Vault> vault, Owed owed, boost::asio::any_io_executor loop, const Clock& clock,
            Recorder::Callbacks callbacks, const RecorderLimits& limits);
  /// What was submitted is still written, if the disk takes it within limits.farewell.
  ~Recording();

  void start(const RecorderStart& start);
  void submit(alerting::Effects effects);
  bool degraded() const { return degraded_; }
  void flush(std::function<void()> done);
  void history(HistoryQuery query, std::function<void(Recorder::History)> done);

 private:
  struct Waiting {
    alerting::Effects effects;
    Steady since;
  };
  struct Flight {
    std::shared_ptr<const std::vector<alerting::Effects>> group;
    std::uint64_t number = 0;
    std::size_t kept = 0;  // the first so many of the group are in the owed file already, or need not be
    std::vector<alerting::Notification> to_release;  // when it lands; empty once they went out unsaved
    bool overdue = false;
  };
  struct Landing {
    std::optional<Failure> failure;
    std::string remedy;
    std::string note;
  };

  /// An empty transaction is of use as well: it tells whether the store works again.
  enum class Launch { if_needed, always };
  void launch(Launch when);
  void landed(const Landing& landing);
  void arrived();
  void crashed(const Landing& landing);
  void overdue();
  void degrade(const std::string& summary, const std::string& remedy);
  void retry_later();
  void keep(const alerting::Effects& effects);
  alerting::Effects everything_owed() const;
  void release(std::vector<alerting::Notification> notifications, bool unsaved);
  void settle_flushes();
  void post(std::function<void()> callback);

  std::shared_ptr<Vault> vault_;
  Owed owed_;
  boost::asio::any_io_executor loop_;
  const Clock& clock_;
  Recorder::Callbacks callbacks_;
  RecorderLimits limits_;
  boost::asio::steady_timer deadline_;
  boost::asio::steady_timer retry_;

  std::deque<Waiting> waiting_;             // neither in flight nor released; empty while degraded
  std::optional<Flight> flight_;            // at most one: what gathers meanwhile is the next transaction
  Ledger backlog_;                          // released, but neither committed nor in flight
  Ledger open_{Ledger::Keep::obligations};  // what a store that lost its file must get again
  struct Flush {
    std::uint64_t flight;  // the one that carries, or carried, all that was submitted before
    std::function<void()> done;
  };
  std::vector<Flush> flushes_;
  bool degraded_ = false;
  bool reopen_first_ = false;  // the last commit failed: its handle is not to be trusted
  std::uint64_t flights_ = 0;
  std::string notes_;         // what reopening found, to be told with the recovery
  std::string owed_problem_;  // why the owed file cannot be written, or ""

  DiskThread disk_;  // last: its jobs end before anything above
};

/// The recorder over any vault; Recorder::open calls it with the real one.
std::unique_ptr<Recorder> make_recorder(std::shared_ptr<Vault> vault, Owed owed, boost::asio::any_io_executor loop,
                                        const Clock& clock, Recorder::Callbacks callbacks, const RecorderStart& start,
                                        const RecorderLimits& limits = {});

}  // namespace vitald::daemon
