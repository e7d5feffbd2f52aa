// `--local`: checks run in this process, with the rights of the person at the keyboard, through the same code that
// answers on the control socket. No engine, no store, nobody is notified.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "daemon/clock.hpp"
#include "daemon/configuration.hpp"
#include "daemon/operations.hpp"
#include "daemon/runner.hpp"
#include "probes/helper.hpp"
#include "probes/workers.hpp"

namespace vitald::daemon {

class LocalOperations final : public Operations {
 public:
  LocalOperations(Configuration configuration, probes::HelperProcess helper);
  ~LocalOperations() override;

  /// Carries out one request of the control socket's vocabulary here, handing its progress on as it comes.
  Result<nlohmann::json> request(const nlohmann::json& request,
                                 const std::function<void(const nlohmann::json&)>& on_progress);

  DaemonView view() const override;
  const Board& board() const override { return board_; }
  std::vector<alerting::IncidentView> incidents() const override { return {}; }
  boost::asio::awaitable<Result<ExplainReport>> explain(std::string name) override;
  boost::asio::awaitable<Result<alerting::Story>> incident(std::string prefix) override;
  boost::asio::awaitable<Result<std::vector<alerting::IncidentRecord>>> history(HistoryQuery query) override;
  Instruments& instruments() override { return instruments_; }
  bool ready() const override { return false; }
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
  boost::asio::io_context loop_{1};
  SystemClock clock_;
  Configuration configuration_;
  probes::Host host_;
  Instruments instruments_;
  Board board_;
  std::unique_ptr<net::Network> network_;
  std::unique_ptr<probes::Workers> workers_;
  std::unique_ptr<probes::Helper> helper_;
  std::unique_ptr<Runner> runner_;
};

/// The plan of that name, or a sentence with a suggestion.
Result<CheckPlan> find_plan(const Configuration& configuration, const std::string& check);

}  // namespace vitald::daemon
