// What the daemon offers to those who ask it something: the control socket, the page, the API. Implemented by App.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/engine.hpp"
#include "alerting/story.hpp"
#include "config/limit.hpp"
#include "config/result.hpp"
#include "daemon/board.hpp"
#include "daemon/instruments.hpp"
#include "daemon/vault.hpp"
#include "probes/ping.hpp"

namespace vitald::daemon {

/// One run of a check that a person asked for, whole.
struct ProbeReport {
  std::string check;
  std::string probe;
  Status verdict = Status::unknown;
  std::string why;  // the limit that was crossed, or the summary
  Observation observation;
  Duration took{};
  std::vector<Limit> limits;  // the check's own, so that a reader sees how far off a sample is
};

struct ReceiverView {
  std::string name;
  std::string kind;
  std::size_t pending = 0;
  bool stopped = false;
  std::string why;
  std::optional<Wall> oldest = {};  // when the oldest pending message was decided
};

struct DaemonView {
  std::string instance;
  std::string version;
  Wall started{};
  Wall now{};
  std::string configuration;  // path
  bool last_reload_worked = true;
  std::string last_reload_problem;
  bool store_degraded = false;
  std::string store_problem;
  std::vector<ReceiverView> receivers;
};

/// What is muted, or will be: silences and maintenance windows.
struct MutedView {
  std::vector<alerting::SilenceView> silences;
  std::vector<alerting::MaintenanceView> maintenance;
};

/// What whoever pinged a heartbeat is told.
struct PingReply {
  int status = 200;  // as in HTTP
  std::string says = "ok";
  int retry_after = 0;  // seconds, where it is worth another try
};

/// Why it stands as it does: the engine's answer, and the figures of the latest run beside the check's own limits.
struct ExplainReport {
  alerting::Explanation explanation;
  std::shared_ptr<const BoardRow> row;  // nothing where it is about no check that exists
  std::vector<Limit> limits;
};

class Operations {
 public:
  virtual ~Operations() = default;
  virtual DaemonView view() const = 0;
  virtual const Board& board() const = 0;
  virtual std::vector<alerting::IncidentView> incidents() const = 0;
  /// Of a check, or of an incident, open or closed, by the beginning of its id.
  virtual boost::asio::awaitable<Result<ExplainReport>> explain(std::string name) = 0;
  /// One incident whole, open or closed, by at least 4 characters of its id.
  virtual boost::asio::awaitable<Result<alerting::Story>> incident(std::string prefix) = 0;
  /// Closed incidents, latest first. Fails where the disk does not answer.
  virtual boost::asio::awaitable<Result<std::vector<alerting::IncidentRecord>>> history(HistoryQuery query) = 0;
  virtual Instruments& instruments() = 0;
  /// READY was reached and a full pass of the pipeline happened lately: what /readyz says.
  virtual bool ready() const = 0;

  /// Runs the check now, outside its schedule; the observation does not reach the engine.
  virtual boost::asio::awaitable<Result<ProbeReport>> probe(std::string check) = 0;
  virtual Result<std::string> acknowledge(std::string_view incident, std::string by) = 0;
  /// Takes an acknowledgement back: the escalation begins anew.
  virtual Result<std::string> unacknowledge(std::string_view incident, std::string by) = 0;
  virtual MutedView muted() const = 0;
  virtual Result<alerting::SilenceView> silence(alerting::SilenceAdded wanted) = 0;
  virtual Result<std::string> end_silence(std::string_view silence, std::string by) = 0;
  /// Sends a test problem and its recovery at once, past the queue, and waits for what the receiver says of them.
  virtual boost::asio::awaitable<Result<std::string>> test_notify(std::string receiver) = 0;
  /// A ping for a check that waits for it. Returns when it is safely stored, or will not be.
  virtual boost::asio::awaitable<PingReply> ping(const std::string& check, const probes::Ping& ping) = 0;
  /// What the configuration in force says, without secrets: lines of JSON (outline.hpp).
  virtual std::string outline() const = 0;
  /// As SIGHUP. The text lists the problems of a file that was not taken.
  virtual boost::asio::awaitable<Result<std::string>> reload() = 0;
};

}  // namespace vitald::daemon
