// The one thread that may wait for the disk. Jobs run in order; what follows each is posted to the loop. A disk that
// never answers costs this thread, not the loop and not the end of the process.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <thread>

#include "config/now.hpp"

namespace vitald::daemon {

class DiskThread {
 public:
  /// `patience` is how long the destructor waits for jobs that were queued before it leaves the thread to itself.
  DiskThread(boost::asio::any_io_executor loop, Duration patience);
  /// Lets the queued jobs finish, but drops what follows them. A thread that is left behind touches nothing but its
  /// jobs, so a job must own what it uses.
  ~DiskThread();
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  /// Runs `job` on the thread, then `done` on the loop. `job` must not throw. Never blocks.
  void run(std::function<void()> job, std::function<void()> done);

 private:
  struct Shared;
  Duration patience_;
  std::shared_ptr<Shared> shared_;
  std::thread thread_;
};

}  // namespace vitald::daemon
