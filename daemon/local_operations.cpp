#include "daemon/local_operations.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/control_commands.hpp"
#include "daemon/outline.hpp"
#include "daemon/report.hpp"
#include "daemon/version.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;
using nlohmann::json;

namespace {

/// Takes the answer's lines instead of a socket.
struct HeldLines final : ControlLines {
  explicit HeldLines(const std::function<void(const json&)>& progress) : on_progress(progress) {}

  asio::awaitable<bool> write(std::string lines) override {
    text += lines;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      take(json::parse(text.substr(0, end), nullptr, false));
      text.erase(0, end + 1);
    }
    co_return true;
  }

  void take(const json& line) {
    if (line.contains("progress") && on_progress) on_progress(line["progress"]);
    if (line.contains("result")) answer = Result<json>(line["result"]);
    if (line.contains("error")) answer = Result<json>(Failure{"", line["error"].get<std::string>()});
  }

  const std::function<void(const json&)>& on_progress;
  std::string text;
  Result<json> answer = Failure{"", "the command gave no answer"};
};

}  // namespace

Result<CheckPlan> find_plan(const Configuration& configuration, const std::string& check) {
  const auto plan = std::find_if(configuration.checks.begin(), configuration.checks.end(),
                                 [&](const CheckPlan& candidate) { return candidate.name == check; });
  if (plan != configuration.checks.end()) return *plan;
  std::vector<std::string> names;
  for (const CheckPlan& candidate : configuration.checks) names.push_back(candidate.name);
  const std::string near = config::suggestion(check, names);
  return Failure{"", "no check is named '" + check + "'" + (near.empty() ? "" : "; did you mean '" + near + "'?")};
}

LocalOperations::LocalOperations(Configuration configuration, probes::HelperProcess helper)
    : configuration_(std::move(configuration)),
      network_(net::make_network(loop_.get_executor(), clock_)),
      workers_(probes::make_workers(loop_.get_executor())),
      helper_(std::move(helper).attach(loop_.get_executor())) {
  const ProbeKit kit{*network_, *workers_, *helper_, host_, clock_};
  runner_ = std::make_unique<Runner>(loop_.get_executor(), kit, 64);
  for (const CheckPlan& plan : configuration_.checks) {
    auto row = std::make_shared<BoardRow>();
    row->check = plan.name;
    row->kind = plan.kind;
    row->labels = plan.labels;
    row->every = plan.every;
    board_.put(std::move(row));
  }
}

LocalOperations::~LocalOperations() = default;

Result<json> LocalOperations::request(const json& request, const std::function<void(const json&)>& on_progress) {
  HeldLines lines(on_progress);
  asio::co_spawn(loop_, answer_command(request.dump(), "", 8, *this, lines),
                 [this](std::exception_ptr) { loop_.stop(); });
  loop_.run();
  return std::move(lines.answer);
}

DaemonView LocalOperations::view() const {
  DaemonView view;
  view.instance = configuration_.instance;
  view.version = version();
  view.started = view.now = clock_.now().wall;
  view.configuration = configuration_.file.string();
  return view;
}

asio::awaitable<Result<ProbeReport>> LocalOperations::probe(std::string check) {
  auto plan = find_plan(configuration_, check);
  if (!plan) co_return plan.failure();
  auto report = co_await run_for_report(*runner_, *plan, *configuration_.rules, "", clock_);
  co_return std::move(report);
}

Result<std::string> LocalOperations::acknowledge(std::string_view, std::string) {
  return Failure{"", "only the running daemon can do that"};
}
Result<std::string> LocalOperations::unacknowledge(std::string_view, std::string) {
  return Failure{"", "only the running daemon can do that"};
}
MutedView LocalOperations::muted() const { return {}; }
Result<alerting::SilenceView> LocalOperations::silence(alerting::SilenceAdded) {
  return Failure{"", "only the running daemon can do that"};
}
Result<std::string> LocalOperations::end_silence(std::string_view, std::string) {
  return Failure{"", "only the running daemon can do that"};
}
asio::awaitable<Result<ExplainReport>> LocalOperations::explain(std::string) {
  co_return Failure{"", "only the running daemon can do that"};
}
asio::awaitable<Result<alerting::Story>> LocalOperations::incident(std::string) {
  co_return Failure{"", "only the running daemon can do that"};
}
asio::awaitable<Result<std::vector<alerting::IncidentRecord>>> LocalOperations::history(HistoryQuery) {
  co_return Failure{"", "only the running daemon can do that"};
}
asio::awaitable<Result<std::string>> LocalOperations::test_notify(std::string) {
  co_return Failure{"", "only the running daemon can do that"};
}
asio::awaitable<PingReply> LocalOperations::ping(const std::string&, const probes::Ping&) {
  co_return PingReply{503, "only the running daemon can do that", 0};
}
std::string LocalOperations::outline() const { return unpack_outline(*configuration_.outline); }
asio::awaitable<Result<std::string>> LocalOperations::reload() {
  co_return Failure{"", "only the running daemon can do that"};
}

}  // namespace vitald::daemon
