// What people ask of the past and of the reasons: the engine knows what is open, the store what is over.
#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "alerting/ids.hpp"
#include "daemon/admin_http.hpp"
#include "daemon/app.hpp"
#include "daemon/control.hpp"
#include "daemon/local_operations.hpp"
#include "daemon/outline.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;
using alerting::IncidentRecord;

namespace {

constexpr Duration disk_patience = std::chrono::seconds(5);

/// The one that a person means, among the closed ones that fit.
Result<IncidentRecord> only_one(std::vector<IncidentRecord> found, const std::string& prefix) {
  if (found.size() > 1) {
    return Failure{"", "more than one incident has an id that begins with '" + prefix + "', give more of it (one is " +
                           found.front().id + ")"};
  }
  return std::move(found.front());
}

/// The nearest name among the checks, for whoever mistyped one.
std::string hint(const Configuration& configuration, const std::string& name) {
  std::vector<std::string> names;
  for (const CheckPlan& plan : configuration.checks) names.push_back(plan.name);
  const std::string near = config::suggestion(name, names);
  return near.empty() ? "" : "; did you mean the check '" + near + "'?";
}

}  // namespace

std::string App::outline() const { return unpack_outline(*configuration_.outline); }

asio::awaitable<Result<std::vector<IncidentRecord>>> App::history(HistoryQuery query) {
  // Shared, since the disk may answer after we have gone.
  struct Answer {
    asio::steady_timer here;
    std::optional<Recorder::History> found;
  };
  const auto answer = std::make_shared<Answer>(Answer{asio::steady_timer(loop_, disk_patience), {}});
  recorder_->history(std::move(query), [answer](Recorder::History found) {
    answer->found = std::move(found);
    answer->here.cancel();
  });
  boost::system::error_code ended;
  co_await answer->here.async_wait(asio::redirect_error(asio::use_awaitable, ended));
  if (!answer->found) co_return Failure{"", "the disk does not answer, so closed incidents cannot be read now"};
  co_return std::move(*answer->found);
}

asio::awaitable<Result<alerting::Story>> App::incident(std::string prefix) {
  const Now now = clock_.now();
  const auto open = engine_->find_incident(prefix);
  if (open) {
    auto record = engine_->incident(now, *open);
    if (record) {
      if (auto story = alerting::story_of(*record, now)) co_return std::move(*story);
    }
  }
  const std::string typed = alerting::fold_id(std::string_view(prefix).substr(0, 20));
  if (typed.size() < alerting::typed_prefix)
    co_return Failure{"", "an incident is named by at least 4 characters of its id"};
  HistoryQuery query;
  query.prefix = typed;
  query.most = 2;
  auto found = co_await history(std::move(query));
  if (!found) co_return found.failure();
  if (found->empty()) co_return Failure{"", open.failure().what + ", and no closed one either"};
  const auto record = only_one(std::move(*found), typed);
  if (!record) co_return record.failure();
  auto story = alerting::story_of(*record, now);
  if (!story) co_return Failure{"", "the record of that incident makes no sense"};
  co_return std::move(*story);
}

asio::awaitable<Result<ExplainReport>> App::explain(std::string name) {
  const Now now = clock_.now();
  ExplainReport report;
  if (auto known = engine_->explanation(now, name)) {
    report.explanation = std::move(*known);
    report.row = board_.find(report.explanation.check);
    for (const alerting::CheckRules& rules : configuration_.rules->checks) {
      if (rules.name == report.explanation.check) report.limits = rules.limits;
    }
    co_return std::move(report);
  }
  const std::string typed = alerting::fold_id(std::string_view(name).substr(0, 20));
  HistoryQuery query;
  query.prefix = typed.size() < alerting::typed_prefix ? "-" : typed;
  query.most = 2;
  auto found = co_await history(std::move(query));
  if (!found) co_return found.failure();
  if (found->empty()) {
    co_return Failure{
        "", "no check is named '" + name + "', and no incident has an id that begins so" + hint(configuration_, name)};
  }
  const auto record = only_one(std::move(*found), typed);
  if (!record) co_return record.failure();
  auto explanation = alerting::explain_record(*record, now);
  if (!explanation) co_return Failure{"", "the record of that incident makes no sense"};
  report.explanation = std::move(*explanation);
  co_return std::move(report);
}

}  // namespace vitald::daemon
