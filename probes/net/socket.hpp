// A non-blocking stream socket: system calls first, and a wait for the poller only when the kernel says EAGAIN.
//
// One coroutine uses it at a time. It is closed when it is destroyed. Does not move: the poller knows it by its
// address.
#pragma once

#include <sys/types.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "probes/net/address.hpp"
#include "probes/net/poller.hpp"
#include "probes/net/stream.hpp"

namespace vitald::net {

class Socket final : Poller::Watch {
 public:
  /// Throws probes::ProbeFailure (out of descriptors …); `doing` is said in it.
  Socket(Poller& poller, int family, const std::string& doing);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() override;

  /// The errno of connect(2), 0 when connected, EINPROGRESS while the peer has not answered.
  int begin_connect(const sockaddr* address, socklen_t length, bool nearby) noexcept;
  /// After writable(): the same again.
  int continue_connect(const sockaddr* address, socklen_t length) noexcept;

  /// recv(2) and send(2): the count, or -1 with errno. EAGAIN: wait, then ask again.
  ssize_t receive(void* into, std::size_t size) noexcept;
  ssize_t send(const void* from, std::size_t size) noexcept;

  /// One or the other happened, or may have. Cancellation comes as Asio's exception.
  awaitable<void> readable() { return wait(EPOLLIN); }
  awaitable<void> writable() { return wait(EPOLLOUT); }

  /// Calls `other` instead of resuming a coroutine when the descriptor gets ready; nullptr ends that. For races.
  void tell(Poller::Watch* other);

  void no_delay() noexcept;
  int descriptor() const { return descriptor_; }

 private:
  using Token = boost::asio::use_awaitable_t<>;
  using Waiting = boost::asio::async_result<Token, void(boost::system::error_code)>::handler_type;

  void ready(std::uint32_t events) override;
  void abandon() override;
  awaitable<void> wait(std::uint32_t event);
  void start(Waiting&& waiting);
  void watch(std::uint32_t event);

  std::shared_ptr<Poller> poller_;
  int descriptor_;
  std::uint32_t registered_ = 0;
  bool may_read_ = false;  // nothing has come back yet on a fresh connection: the first read waits at once
  bool may_write_ = true;
  bool ended_ = false;  // EPOLLRDHUP, HUP or ERR was seen: there is always something to read, if only the end
  std::uint32_t wanted_ = 0;
  Poller::Watch* listener_ = nullptr;
  std::optional<Waiting> waiting_;
};

/// A Stream straight over a socket.
std::unique_ptr<Stream> make_plain_stream(std::unique_ptr<Socket> socket, std::string peer);

}  // namespace vitald::net
