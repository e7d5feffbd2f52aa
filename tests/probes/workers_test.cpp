#include "probes/workers.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <future>
#include <thread>

#include "probes/failure.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

namespace asio = boost::asio;
using vitald::testing::finish;

/// A call that goes on until the test opens the gate; the pool may be gone by then.
struct Gate {
  std::promise<void> opened;
  std::shared_future<void> open = opened.get_future().share();
  std::promise<void> left;
};

/// One call under way, with the handle to cancel it.
struct Started {
  asio::cancellation_signal signal;
  bool ended = false;
  std::exception_ptr error;

  Started(asio::io_context& loop, asio::awaitable<void> work) {
    auto token = asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr given) {
      ended = true;
      error = given;
    });
    asio::co_spawn(loop, std::move(work), std::move(token));
  }
  std::string reason() const {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const ProbeFailure& failure) {
      return failure.reason;
    } catch (const boost::system::system_error& failure) {
      return failure.code() == asio::error::operation_aborted ? "aborted" : "other";
    }
    return "";
  }
};

void drive(asio::io_context& loop, const bool& until) {
  loop.restart();
  while (!until && loop.run_one() > 0) {
  }
}

void poll_while(asio::io_context& loop, const std::function<bool()>& holds) {
  loop.restart();  // it stops whenever it has nothing to do
  while (holds()) loop.poll();
}

TEST(Workers, RunsAJobOnAnotherThreadAndResumesOnTheLoop) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor());
  std::thread::id ran_on;
  finish(loop, workers->run("a", [&] { ran_on = std::this_thread::get_id(); }));
  EXPECT_NE(ran_on, std::thread::id());
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(Workers, AnExceptionOfTheJobReachesTheCaller) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor());
  EXPECT_THROW(finish(loop, workers->run("a", [] { throw ProbeFailure(Outcome::wrong, "broken", "it broke"); })),
               ProbeFailure);
  EXPECT_EQ(workers->counts().busy, 0u);
}

TEST(Workers, AHangingTargetHoldsItsShareOfThreadsAndBlocksNoOther) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor(), {.threads = 8, .per_key = 2});
  const auto gate = std::make_shared<Gate>();
  Started first(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  Started second(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  poll_while(loop, [&] { return workers->counts().busy < 2; });

  bool ran = false;
  Started third(loop, workers->run("dead", [&ran] { ran = true; }));
  finish(loop, workers->run("alive", [] {}));
  EXPECT_EQ(workers->counts().waiting, 1u);
  EXPECT_FALSE(ran);

  gate->opened.set_value();
  drive(loop, third.ended);
  EXPECT_EQ(third.reason(), "");
  EXPECT_TRUE(ran);
}

TEST(Workers, WhoWaitedForAHangingCallOfTheSameTargetHearsOfIt) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor(), {.threads = 8, .per_key = 1});
  const auto gate = std::make_shared<Gate>();
  Started first(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  poll_while(loop, [&] { return workers->counts().busy == 0; });
  Started second(loop, workers->run("dead", [] {}));
  poll_while(loop, [&] { return workers->counts().waiting == 0; });
  second.signal.emit(asio::cancellation_type::terminal);
  drive(loop, second.ended);
  EXPECT_EQ(second.reason(), "worker_busy");
  gate->opened.set_value();
  drive(loop, first.ended);
}

/// Hangs `count` calls to targets of their own, gives up on them, and lets them end when the gate opens.
void make_suspects(asio::io_context& loop, Workers& workers, const std::shared_ptr<Gate>& gate, int count) {
  for (int i = 0; i < count; ++i) {
    const std::size_t wedged = workers.counts().wedged, busy = workers.counts().busy;
    Started call(loop, workers.run("dead " + std::to_string(i), [gate] { gate->open.wait(); }));
    poll_while(loop, [&] { return workers.counts().busy == busy; });
    call.signal.emit(asio::cancellation_type::terminal);
    drive(loop, call.ended);
    EXPECT_EQ(workers.counts().wedged, wedged + 1);
  }
}

TEST(Workers, SuspectsGetAtMostHalfOfTheThreads) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor(), {.threads = 4});
  const auto first = std::make_shared<Gate>();
  make_suspects(loop, *workers, first, 4);  // not suspects before they hung: all four threads are theirs
  first->opened.set_value();
  while (workers->counts().wedged > 0) std::this_thread::yield();

  const auto second = std::make_shared<Gate>();
  std::vector<std::unique_ptr<Started>> calls;
  for (int i = 0; i < 4; ++i) {
    auto work = workers->run("dead " + std::to_string(i), [second] { second->open.wait(); });
    calls.push_back(std::make_unique<Started>(loop, std::move(work)));
  }
  poll_while(loop, [&] { return workers->counts().busy < 2; });
  for (int i = 0; i < 10; ++i) finish(loop, workers->run("alive", [] {}));
  EXPECT_EQ(workers->counts().busy, 2u);
  EXPECT_EQ(workers->counts().waiting, 2u);

  second->opened.set_value();  // now they answer: nobody is a suspect any more
  for (auto& call : calls) drive(loop, call->ended);
  const auto third = std::make_shared<Gate>();
  std::vector<std::unique_ptr<Started>> again;
  for (int i = 0; i < 4; ++i) {
    auto work = workers->run("dead " + std::to_string(i), [third] { third->open.wait(); });
    again.push_back(std::make_unique<Started>(loop, std::move(work)));
  }
  poll_while(loop, [&] { return workers->counts().busy < 4; });
  third->opened.set_value();
  for (auto& call : again) drive(loop, call->ended);
}

TEST(Workers, ACancelledCallerGoesOnWhileItsJobIsCountedAsWedged) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor());
  const auto gate = std::make_shared<Gate>();
  Started hanging(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  poll_while(loop, [&] { return workers->counts().busy == 0; });
  hanging.signal.emit(asio::cancellation_type::terminal);
  drive(loop, hanging.ended);
  EXPECT_EQ(hanging.reason(), "aborted");
  EXPECT_EQ(workers->counts().wedged, 1u);

  gate->opened.set_value();
  while (workers->counts().wedged > 0) std::this_thread::yield();
  EXPECT_EQ(workers->counts().busy, 0u);
}

TEST(Workers, WhatGetsNoThreadBeforeItIsCancelledIsOurOwnFaultAndNeverRuns) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor(), {.threads = 1});
  const auto gate = std::make_shared<Gate>();
  Started hanging(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  poll_while(loop, [&] { return workers->counts().busy == 0; });

  bool ran = false;
  Started waiting(loop, workers->run("alive", [&ran] { ran = true; }));
  poll_while(loop, [&] { return workers->counts().waiting == 0; });
  waiting.signal.emit(asio::cancellation_type::terminal);
  drive(loop, waiting.ended);
  EXPECT_EQ(waiting.reason(), "workers_exhausted");

  gate->opened.set_value();
  drive(loop, hanging.ended);
  finish(loop, workers->run("alive", [] {}));
  EXPECT_FALSE(ran);
  EXPECT_EQ(workers->counts().threads, 1u);
}

TEST(Workers, ThePoolGoesAwayWithoutWaitingForAWedgedThread) {
  asio::io_context loop;
  auto workers = make_workers(loop.get_executor());
  const auto gate = std::make_shared<Gate>();
  auto left = gate->left.get_future();
  Started hanging(loop, workers->run("dead", [gate] {
    gate->open.wait();
    gate->left.set_value();
  }));
  poll_while(loop, [&] { return workers->counts().busy == 0; });
  hanging.signal.emit(asio::cancellation_type::terminal);
  drive(loop, hanging.ended);
  workers.reset();  // would hang here
  gate->opened.set_value();
  left.wait();
}

}  // namespace
}  // namespace vitald::probes
