// A bounded pool of small-stack threads for everything that can block or takes long: database clients, gzip, big JSON.
// Nothing of the kind may run on the loop.
//
// Jobs carry a key, their target. A few jobs of one key run at once and the others wait for them; a key whose last
// caller gave up on it (its server hangs) is a suspect until a job of it ends in time, and all suspects together get at
// most half of the threads. So any number of hanging servers leaves room for those that answer.
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
  /// Runs `job` on a worker and resumes the caller on the loop. Exceptions of the job reach the caller.
  /// When the caller is cancelled it goes on at once; the job ends whenever it ends, its thread is counted as wedged
  /// until then, and everything that it touches must be its own (shared_ptr captures). A job that got no thread by then
  /// never runs: ProbeFailure(unmeasured), "worker_busy" where earlier calls to the same target were in the way and
  /// "workers_exhausted" where those to others were.
  virtual boost::asio::awaitable<void> run(std::string key, std::function<void()> job) = 0;

  struct Counts {
    std::size_t threads = 0, busy = 0, wedged = 0, waiting = 0;
  };
  virtual Counts counts() const = 0;
};

struct WorkerLimits {
  std::size_t threads = 64;  // started as they are needed; of idle ones a few are kept
  std::size_t per_key = 4;
};

std::unique_ptr<Workers> make_workers(boost::asio::any_io_executor loop, WorkerLimits limits = {});

}  // namespace vitald::probes
