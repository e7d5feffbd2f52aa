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

TEST(Workers, OneHangingTargetHoldsOneThreadAndBlocksNoOther) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor());
  const auto gate = std::make_shared<Gate>();
  Started hanging(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  while (workers->counts().busy == 0) loop.poll();

  Started second(loop, workers->run("dead", [] {}));
  drive(loop, second.ended);
  EXPECT_EQ(second.reason(), "worker_busy");
  finish(loop, workers->run("alive", [] {}));

  gate->opened.set_value();
  drive(loop, hanging.ended);
  EXPECT_EQ(hanging.reason(), "");
  finish(loop, workers->run("dead", [] {}));  // its thread is free again
}

TEST(Workers, ACancelledCallerGoesOnWhileItsJobIsCountedAsWedged) {
  asio::io_context loop;
  const auto workers = make_workers(loop.get_executor());
  const auto gate = std::make_shared<Gate>();
  Started hanging(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  while (workers->counts().busy == 0) loop.poll();
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
  const auto workers = make_workers(loop.get_executor(), 1);
  const auto gate = std::make_shared<Gate>();
  Started hanging(loop, workers->run("dead", [gate] { gate->open.wait(); }));
  while (workers->counts().busy == 0) loop.poll();

  bool ran = false;
  Started waiting(loop, workers->run("alive", [&ran] { ran = true; }));
  while (workers->counts().waiting == 0) loop.poll();
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
  while (workers->counts().busy == 0) loop.poll();
  hanging.signal.emit(asio::cancellation_type::terminal);
  drive(loop, hanging.ended);
  workers.reset();  // would hang here
  gate->opened.set_value();
  left.wait();
}

}  // namespace
}  // namespace vitald::probes
