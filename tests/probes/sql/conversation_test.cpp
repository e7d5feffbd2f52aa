#include "probes/sql/conversation.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <future>

#include "tests/support/probe_run.hpp"

namespace vitald::probes::sql {
namespace {

namespace asio = boost::asio;
using vitald::testing::Surroundings;

/// A session that counts its calls; what it does is the test's.
struct FakeSession final : Session {
  struct Life {
    int opened = 0, closed = 0, resumed = 0, rested = 0;
    bool alive = true;
  };
  explicit FakeSession(std::shared_ptr<Life> life_) : life(std::move(life_)) { life->opened += 1; }
  FakeSession(const FakeSession&) = delete;
  ~FakeSession() override { life->closed += 1; }
  bool resume(Talk&) override {
    life->resumed += 1;
    return life->alive;
  }
  void rest() override { life->rested += 1; }
  Table query(const std::string&, const Bounds&) override { return {}; }
  std::shared_ptr<Life> life;
};

struct Conversation : ::testing::Test {
  std::shared_ptr<FakeSession::Life> life = std::make_shared<FakeSession::Life>();
  std::shared_ptr<Kept<Session>> kept = std::make_shared<Kept<Session>>();
  Surroundings around;
  std::vector<Phase> phases;

  void talk(Questions ask) {
    const Login login = [life = life](Talk&) { return std::make_unique<FakeSession>(life); };
    around.run(
        [&](ProbeContext& context, int) -> awaitable<void> {
          co_await with_session(context, "key", login, kept, ask);
          phases = context.phases.take();
        },
        0);
  }
  void talk() {
    talk([](Session&, Talk&) {});
  }
};

TEST_F(Conversation, AKeptSessionServesTheNextRun) {
  talk();
  talk();
  EXPECT_EQ(life->opened, 1);
  EXPECT_EQ(life->resumed, 1);
  EXPECT_EQ(life->rested, 2);
  EXPECT_EQ(life->closed, 0);
  kept.reset();
  EXPECT_EQ(life->closed, 1);
}

TEST_F(Conversation, WithoutKeepEachRunHasItsOwn) {
  kept = nullptr;
  talk();
  talk();
  EXPECT_EQ(life->opened, 2);
  EXPECT_EQ(life->closed, 2);
}

TEST_F(Conversation, AKeptSessionThatDiedIsReplacedOnce) {
  talk();
  life->alive = false;
  talk();
  EXPECT_EQ(life->opened, 2);
  EXPECT_EQ(life->closed, 1);
}

TEST_F(Conversation, AfterAFailureNothingIsKept) {
  EXPECT_THROW(talk([](Session&, Talk&) { throw ProbeFailure(Outcome::wrong, "broken", "it broke"); }), ProbeFailure);
  EXPECT_EQ(life->closed, 1);
  talk();
  EXPECT_EQ(life->opened, 2);
}

TEST_F(Conversation, StepsBecomePhases) {
  talk([](Session&, Talk& talk) {
    talk.begin("query");
    talk.end();
    talk.begin("status");
    talk.end();
    talk.begin("query");
    talk.end();
  });
  ASSERT_EQ(phases.size(), 2u);
  EXPECT_EQ(phases[0].name, "query");
  EXPECT_EQ(phases[1].name, "status");
}

TEST(Talk, SeveringEndsAReadThatWaits) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const vitald::testing::StandingClock clock;
  Talk talk(clock, clock.now().steady);
  talk.use(ends[0]);
  auto reading = std::async(std::launch::async, [&] {
    char byte = 0;
    return ::read(ends[0], &byte, 1);
  });
  talk.sever();
  EXPECT_EQ(reading.get(), 0);
  EXPECT_TRUE(talk.severed());
  talk.use(-1);
  ::close(ends[0]);
  ::close(ends[1]);

  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  talk.use(ends[0]);  // comes too late: it is shut down at once
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Converse, ACancelledRunSeversTheTalkAndKnowsItsStep) {
  Surroundings around;
  const auto workers = make_workers(around.loop.get_executor());
  ProbeContext context{.network = *around.network,
                       .workers = *workers,
                       .helper = around.helper,
                       .host = around.host,
                       .clock = around.clock,
                       .started = around.clock.now(),
                       .deadline = around.clock.now().steady,
                       .memory = "",
                       .phases = net::PhaseLog(around.clock)};
  const auto entered = std::make_shared<std::promise<void>>();
  const auto severed = std::make_shared<std::promise<bool>>();
  auto outcome = severed->get_future();
  std::function<void(Talk&)> job = [entered, severed](Talk& talk) {
    talk.begin("query");
    entered->set_value();
    while (!talk.severed()) std::this_thread::yield();
    severed->set_value(true);
  };
  asio::cancellation_signal kill;
  bool ended = false;
  auto token = asio::bind_cancellation_slot(kill.slot(), [&](std::exception_ptr) { ended = true; });
  asio::co_spawn(around.loop, converse(context, "key", job), std::move(token));
  around.loop.poll();
  entered->get_future().wait();
  kill.emit(asio::cancellation_type::terminal);
  around.loop.restart();
  while (!ended) around.loop.run_one();
  EXPECT_TRUE(outcome.get());
  EXPECT_EQ(context.phases.step(), "query");
}

}  // namespace
}  // namespace vitald::probes::sql
