#include "probes/workers.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "probes/failure.hpp"

namespace vitald::probes {
namespace {

namespace asio = boost::asio;

// Enough for libpq, Connector/C and a depth-capped JSON parser; the default of 8 MiB would count against a container's
// address space limits for nothing.
constexpr std::size_t stack_bytes = 256 * 1024;
constexpr std::size_t idle_kept = 4;

/// Who waits for a job. Lives and dies on the loop: the timer belongs to it, and a wedged thread may outlive the loop.
struct Waiter {
  explicit Waiter(const asio::any_io_executor& loop) : finished(loop, Steady::max()) {}

  asio::steady_timer finished;  // cancelled to resume the caller
  std::exception_ptr error;
  bool done = false;
};

/// One call of run(), as the threads see it. The flags are guarded by Pool::mutex.
struct Ticket {
  std::string key;
  std::function<void()> job;     // the worker's once it is taken from the queue
  std::weak_ptr<Waiter> waiter;  // locked only to be handed to the loop
  bool ended = false;
  bool abandoned = false;
};

/// What is known of one target: kept while a job of it is out or it is a suspect.
struct Line {
  std::size_t running = 0;
  bool suspect = false;
};

/// What the threads and the pool's owner share; the last of them frees it, so a wedged thread may outlive its pool.
struct Pool {
  Pool(asio::any_io_executor loop_, WorkerLimits limits_) : limits(limits_), loop(std::move(loop_)) {}

  /// Says of a ticket whether it may run, as things stand at this moment.
  auto admission() const {
    std::size_t suspects = 0;
    for (const auto& [key, line] : lines) suspects += line.suspect ? line.running : 0;
    const bool room = suspects < std::max<std::size_t>(limits.threads / 2, 1);
    return [this, room](const std::shared_ptr<Ticket>& ticket) {
      const auto line = lines.find(ticket->key);
      if (line == lines.end()) return true;
      return line->second.running < limits.per_key && (room || !line->second.suspect);
    };
  }
  /// The first in the queue that may run now; the end of the queue when there is none.
  auto next() { return std::find_if(queue.begin(), queue.end(), admission()); }

  const WorkerLimits limits;
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<asio::any_io_executor> loop;  // nothing once the pool is closed: then nobody waits for an answer
  std::deque<std::shared_ptr<Ticket>> queue;
  std::map<std::string, Line, std::less<>> lines;
  std::size_t threads = 0, busy = 0, wedged = 0;
  std::vector<pthread_t> leaving;  // ended because the pool closes, to be joined by it
  bool gone = false;               // the pool's owner has left: nobody joins any more
};

void begin(Pool& pool, const Ticket& ticket) {
  pool.busy += 1;
  pool.lines[ticket.key].running += 1;
}

void finish(Pool& pool, const std::shared_ptr<Ticket>& ticket, std::exception_ptr error) {
  const auto line = pool.lines.find(ticket->key);
  if (!ticket->abandoned) line->second.suspect = false;
  pool.busy -= 1;
  line->second.running -= 1;
  if (line->second.running == 0 && !line->second.suspect) pool.lines.erase(line);
  ticket->ended = true;
  pool.changed.notify_all();  // more than one may have been waiting for this
  if (ticket->abandoned) {
    pool.wedged -= 1;
  } else if (auto waiter = pool.loop ? ticket->waiter.lock() : nullptr) {
    asio::post(*pool.loop, [waiter = std::move(waiter), error = std::move(error)] {
      waiter->error = error;
      waiter->done = true;
      waiter->finished.cancel();
    });
  }
}

void work(const std::shared_ptr<Pool>& pool) {
  std::unique_lock lock(pool->mutex);
  while (true) {
    auto next = pool->next();
    if (next == pool->queue.end() && pool->threads - pool->busy > idle_kept) break;
    while (pool->loop && next == pool->queue.end()) {
      pool->changed.wait(lock);
      next = pool->next();
    }
    if (!pool->loop) break;
    std::shared_ptr<Ticket> ticket = std::move(*next);
    pool->queue.erase(next);
    begin(*pool, *ticket);
    lock.unlock();
    std::exception_ptr error;
    try {
      ticket->job();
    } catch (...) {
      error = std::current_exception();
    }
    ticket->job = nullptr;  // what it captured goes before anybody hears that it ended
    lock.lock();
    finish(*pool, ticket, std::move(error));
  }
  pool->threads -= 1;
  // What OpenSSL and the database libraries keep for each thread goes with the very end of it. A process that ends in
  // the same moment would leave that behind, so the pool waits for the end of those that it has time for.
  if (pool->loop || pool->gone) {
    pthread_detach(pthread_self());
  } else {
    pool->leaving.push_back(pthread_self());
  }
  pool->changed.notify_all();
}

void* enter(void* argument) {
  const std::unique_ptr<std::shared_ptr<Pool>> pool(static_cast<std::shared_ptr<Pool>*>(argument));
  pthread_setname_np(pthread_self(), "vitald-worker");
  work(*pool);
  return nullptr;
}

/// A thread that takes no signals: they are the loop's. False when the system has no more threads for us.
bool start_thread(const std::shared_ptr<Pool>& pool) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  auto argument = std::make_unique<std::shared_ptr<Pool>>(pool);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, enter, argument.get()) == 0;
  if (started) static_cast<void>(argument.release());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return started;
}

/// The caller was cancelled. A job that no worker took yet never runs; one that runs is left to itself.
[[noreturn]] void abandon(Pool& pool, const std::shared_ptr<Ticket>& ticket) {
  const std::lock_guard lock(pool.mutex);
  const auto waiting = std::find(pool.queue.begin(), pool.queue.end(), ticket);
  if (waiting != pool.queue.end()) {
    pool.queue.erase(waiting);
    if (pool.lines.contains(ticket->key)) {
      throw ProbeFailure(Outcome::unmeasured, "worker_busy",
                         "earlier calls to " + ticket->key + " still hung when the run's time was up");
    }
    throw ProbeFailure(Outcome::unmeasured, "workers_exhausted",
                       "all " + std::to_string(pool.threads) + " worker threads were busy until the run's time was up");
  }
  if (!ticket->ended) {
    ticket->abandoned = true;
    pool.wedged += 1;
    pool.lines.at(ticket->key).suspect = true;
  }
  throw boost::system::system_error(asio::error::operation_aborted);
}

class ThreadPool final : public Workers {
 public:
  ThreadPool(asio::any_io_executor loop, WorkerLimits limits)
      : loop_(loop), pool_(std::make_shared<Pool>(std::move(loop), limits)) {}
  ThreadPool(const ThreadPool&) = delete;

  ~ThreadPool() override {
    std::unique_lock lock(pool_->mutex);
    pool_->loop.reset();
    pool_->queue.clear();
    pool_->changed.notify_all();
    // Idle threads are on their way out; those inside a job are left to end, or not to end, on their own.
    pool_->changed.wait(lock, [&] { return pool_->threads <= pool_->busy; });
    pool_->gone = true;
    const auto leaving = std::move(pool_->leaving);
    lock.unlock();
    for (const pthread_t thread : leaving) pthread_join(thread, nullptr);
  }

  asio::awaitable<void> run(std::string key, std::function<void()> job) override {
    const auto pool = pool_;  // the caller may be cancelled after the pool is gone
    const auto waiter = std::make_shared<Waiter>(loop_);
    const auto ticket = std::make_shared<Ticket>();
    ticket->key = std::move(key);
    ticket->job = std::move(job);
    ticket->waiter = waiter;
    enqueue(ticket);
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await waiter->finished.async_wait(token);
    if (!waiter->done) abandon(*pool, ticket);
    if (waiter->error) std::rethrow_exception(waiter->error);
  }

  Counts counts() const override {
    const std::lock_guard lock(pool_->mutex);
    return Counts{
        .threads = pool_->threads, .busy = pool_->busy, .wedged = pool_->wedged, .waiting = pool_->queue.size()};
  }

 private:
  void enqueue(const std::shared_ptr<Ticket>& ticket) {
    const std::lock_guard lock(pool_->mutex);
    pool_->queue.push_back(ticket);
    const auto ready = std::count_if(pool_->queue.begin(), pool_->queue.end(), pool_->admission());
    const std::size_t idle = pool_->threads - pool_->busy;
    if (static_cast<std::size_t>(ready) > idle && pool_->threads < pool_->limits.threads) {
      if (start_thread(pool_)) pool_->threads += 1;
    }
    if (pool_->threads == 0) {
      pool_->queue.pop_back();
      throw ProbeFailure(Outcome::unmeasured, "no_thread", "vitald could not start a worker thread",
                         "raise TasksMax= of vitald.service, or the limit that `ulimit -u` shows");
    }
    pool_->changed.notify_one();
  }

  asio::any_io_executor loop_;
  std::shared_ptr<Pool> pool_;
};

}  // namespace

std::unique_ptr<Workers> make_workers(asio::any_io_executor loop, WorkerLimits limits) {
  return std::make_unique<ThreadPool>(std::move(loop), limits);
}

}  // namespace vitald::probes
