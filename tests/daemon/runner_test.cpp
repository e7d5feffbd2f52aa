#include "daemon/runner.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "daemon/clock.hpp"
#include "probes/helper.hpp"
#include "probes/workers.hpp"

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

struct NoNetwork final : net::Network {
  net::awaitable<std::vector<std::string>> resolve(const net::Target& target, net::PhaseLog&) override {
    std::vector<std::string> as_it_is{target.host};
    co_return as_it_is;
  }
  net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target&, net::PhaseLog&) override {
    co_return nullptr;
  }
};

struct NoHelper final : probes::Helper {
  asio::awaitable<probes::FileSystemUse> statvfs(std::string, Duration) override { co_return probes::FileSystemUse{}; }
  asio::awaitable<probes::ProgramEnd> run_program(probes::ProgramStart, Duration) override {
    co_return probes::ProgramEnd{};
  }
};

/// A probe whose run is whatever the test says.
struct FakeProbe final : probes::Probe {
  explicit FakeProbe(std::function<asio::awaitable<Observation>(probes::ProbeContext&)> does)
      : run_it(std::move(does)) {}
  asio::awaitable<Observation> run(probes::ProbeContext& context) const override { return run_it(context); }
  std::string target() const override { return "fake"; }
  std::function<asio::awaitable<Observation>(probes::ProbeContext&)> run_it;
};

asio::awaitable<Observation> answer(probes::ProbeContext& context) {
  co_return Observation{.outcome = Outcome::answered, .summary = "remembers " + std::string(context.memory)};
}

asio::awaitable<Observation> hang(probes::ProbeContext& context) {
  context.phases.begin("first_byte");
  const asio::any_io_executor loop = co_await asio::this_coro::executor;
  asio::steady_timer forever(loop, Steady::max());
  co_await forever.async_wait(asio::use_awaitable);
  co_return Observation{};
}

asio::awaitable<Observation> refuse(probes::ProbeContext&) {
  throw probes::ProbeFailure(Outcome::unmeasured, "out_of_descriptors", "no descriptor is left", "raise LimitNOFILE");
  co_return Observation{};
}

asio::awaitable<Observation> break_down(probes::ProbeContext&) {
  throw std::runtime_error("a bug");
  co_return Observation{};
}

class RunnerTest : public testing::Test {
 protected:
  CheckPlan plan(std::function<asio::awaitable<Observation>(probes::ProbeContext&)> does, Duration timeout = 5s) {
    CheckPlan made;
    made.name = "check";
    made.probe = std::make_shared<FakeProbe>(std::move(does));
    made.timeout = timeout;
    return made;
  }

  std::vector<FinishedRun> run_all(Runner& runner, std::vector<CheckPlan> plans) {
    std::vector<FinishedRun> finished;
    for (const CheckPlan& each : plans) {
      runner.start(each, "the past", [&](FinishedRun run) { finished.push_back(std::move(run)); });
    }
    loop.run();
    loop.restart();
    return finished;
  }

  asio::io_context loop{1};
  SystemClock clock;
  NoNetwork network;
  probes::Host host;
  std::unique_ptr<probes::Workers> workers = probes::make_workers(loop.get_executor(), {.threads = 1});
  NoHelper helper;
  ProbeKit kit{network, *workers, helper, host, clock};
};

TEST_F(RunnerTest, AnAnswerCarriesItsDurationAndSeesItsMemory) {
  Runner runner(loop.get_executor(), kit, 10);
  const auto finished = run_all(runner, {plan(answer)});
  ASSERT_EQ(finished.size(), 1U);
  EXPECT_EQ(finished[0].observation.summary, "remembers the past");
  ASSERT_EQ(finished[0].observation.samples.size(), 1U);
  EXPECT_EQ(finished[0].observation.samples[0].name, "duration");
}

TEST_F(RunnerTest, DoneIsNeverCalledFromWithinStart) {
  Runner runner(loop.get_executor(), kit, 10);
  bool called = false;
  asio::post(loop, [&] {
    runner.start(plan(answer), "", [&](FinishedRun) { called = true; });
    EXPECT_FALSE(called);
  });
  loop.run();
  EXPECT_TRUE(called);
}

TEST_F(RunnerTest, ARunThatHangsEndsAtItsDeadlineAndSaysWhereItStuck) {
  Runner runner(loop.get_executor(), kit, 10);
  const auto finished = run_all(runner, {plan(hang, 20ms), plan(hang, 10ms), plan(answer)});
  ASSERT_EQ(finished.size(), 3U);
  EXPECT_EQ(finished[1].observation.summary, "connected, but no answer within 10 ms");
  EXPECT_EQ(finished[2].observation.summary, "connected, but no answer within 20 ms");
  EXPECT_EQ(finished[2].observation.outcome, Outcome::refused);
  EXPECT_EQ(finished[2].observation.reason, "timeout");
  EXPECT_EQ(runner.running(), 0U);
}

TEST_F(RunnerTest, FailuresBecomeObservationsOfTheirOutcome) {
  Runner runner(loop.get_executor(), kit, 10);
  const auto finished = run_all(runner, {plan(refuse), plan(break_down)});
  ASSERT_EQ(finished.size(), 2U);
  EXPECT_EQ(finished[0].observation.reason, "out_of_descriptors");
  EXPECT_EQ(finished[0].observation.remedy, "raise LimitNOFILE");
  EXPECT_TRUE(finished[0].observation.samples.empty()) << "what was not measured took no time";
  EXPECT_EQ(finished[1].observation.outcome, Outcome::unmeasured);
  EXPECT_EQ(finished[1].observation.reason, "internal");
}

TEST_F(RunnerTest, RunsBeyondThePlacesWaitForTheirTurn) {
  Runner runner(loop.get_executor(), kit, 2);
  std::vector<CheckPlan> plans;
  for (int i = 0; i < 20; ++i) plans.push_back(plan(i % 2 == 0 ? answer : hang, 2ms));
  EXPECT_EQ(run_all(runner, plans).size(), 20U);
}

TEST_F(RunnerTest, StopEndsEverythingAndCallsNobody) {
  Runner runner(loop.get_executor(), kit, 3);
  int called = 0;
  for (int i = 0; i < 6; ++i) runner.start(plan(hang, 1h), "", [&](FinishedRun) { ++called; });
  asio::post(loop, [&] { runner.stop(); });
  loop.run();  // returns: nothing is left that waits for its deadline of an hour
  EXPECT_EQ(called, 0);
}

TEST(JudgeFailure, AResolverThatDoesNotAnswerIsOurTrouble) {
  SystemClock clock;
  net::PhaseLog phases(clock);
  phases.begin("resolve");
  const auto aborted = std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
  const Observation observation = judge_failure(aborted, true, 5s, phases);
  EXPECT_EQ(observation.outcome, Outcome::unmeasured);
  EXPECT_EQ(observation.reason, "resolver_failed");
  phases.begin("connect");
  EXPECT_EQ(judge_failure(aborted, true, 5s, phases).outcome, Outcome::refused);
}

TEST(JudgeFailure, TheSecondHalfOfACheckIsOurTroubleAfterTheFirstWentWell) {
  SystemClock clock;
  net::PhaseLog phases(clock);
  phases.begin("management");
  const auto aborted = std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted));
  const Observation observation = judge_failure(aborted, true, 5s, phases);
  EXPECT_EQ(observation.outcome, Outcome::unmeasured);
  EXPECT_EQ(observation.summary, "the broker answers, but its management API did not within 5 s");
}

}  // namespace
}  // namespace vitald::daemon
