// The daemon put together: owns every part, ties them in the order of the pipeline, and carries them through life:
// start, reload, the watchdog, the end. One io_context, one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "daemon/clock.hpp"
#include "daemon/configuration.hpp"
#include "daemon/hearing.hpp"
#include "daemon/log.hpp"
#include "daemon/operations.hpp"
#include "daemon/ping_budget.hpp"
#include "daemon/pipeline.hpp"
#include "daemon/recorder.hpp"
#include "daemon/runner.hpp"
#include "daemon/sender.hpp"
#include "daemon/service_manager.hpp"
#include "probes/helper.hpp"
#include "probes/workers.hpp"

namespace vitald::daemon {

class AdminHttp;
class ControlSocket;

class App final : public Operations {
 public:
  App(Configuration configuration, probes::HelperProcess helper, ServiceManager service, Log& log);
  ~App() override;

  /// Opens the store and the listeners, then runs until SIGTERM or SIGINT. Fails where the daemon must not start.
  Result<void> run();

  DaemonView view() const override;
  const Board& board() const override { return board_; }
  std::vector<alerting::IncidentView> incidents() const override;
  boost::asio::awaitable<Result<ExplainReport>> explain(std::string name) override;
  boost::asio::awaitable<Result<alerting::Story>> incident(std::string prefix) override;
  boost::asio::awaitable<Result<std::vector<alerting::IncidentRecord>>> history(HistoryQuery query) override;
  Instruments& instruments() override;
  bool ready() const override { return ready_; }
  boost::asio::awaitable<Result<ProbeReport>> probe(std::string check) override;
  Result<std::string> acknowledge(std::string_view incident, std::string by) override;
  Result<std::string> unacknowledge(std::string_view incident, std::string by) override;
  MutedView muted() const override;
  Result<alerting::SilenceView> silence(alerting::SilenceAdded wanted) override;
  Result<std::string> end_silence(std::string_view silence, std::string by) override;
  boost::asio::awaitable<Result<std::string>> test_notify(std::string receiver) override;
  boost::asio::awaitable<PingReply> ping(const std::string& check, const probes::Ping& ping) override;
  std::string outline() const override;
  boost::asio::awaitable<Result<std::string>> reload() override;

 private:
  Result<void> open();
  Recorder::Callbacks recorder_callbacks();
  Sender::Callbacks sender_callbacks();
  Result<void> listen();
  std::string page_address() const;
  void wait_for_signals();
  void on_signal(int signal);
  boost::asio::awaitable<void> reload_and_log();
  Result<std::string> take_over(LoadedConfiguration loaded);
  boost::asio::awaitable<void> shut_down();
  boost::asio::awaitable<bool> saved(Steady until);
  void arm_watchdog();
  void check_watchdog();
  std::string status_line() const;

  boost::asio::io_context loop_{1};
  SystemClock clock_;
  Log& log_;
  ServiceManager service_;
  Configuration configuration_;
  probes::Host host_;
  Instruments instruments_;
  Board board_;
  std::unique_ptr<net::Network> network_;
  std::unique_ptr<probes::Workers> workers_;
  std::unique_ptr<probes::Helper> helper_;
  std::unique_ptr<Recorder> recorder_;
  std::optional<alerting::Engine> engine_;
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<Runner> runner_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<AdminHttp> admin_;
  std::unique_ptr<ControlSocket> control_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer watchdog_timer_;

  Wall started_{};
  std::optional<Hearing> hearing_;  // for pings; from the moment at which the store is open
  PingBudget ping_budget_;
  bool ready_ = false;
  bool stopping_ = false;
  bool reloading_ = false;
  std::optional<std::string> reload_problem_;
  std::string store_problem_;
  std::uint64_t passes_seen_ = 0;
  bool flush_out_ = false;  // the watchdog's question to the recorder
};

}  // namespace vitald::daemon
