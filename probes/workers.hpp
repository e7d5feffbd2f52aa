// A bounded pool of small-stack threads for everything that can block or takes long: database clients, gzip, big JSON.
// Nothing of the kind may run on the loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace vitald::probes {

class Workers {
 public:
  virtual ~Workers() = default;
  /// Runs `job` on a worker and resumes the caller on the loop. At most one job for each `key` (a target) is out at a
  /// time, so one hanging server holds one thread; a second one throws ProbeFailure(unmeasured, "worker_busy").
  /// When the caller is cancelled it goes on at once; the job ends whenever it ends, its thread is counted as wedged
  /// until then, and everything that it touches must be its own (shared_ptr captures). A job that got no thread by then
  /// never runs: ProbeFailure(unmeasured, "workers_exhausted"). Exceptions of the job reach the caller.
  virtual boost::asio::awaitable<void> run(std::string key, std::function<void()> job) = 0;

  struct Counts {
    std::size_t threads = 0, busy = 0, wedged = 0, waiting = 0;
  };
  virtual Counts counts() const = 0;
};

std::unique_ptr<Workers> make_workers(boost::asio::any_io_executor loop, std::size_t most_threads = 16);

}  // namespace vitald::probes
