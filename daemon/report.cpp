#include "daemon/report.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "alerting/engine.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;

ProbeReport judge_for_report(const CheckPlan& plan, const alerting::Rules& rules, FinishedRun run) {
  auto alone = std::make_shared<alerting::Rules>();
  alone->instance = rules.instance;
  const auto rule = std::find_if(rules.checks.begin(), rules.checks.end(),
                                 [&](const alerting::CheckRules& check) { return check.name == plan.name; });
  if (rule != rules.checks.end()) alone->checks.push_back(*rule);

  alerting::Engine engine(alone, {}, run.started, {1, 2, 3, 4});  // its ids go nowhere
  const Now ended{run.started.steady + run.took, run.started.wall + run.took};
  engine.step(ended, alerting::Observed{plan.name, run.observation, run.started, run.took});
  const auto view = engine.view(plan.name);
  return {plan.name,
          std::string(plan.kind->name),
          view ? view->verdict : Status::unknown,
          view ? view->why : run.observation.summary,
          std::move(run.observation),
          run.took,
          alone->checks.empty() ? std::vector<Limit>() : alone->checks.front().limits};
}

asio::awaitable<ProbeReport> run_for_report(Runner& runner, const CheckPlan& plan, const alerting::Rules& rules,
                                            std::string memory, const Clock& clock) {
  struct Answer {
    explicit Answer(const asio::any_io_executor& loop) : arrived(loop, Steady::max()) {}
    asio::steady_timer arrived;  // cancelled when the run is there
    std::optional<FinishedRun> run;
  };
  const asio::any_io_executor loop = co_await asio::this_coro::executor;
  const auto answer = std::make_shared<Answer>(loop);
  runner.start(plan, memory, [answer](FinishedRun run) {
    answer->run = std::move(run);
    answer->arrived.cancel();
  });
  boost::system::error_code arrived;
  co_await answer->arrived.async_wait(asio::redirect_error(asio::use_awaitable, arrived));
  if (!answer->run) {
    FinishedRun nothing{
        {.outcome = Outcome::unmeasured, .summary = "vitald is stopping", .reason = "stopping"}, clock.now(), {}};
    co_return judge_for_report(plan, rules, std::move(nothing));
  }
  co_return judge_for_report(plan, rules, std::move(*answer->run));
}

}  // namespace vitald::daemon
