#include "probes/net/socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "probes/failure.hpp"

namespace vitald::net {
namespace {

constexpr std::uint32_t readable_events = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t writable_events = EPOLLOUT | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t end_events = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

Socket::Socket(Poller& poller, int family, const std::string& doing)
    : poller_(poller.shared_from_this()), descriptor_(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
  if (descriptor_ < 0) throw probes::failure_from(std::error_code(errno, std::generic_category()), doing);
}

Socket::~Socket() {
  poller_->forget(*this);
  ::close(descriptor_);
}

int Socket::begin_connect(const sockaddr* address, socklen_t length, bool nearby) noexcept {
  if (::connect(descriptor_, address, length) == 0) return 0;
  if (errno != EINPROGRESS || !nearby) return errno;
  // Over the loopback the whole handshake has happened inside connect(2), which says EINPROGRESS all the same. Asking
  // once more is cheaper than a turn of the loop.
  return continue_connect(address, length);
}

int Socket::continue_connect(const sockaddr* address, socklen_t length) noexcept {
  // Linux answers a second connect(2) with 0 once the peer has accepted, with the socket's error when it has refused,
  // and with EALREADY in between: one call instead of getsockopt(SO_ERROR) and its ambiguities.
  if (::connect(descriptor_, address, length) == 0 || errno == EISCONN) return 0;
  return errno == EALREADY ? EINPROGRESS : errno;
}

ssize_t Socket::receive(void* into, std::size_t size) noexcept {
  if (!may_read_) {
    errno = EAGAIN;
    return -1;
  }
  ssize_t count = 0;
  do count = ::recv(descriptor_, into, size, 0);
  while (count < 0 && errno == EINTR);
  // Less than asked for means that the queue is empty: what comes next raises a new edge.
  const bool drained = count < 0 || static_cast<std::size_t>(count) < size;
  if (drained && !ended_) may_read_ = false;
  return count;
}

ssize_t Socket::send(const void* from, std::size_t size) noexcept {
  ssize_t count = 0;
  do count = ::send(descriptor_, from, size, MSG_NOSIGNAL);
  while (count < 0 && errno == EINTR);
  if (count < 0 && errno == EAGAIN) may_write_ = false;
  return count;
}

void Socket::no_delay() noexcept {
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void Socket::tell(Poller::Watch* other) {
  listener_ = other;
  if (other == nullptr) {
    poller_->release(*this);
    return;
  }
  watch(EPOLLOUT);
  poller_->hold(*this);
}

void Socket::watch(std::uint32_t event) {
  const auto wanted = registered_ | event | EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (wanted == registered_) return;
  if (registered_ == 0)
    poller_->add(descriptor_, wanted, *this);
  else
    poller_->change(descriptor_, wanted, *this);
  registered_ = wanted;
}

awaitable<void> Socket::wait(std::uint32_t event) {
  wanted_ = event;
  watch(event);  // here and not in start(), where the coroutine is detached already and an exception would destroy it
  return boost::asio::async_initiate<const Token&, void(boost::system::error_code)>(
      [this](Waiting&& waiting) { start(std::move(waiting)); }, boost::asio::use_awaitable);
}

void Socket::start(Waiting&& waiting) {
  auto slot = boost::asio::get_associated_cancellation_slot(waiting);
  waiting_.emplace(std::move(waiting));
  poller_->hold(*this);
  if (!slot.is_connected()) return;
  slot.assign([this](boost::asio::cancellation_type) {
    if (!waiting_) return;
    auto cancelled = std::move(*waiting_);
    waiting_.reset();
    poller_->release(*this);
    boost::asio::post(poller_->executor(), [ready = std::move(cancelled)]() mutable {
      ready(boost::system::error_code(boost::asio::error::operation_aborted));
    });
  });
}

void Socket::ready(std::uint32_t events) {
  if ((events & end_events) != 0) ended_ = true;
  if ((events & readable_events) != 0) may_read_ = true;
  if ((events & writable_events) != 0) may_write_ = true;
  if (listener_ != nullptr) {
    listener_->ready(events);
    return;
  }
  const auto enough = wanted_ == EPOLLOUT ? writable_events : readable_events;
  if (!waiting_ || (events & enough) == 0) return;
  auto resumed = std::move(*waiting_);
  waiting_.reset();
  poller_->release(*this);
  resumed(boost::system::error_code());  // may destroy this socket
}

void Socket::abandon() {
  if (!waiting_) return;
  auto abandoned = std::move(*waiting_);
  waiting_.reset();  // `abandoned` owns the coroutine's frames, and those own this socket
}

namespace {

class PlainStream final : public Stream {
 public:
  PlainStream(std::unique_ptr<Socket> socket, std::string peer) : socket_(std::move(socket)), peer_(std::move(peer)) {}

  awaitable<std::size_t> read_some(std::span<char> into) override {
    for (;;) {
      const auto count = socket_->receive(into.data(), into.size());
      if (count >= 0) co_return static_cast<std::size_t>(count);
      if (errno != EAGAIN) throw failure("read from ");
      co_await socket_->readable();
    }
  }

  awaitable<void> write(std::string_view all) override {
    while (!all.empty()) {
      const auto count = socket_->send(all.data(), all.size());
      if (count >= 0) {
        all.remove_prefix(static_cast<std::size_t>(count));
        continue;
      }
      if (errno != EAGAIN) throw failure("write to ");
      co_await socket_->writable();
    }
  }

  const std::string& peer() const override { return peer_; }

 private:
  probes::ProbeFailure failure(const char* doing) const {
    return probes::failure_from(std::error_code(errno, std::generic_category()), doing + peer_);
  }

  std::unique_ptr<Socket> socket_;
  std::string peer_;
};

}  // namespace

std::unique_ptr<Stream> make_plain_stream(std::unique_ptr<Socket> socket, std::string peer) {
  return std::make_unique<PlainStream>(std::move(socket), std::move(peer));
}

}  // namespace vitald::net
