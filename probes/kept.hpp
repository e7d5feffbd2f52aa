// `keep_connection: true`: a connection that a run leaves open for the next run of the same check.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace vitald::probes {

/// Belongs to the check's Config (by shared_ptr, so that a job on a worker may outlive it), holds at most one
/// connection and closes it with itself. Whoever takes it out owns it: it comes back with put() only when the
/// conversation ended well, so a broken or half-read connection is never used again. Safe from any thread.
template <class Connection>
class Kept {
 public:
  /// What the last run left, or nothing.
  std::unique_ptr<Connection> take() {
    const std::lock_guard lock(mutex_);
    return std::move(connection_);
  }
  /// Keeps it; one that is there already (two runs overlapped) is closed, after the lock is gone.
  void put(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    connection_.swap(connection);
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace vitald::probes
