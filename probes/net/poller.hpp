// Readiness of many descriptors through one epoll set of our own, which Asio watches as a single descriptor.
//
// Asio's own descriptors cost an ioctl, two epoll_ctl and a wait of their own for every connection; a probe's
// connection lives for five system calls, so they would be a third of its price. Used from the loop's thread only.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vitald::net {

/// Shared by every socket: Asio unwinds an abandoned coroutine only later, from the loop, and its sockets must find it
/// then.
class Poller : public std::enable_shared_from_this<Poller> {
 public:
  /// One descriptor's interest. `ready` may destroy this and any other watch.
  class Watch {
   public:
    virtual ~Watch() = default;
    virtual void ready(std::uint32_t events) = 0;
    /// The poller is closed: let go of whoever waits.
    virtual void abandon() {}

   private:
    friend class Poller;
    std::size_t held_at_ = not_held;
  };

  explicit Poller(boost::asio::any_io_executor loop);
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// Lets go of whoever waits: their coroutines are destroyed, not resumed. Nothing is delivered any more.
  void close();

  /// Throws probes::ProbeFailure where the kernel refuses. Level or edge triggered as `events` says.
  void add(int descriptor, std::uint32_t events, Watch& watch);
  void change(int descriptor, std::uint32_t events, Watch& watch);
  /// For a descriptor that somebody else closes later; closing one of ours takes it out of the set by itself.
  void remove(int descriptor) noexcept;
  /// No event reaches `watch` any more: part of closing its descriptor.
  void forget(Watch& watch) noexcept;

  /// While anybody is held, the loop has work and events are delivered.
  void hold(Watch& watch);
  void release(Watch& watch) noexcept;

  const boost::asio::any_io_executor& executor() const { return loop_; }

 private:
  static constexpr std::size_t not_held = static_cast<std::size_t>(-1);

  void control(int operation, int descriptor, std::uint32_t events, Watch* watch);
  void arm();
  void deliver();

  boost::asio::any_io_executor loop_;
  boost::asio::posix::stream_descriptor set_;
  std::vector<Watch*> held_;
  bool armed_ = false;
  std::array<epoll_event, 64> batch_{};
  std::size_t batch_size_ = 0;
  std::size_t batch_next_ = 0;
};

}  // namespace vitald::net
