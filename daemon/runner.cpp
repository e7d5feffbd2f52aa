#include "daemon/runner.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <new>
#include <utility>
#include <vector>

#include "config/units.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;

struct Runner::Run {
  Run(const CheckPlan& plan, std::string_view remembered, const ProbeKit& kit, Done then)
      : probe(plan.probe),
        timeout(plan.timeout),
        target(probe->target()),
        memory(remembered),
        done(std::move(then)),
        context{kit.network, kit.workers, kit.helper, kit.host, kit.clock, {}, {}, memory, net::PhaseLog(kit.clock)} {}

  std::shared_ptr<const probes::Probe> probe;
  Duration timeout;
  std::string target;
  std::string memory;
  Done done;
  probes::ProbeContext context;
  asio::cancellation_signal kill;
  bool started = false;
  bool late = false;
};

Runner::Runner(asio::any_io_executor loop, ProbeKit kit, std::size_t places)
    : loop_(loop), kit_(kit), admission_(places), deadline_timer_(loop) {}

Runner::~Runner() = default;

void Runner::start(const CheckPlan& plan, std::string_view memory, Done done) {
  if (stopped_) return;
  const RunId id = ++last_id_;
  auto run = std::make_unique<Run>(plan, memory, kit_, std::move(done));
  const std::string& target = run->target;
  runs_.emplace(id, std::move(run));
  if (admission_.enter(target, id)) launch(id);
}

void Runner::launch(RunId id) {
  Run& run = *runs_.at(id);
  run.started = true;
  run.context.started = kit_.clock.now();
  run.context.deadline = run.context.started.steady + run.timeout;
  run.context.phases = net::PhaseLog(kit_.clock);
  if (kit_.hearing != nullptr) run.context.listening_since = kit_.hearing->since(run.context.started);
  deadlines_.emplace(std::pair(run.context.deadline, id), &run);
  if (run.context.deadline < armed_for_) arm_deadline();

  // co_spawn never calls this from within itself: a probe that never waited is told of by a handler that it posts.
  auto finished = [this, id](std::exception_ptr failure, Observation observation) {
    finish(id, std::move(failure), std::move(observation));
  };
  asio::co_spawn(loop_, run.probe->run(run.context),
                 asio::bind_cancellation_slot(run.kill.slot(), std::move(finished)));
}

void Runner::finish(RunId id, std::exception_ptr failure, Observation observation) {
  const auto found = runs_.find(id);
  // The run's own frames are still on the stack, or its signal is, and both look at it until they are left: it is kept
  // until the next one ends. Posting this instead would cost every check a handler and a look at the descriptors.
  ended_ = std::move(found->second);
  Run* const run = ended_.get();
  runs_.erase(found);
  deadlines_.erase({run->context.deadline, id});
  const Duration took = kit_.clock.now().steady - run->context.started.steady;
  auto next = admission_.leave(run->target);
  while (stopped_ && next) {  // nothing starts any more: whose turn it is gives the place back
    const auto waiting = runs_.extract(*next);
    next = admission_.leave(waiting.mapped()->target);
  }
  if (stopped_) return;
  if (next) launch(*next);

  if (failure) observation = judge_failure(failure, run->late, run->timeout, run->context.phases);
  if (observation.phases.empty()) observation.phases = run->context.phases.take();
  if (observation.outcome != Outcome::unmeasured) {
    observation.samples.push_back(
        {std::string(probes::duration_sample.name), std::chrono::duration<double>(took).count()});
  }
  run->done({std::move(observation), run->context.started, took, std::move(run->memory)});
}

void Runner::arm_deadline() {
  armed_for_ = deadlines_.empty() ? Steady::max() : deadlines_.begin()->first.first;
  if (deadlines_.empty()) return;
  deadline_timer_.expires_at(armed_for_);
  deadline_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) enforce_deadlines();
  });
}

void Runner::enforce_deadlines() {
  const Steady now = kit_.clock.now().steady;
  // A kill may end its run at once and change the map: collect first.
  std::vector<RunId> late;
  for (const auto& [key, run] : deadlines_) {
    if (key.first > now) break;
    if (!run->late) late.push_back(key.second);
  }
  for (const RunId id : late) {
    const auto found = runs_.find(id);
    if (found == runs_.end()) continue;
    Run& run = *found->second;
    run.late = true;
    deadlines_.erase({run.context.deadline, id});
    run.kill.emit(asio::cancellation_type::terminal);
  }
  arm_deadline();
}

void Runner::stop() {
  stopped_ = true;
  deadline_timer_.cancel();
  std::vector<RunId> ids;
  for (const auto& [id, run] : runs_) ids.push_back(id);
  for (const RunId id : ids) {
    const auto found = runs_.find(id);
    if (found == runs_.end()) continue;
    // Those that wait go when their turn comes: each waits for the end of one that is out.
    if (found->second->started) found->second->kill.emit(asio::cancellation_type::terminal);
  }
}

namespace {

Observation timed_out(Duration timeout, const net::PhaseLog& phases) {
  const std::string limit = say_duration(timeout);
  const std::string_view step = phases.step();
  if (step == "resolve") {
    return {.outcome = Outcome::unmeasured,
            .summary = "the resolver did not answer within " + limit,
            .reason = "resolver_failed",
            .remedy = "check the name servers in /etc/resolv.conf"};
  }
  if (step == "management") {  // the second half of a check whose first half went well
    return {.outcome = Outcome::unmeasured,
            .summary = "the broker answers, but its management API did not within " + limit,
            .reason = "management_unreachable",
            .remedy = "raise the check's timeout, or see why the management API is slow"};
  }
  std::string summary = "no answer within " + limit;
  if (step == "connect") summary = "no connection within " + limit;
  if (step == "tls") summary = "connected, but no TLS handshake within " + limit;
  if (step == "first_byte") summary = "connected, but no answer within " + limit;
  if (step == "login") summary = "no completed login within " + limit;
  if (step == "query") summary = "logged in, but no answer to the query within " + limit;
  if (step == "worker")
    summary = "connected, but no worker took the request within " + limit + ": all are busy or hang";
  if (step == "program") summary = "the program did not end within " + limit;
  if (step == "rest") summary = "the answer began, but did not end within " + limit;
  return {.outcome = Outcome::refused, .summary = summary, .reason = "timeout"};
}

}  // namespace

Observation judge_failure(std::exception_ptr failure, bool late, Duration timeout, const net::PhaseLog& phases) {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const probes::ProbeFailure& refusal) {
    return {.outcome = refusal.outcome, .summary = refusal.what(), .reason = refusal.reason, .remedy = refusal.remedy};
  } catch (const boost::system::system_error& error) {
    // Aborted and late is the deadline; aborted without it can only be an operation that nobody should have cancelled.
    if (late) return timed_out(timeout, phases);
    return {.outcome = Outcome::unmeasured,
            .summary = "the probe failed inside vitald: " + error.code().message(),
            .reason = "internal"};
  } catch (const std::bad_alloc&) {
    return {.outcome = Outcome::unmeasured,
            .summary = "vitald has no memory left to run the probe",
            .reason = "out_of_memory"};
  } catch (const std::exception& error) {
    return {.outcome = Outcome::unmeasured,
            .summary = std::string("the probe failed inside vitald: ") + error.what(),
            .reason = "internal"};
  }
}

}  // namespace vitald::daemon
