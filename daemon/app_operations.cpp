// What people and programs ask of the running daemon.
#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <utility>

#include "alerting/ids.hpp"
#include "daemon/admin_http.hpp"
#include "daemon/app.hpp"
#include "daemon/control.hpp"
#include "daemon/local_operations.hpp"
#include "daemon/report.hpp"
#include "daemon/version.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;

namespace {

constexpr Duration ping_patience = std::chrono::seconds(8);  // for the disk; less than curl -m 10

}  // namespace

DaemonView App::view() const {
  DaemonView view;
  view.instance = configuration_.instance;
  view.version = version();
  view.started = started_;
  view.now = clock_.now().wall;
  view.configuration = configuration_.file.string();
  view.last_reload_worked = !reload_problem_.has_value();
  view.last_reload_problem = reload_problem_.value_or("");
  view.store_degraded = !store_problem_.empty();
  view.store_problem = store_problem_;
  view.receivers = sender_->views();
  return view;
}

std::vector<alerting::IncidentView> App::incidents() const { return engine_->open_incidents(); }

/// Whoever asks for the instruments is about to show them: what is only ever looked at is brought up to date here, and
/// costs nothing in between.
Instruments& App::instruments() {
  const Wall now = clock_.now().wall;
  for (const ReceiverView& receiver : sender_->views()) {
    const Duration age = receiver.oldest ? std::max(Duration::zero(), now - *receiver.oldest) : Duration::zero();
    instruments_.outbox(receiver.name, receiver.pending, age);
  }
  for (const Severity severity : {Severity::p0, Severity::p1, Severity::p2, Severity::p3}) {
    instruments_.incidents_open(severity, engine_->open_count(severity));
  }
  instruments_.silences_active(engine_->silences().size());
  const auto workers = workers_->counts();
  instruments_.workers(workers.busy, workers.wedged);
  instruments_.runs_in_flight(runner_->running(), runner_->waiting());
  instruments_.log_dropped(log_.dropped());
  return instruments_;
}

asio::awaitable<Result<ProbeReport>> App::probe(std::string check) {
  auto plan = find_plan(configuration_, check);  // a copy: a reload may replace it while it runs
  if (!plan) co_return plan.failure();
  const std::shared_ptr<const alerting::Rules> rules = configuration_.rules;
  std::string memory(engine_->probe_memory(plan->name));
  auto report = co_await run_for_report(*runner_, *plan, *rules, std::move(memory), clock_);
  co_return std::move(report);
}

Result<std::string> App::acknowledge(std::string_view incident, std::string by) {
  auto id = engine_->find_incident(incident);
  if (!id) return id.failure();
  log_.info("incident " + *id + " acknowledged by " + by);
  const auto record = engine_->incident(clock_.now(), *id);
  const std::string said = "incident " + alerting::short_id(*id) + (record ? " of " + record->check : "") +
                           " is taken by " + by + ": reminders and escalation stop";
  pipeline_->decide(alerting::Acknowledged{*id, std::move(by)});
  return said;
}

Result<std::string> App::unacknowledge(std::string_view incident, std::string by) {
  auto id = engine_->find_incident(incident);
  if (!id) return id.failure();
  log_.info("acknowledgement of incident " + *id + " taken back by " + by);
  pipeline_->decide(alerting::Acknowledged{*id, std::move(by), true});
  return "incident " + alerting::short_id(*id) + " is nobody's again: its escalation begins anew";
}

MutedView App::muted() const { return {engine_->silences(), engine_->maintenance(clock_.now().wall)}; }

Result<alerting::SilenceView> App::silence(alerting::SilenceAdded wanted) {
  if (engine_->silences().size() >= alerting::Hush::silences_max)
    return Failure{"", "there are 200 silences already; end some of them: vitald silence list"};
  const std::string said = "silence of " + wanted.checks.text() + " by " + wanted.owner + ": " + wanted.reason;
  pipeline_->decide(std::move(wanted));
  for (alerting::SilenceView& view : engine_->silences()) {
    if (view.id != engine_->newest_silence()) continue;
    log_.info(said + " (" + view.id + ")");
    return std::move(view);
  }
  return Failure{"", "it ended at once, since nothing that it matches is bad any more"};
}

Result<std::string> App::end_silence(std::string_view silence, std::string by) {
  auto id = engine_->find_silence(silence);
  if (!id) return id.failure();
  log_.info("silence " + *id + " ended by " + by);
  pipeline_->decide(alerting::SilenceRemoved{*id});
  return "silence " + *id + " has ended";
}

asio::awaitable<Result<std::string>> App::test_notify(std::string receiver) {
  auto result = co_await sender_->test(receiver, configuration_.instance);
  co_return std::move(result);
}

asio::awaitable<PingReply> App::ping(const std::string& check, const probes::Ping& ping) {
  const auto plan = find_plan(configuration_, check);
  if (!plan) co_return PingReply{404, plan.failure().what, 0};
  const probes::PingTarget* target = plan->probe->ping_target();
  if (target == nullptr) {
    co_return PingReply{409,
                        "'" + check + "' is a check of the kind " + std::string(plan->kind->name) +
                            ", which asks by itself; only a heartbeat takes pings",
                        0};
  }
  if (const auto refusal = target->refuses(ping)) {
    co_return PingReply{refusal->ours ? 503 : 403, refusal->why, refusal->ours ? 5 : 0};
  }
  const Now now = clock_.now();
  if (!ping_budget_.take(check, now.steady)) {
    co_return PingReply{429, "more pings of '" + check + "' than can be stored", 1};
  }
  pipeline_->ping(*plan, ping, hearing_->since(now));
  const bool answered = co_await saved(now.steady + ping_patience);
  if (!answered || recorder_->degraded()) {
    co_return PingReply{503, "the ping counts, but a restart would forget it: the state cannot be saved now", 5};
  }
  co_return PingReply{};
}

// --- reload ---

asio::awaitable<void> App::reload_and_log() {
  const auto outcome = co_await reload();
  if (outcome) {
    log_.info(*outcome);
  } else {
    log_.error(outcome.failure().sentence());
  }
}

asio::awaitable<Result<std::string>> App::reload() {
  if (reloading_) co_return Failure{"", "a reload is already under way"};
  reloading_ = true;
  service_.reloading(clock_.now().steady);
  const auto loaded = std::make_shared<LoadedConfiguration>();
  const std::filesystem::path file = configuration_.file;
  std::function<void()> job = [loaded, file] { *loaded = load_configuration(file, Secrets::load); };
  co_await workers_->run("configuration", std::move(job));
  reloading_ = false;
  auto outcome = take_over(std::move(*loaded));
  service_.ready(status_line());
  co_return std::move(outcome);
}

Result<std::string> App::take_over(LoadedConfiguration loaded) {
  const Now now = clock_.now();
  if (!loaded.configuration) {
    std::string list;
    for (const config::Problem& problem : loaded.problems.all()) list += "\n" + problem.text();
    reload_problem_ = list.empty() ? list : list.substr(1);
    instruments_.reload(false, now.wall);
    pipeline_->decide(alerting::SelfTrouble{"reload", Severity::p2,
                                            "the new configuration has mistakes; the old one stays in force",
                                            "run: vitald check-config --config " + configuration_.file.string(), ""});
    return Failure{configuration_.file.string(),
                   "the new configuration has mistakes; the old one stays in force:" + list};
  }
  Configuration next = std::move(*loaded.configuration);
  std::string notes;
  if (next.listen.host != configuration_.listen.host || next.listen.port != configuration_.listen.port ||
      next.state != configuration_.state || next.runtime != configuration_.runtime ||
      next.instance != configuration_.instance || next.log.file != configuration_.log.file) {
    notes = "; a change of listen, state, runtime, instance or log takes a restart: systemctl restart vitald";
    next.listen = configuration_.listen;
    next.state = configuration_.state;
    next.runtime = configuration_.runtime;
  }
  configuration_ = std::move(next);
  instruments_.reload(true, now.wall);
  if (reload_problem_) pipeline_->decide(alerting::SelfRecovered{"reload", "the configuration was loaded"});
  reload_problem_.reset();
  sender_->configure(configuration_.receivers);
  pipeline_->decide(alerting::Reconfigured{configuration_.rules});
  pipeline_->configure(configuration_);
  return "configuration loaded: " + std::to_string(configuration_.checks.size()) + " checks" + notes;
}

}  // namespace vitald::daemon
