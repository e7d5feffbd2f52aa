#include "daemon/pipeline.hpp"

#include <utility>

namespace vitald::daemon {

namespace {

// A pass that starts more runs than this gives the loop a turn in between, so that answers are read while it starts
// them.
constexpr std::size_t most_starts_in_a_pass = 64;

}  // namespace

Pipeline::Pipeline(boost::asio::any_io_executor loop, std::string instance, Parts parts)
    : parts_(parts), schedule_(std::move(instance)), schedule_timer_(loop), engine_timer_(loop) {}

// --- the daemon schedules a check ---

void Pipeline::configure(const Configuration& configuration) {
  std::vector<Schedule::Check> checks;
  std::vector<std::string> names;
  plans_.clear();
  for (const CheckPlan& plan : configuration.checks) {
    plans_.push_back(std::make_shared<const CheckPlan>(plan));
    checks.push_back({plan.name, plan.every, plan.fingerprint});
    names.push_back(plan.name);
  }
  schedule_.arrange(checks, parts_.clock.now());
  for (std::size_t i = 0; i < plans_.size(); ++i) introduce(*plans_[i], configuration.rules->checks[i]);
  parts_.board.arrange(names);
  arm_schedule();
}

void Pipeline::arm_schedule() {
  const auto next = schedule_.next();
  if (!next || stopped_ || armed_schedule_ == next) return;
  armed_schedule_ = next;
  schedule_timer_.expires_at(*next);
  schedule_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) run_due();
  });
}

void Pipeline::run_due() {
  if (stopped_) return;
  armed_schedule_.reset();
  ++passes_;
  const Steady now = parts_.clock.now().steady;
  parts_.instruments.loop_lag(now - schedule_timer_.expiry());
  for (const Schedule::Due& due : schedule_.take_due(now, most_starts_in_a_pass)) {
    parts_.instruments.schedule_lag(due.late);
    begin(plans_[due.check], due.missed);
  }
  parts_.instruments.runs_in_flight(parts_.runner.running(), parts_.runner.waiting());
  arm_schedule();
}

// --- its probe observes ---

void Pipeline::begin(std::shared_ptr<const CheckPlan> plan, std::uint64_t missed) {
  if (missed > 0) parts_.instruments.slots_missed(missed);
  const std::string_view memory = parts_.engine.probe_memory(plan->name);
  parts_.runner.start(*plan, memory,
                      [this, plan, missed](FinishedRun run) { observed(*plan, missed, std::move(run)); });
}

// --- the engine decides ---

void Pipeline::observed(const CheckPlan& plan, std::uint64_t missed, FinishedRun run) {
  const Steady now = parts_.clock.now().steady;
  parts_.instruments.probe_ran(plan.kind->name, run.took);
  schedule_.finished(plan.name, now);
  if (!parts_.engine.view(plan.name)) return;  // a reload dropped the check while its run was out
  // A ping that came while the run was out has changed what it set out from: it knows less than is known.
  const bool outdated = run.memory != parts_.engine.probe_memory(plan.name);
  if (!outdated) conclude(plan, missed, std::move(run), false);
  arm_schedule();
}

void Pipeline::ping(const CheckPlan& plan, const probes::Ping& ping, Wall listening_since) {
  const Now now = parts_.clock.now();
  const std::string_view memory = parts_.engine.probe_memory(plan.name);
  Observation seen = plan.probe->ping_target()->take(ping, memory, now, listening_since);
  conclude(plan, 0, {std::move(seen), now, {}}, true);
  arm_schedule();
}

void Pipeline::conclude(const CheckPlan& plan, std::uint64_t missed, FinishedRun run, bool told) {
  const auto look_again = run.observation.look_again;
  alerting::Event event = alerting::Observed{plan.name, std::move(run.observation), run.started, run.took, told};
  decide(event);
  if (look_again) schedule_.request(plan.name, run.started.steady + (*look_again - run.started.wall));
  run.observation = std::move(std::get<alerting::Observed>(event).observation);
  post_row(plan, missed, std::move(run));
}

void Pipeline::decide(const alerting::Event& event) {
  alerting::Effects effects = parts_.engine.step(parts_.clock.now(), event);
  for (const alerting::RunCheck& request : effects.requests) schedule_.request(request.check, request.at);
  arm_engine(effects.wake_at);
  if (!effects.requests.empty()) arm_schedule();
  if (!std::holds_alternative<alerting::Observed>(event)) refresh(effects.checks);

  // --- the store records; what it has made safe comes back and the sender sends (App ties the two together) ---
  if (!effects.nothing_to_store()) parts_.recorder.submit(std::move(effects));
}

/// Time, a reload or a person changed how these checks stand, without a new observation.
void Pipeline::refresh(const std::vector<alerting::CheckRecord>& changed) {
  for (const alerting::CheckRecord& record : changed) {
    const auto row = parts_.board.find(record.name);
    const auto view = parts_.engine.view(record.name);
    if (!row || !view) continue;
    auto next = std::make_shared<BoardRow>(*row);
    next->view = *view;
    parts_.board.put(std::move(next));
  }
}

void Pipeline::arm_engine(std::optional<Steady> wake_at) {
  if (!wake_at || stopped_) {
    engine_timer_.cancel();
    armed_engine_.reset();
    return;
  }
  if (armed_engine_ == wake_at) return;
  armed_engine_ = wake_at;
  engine_timer_.expires_at(*wake_at);
  engine_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    armed_engine_.reset();
    decide(alerting::Elapsed{});
  });
}

// --- and everybody can look at it ---

/// A check that is new or was loaded again: what was last seen of it stays.
void Pipeline::introduce(const CheckPlan& plan, const alerting::CheckRules& rules) {
  const auto before = parts_.board.find(plan.name);
  auto row = before ? std::make_shared<BoardRow>(*before) : std::make_shared<BoardRow>();
  row->check = plan.name;
  row->kind = plan.kind;
  row->labels = plan.labels;
  row->every = plan.every;
  row->runbook = rules.runbook;
  if (const auto view = parts_.engine.view(plan.name)) row->view = *view;
  parts_.board.put(std::move(row));
}

void Pipeline::post_row(const CheckPlan& plan, std::uint64_t missed, FinishedRun run) {
  const auto before = parts_.board.find(plan.name);
  if (!before) return;
  auto row = std::make_shared<BoardRow>();
  row->check = plan.name;
  row->kind = plan.kind;
  row->labels = plan.labels;
  row->every = plan.every;
  row->runbook = before->runbook;
  row->runs = before->runs + 1;
  row->missed = before->missed + missed;
  row->observation = std::move(run.observation);
  row->observation.memory.reset();
  row->started = run.started.wall;
  row->took = run.took;
  if (const auto view = parts_.engine.view(plan.name)) row->view = *view;
  parts_.board.put(std::move(row));
}

void Pipeline::stop() {
  stopped_ = true;
  schedule_timer_.cancel();
  engine_timer_.cancel();
}

}  // namespace vitald::daemon
