#include "daemon/disk_thread.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <vector>

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;

/// Runs the loop until `flag`, however long that takes.
void run_until(boost::asio::io_context& loop, const bool& flag) {
  loop.restart();
  const auto work = boost::asio::make_work_guard(loop);
  while (!flag) loop.run_one();
}

TEST(DiskThread, runs_jobs_in_order_and_answers_on_the_loop) {
  boost::asio::io_context loop;
  DiskThread disk(loop.get_executor(), 1h);
  std::vector<std::size_t> done;
  std::vector<std::thread::id> workers(100);
  bool all = false;
  for (std::size_t i = 0; i < 100; ++i) {
    disk.run([&worker = workers[i]] { worker = std::this_thread::get_id(); },
             [&, i] {
               EXPECT_NE(workers[i], std::this_thread::get_id());
               done.push_back(i);
               all = i == 99;
             });
  }
  run_until(loop, all);
  ASSERT_EQ(done.size(), 100u);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(done[i], i);
}

TEST(DiskThread, a_stuck_job_does_not_stop_the_loop) {
  boost::asio::io_context loop;
  std::promise<void> release;
  DiskThread disk(loop.get_executor(), 1h);
  bool stuck_done = false;
  bool loop_ran = false;
  disk.run([wait = release.get_future().share()] { wait.wait(); }, [&] { stuck_done = true; });
  boost::asio::post(loop, [&] { loop_ran = true; });
  run_until(loop, loop_ran);
  EXPECT_FALSE(stuck_done);
  release.set_value();
  run_until(loop, stuck_done);
}

TEST(DiskThread, finishes_what_is_queued_when_it_ends) {
  boost::asio::io_context loop;
  auto count = std::make_shared<int>(0);
  bool told = false;
  {
    DiskThread disk(loop.get_executor(), 1h);
    for (int i = 0; i < 10; ++i) disk.run([count] { ++*count; }, [&told] { told = true; });
  }
  EXPECT_EQ(*count, 10);
}

/// Tells when the thread that it was given to has ended: thread-local objects go last.
struct Farewell {
  std::shared_ptr<std::promise<void>> left;
  ~Farewell() {
    if (left) left->set_value();
  }
};

TEST(DiskThread, a_stuck_job_does_not_keep_its_owner_from_ending) {
  auto release = std::make_shared<std::promise<void>>();
  auto left = std::make_shared<std::promise<void>>();
  {
    auto loop = std::make_unique<boost::asio::io_context>();
    auto disk = std::make_unique<DiskThread>(loop->get_executor(), 0ns);
    const auto job = [release, left] {
      thread_local Farewell farewell;
      farewell.left = left;
      release->get_future().wait();
    };
    disk->run(job, [] { FAIL(); });
    disk.reset();
    loop.reset();
  }
  release->set_value();
  left->get_future().wait();  // the thread that was left behind touched neither the loop nor its owner, which are gone
}

}  // namespace
}  // namespace vitald::daemon
