#include "daemon/disk_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace vitald::daemon {

struct DiskThread::Shared {
  struct Job {
    std::function<void()> job;
    std::function<void()> done;
  };

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> queue;
  std::optional<boost::asio::any_io_executor> loop;  // gone once the owner is: nothing is posted then
  bool stopping = false;
  bool ended = false;

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [&] { return stopping || !queue.empty(); });
      if (queue.empty()) break;
      Job next = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      next.job();
      next.job = nullptr;  // what it owns ends here, outside the lock, where it may block
      lock.lock();
      if (loop) boost::asio::post(*loop, std::move(next.done));
    }
    ended = true;
    changed.notify_all();
  }
};

DiskThread::DiskThread(boost::asio::any_io_executor loop, Duration patience)
    : patience_(patience), shared_(std::make_shared<Shared>()) {
  shared_->loop = std::move(loop);
  // Signals belong to the loop's thread: this one must never be interrupted by one, nor swallow it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([shared = shared_] { shared->work(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread_.native_handle(), "vitald-disk");
}

DiskThread::~DiskThread() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->loop.reset();
  shared_->changed.notify_all();
  const bool ended = shared_->changed.wait_for(lock, patience_, [this] { return shared_->ended; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void DiskThread::run(std::function<void()> job, std::function<void()> done) {
  const std::lock_guard lock(shared_->mutex);
  shared_->queue.push_back({std::move(job), std::move(done)});
  shared_->changed.notify_all();
}

}  // namespace vitald::daemon
