#include "probes/postgres_relay.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>
#include <system_error>

#include "probes/failure.hpp"

namespace vitald::probes::postgres {
namespace {

constexpr std::size_t piece_bytes = 32 * 1024;
// libpq never has more to say than a statement and its login.
constexpr std::size_t most_unsent = 1 << 20;
// The loop severs the talk at the deadline, which ends the wait; this is for the case that it does not.
constexpr auto grace = std::chrono::seconds(2);

void close_if_open(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

/// What is there now, at most a piece; 0: the end. Nothing: there is nothing yet.
std::optional<std::size_t> receive(int from, std::array<char, piece_bytes>& into, std::size_t most) {
  const auto size = ::recv(from, into.data(), std::min(most, into.size()), MSG_DONTWAIT);
  if (size >= 0) return static_cast<std::size_t>(size);
  if (errno == EAGAIN || errno == EINTR) return std::nullopt;
  return 0;  // a reset is an end as well
}

/// Drops what could be sent from the front of `text`. False where the other side is gone.
bool send_some(int to, std::string& text) {
  const auto size = ::send(to, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size > 0) text.erase(0, static_cast<std::size_t>(size));
  return size >= 0 || errno == EAGAIN || errno == EINTR;
}

}  // namespace

void throw_timeout() { throw ProbeFailure(Outcome::refused, "timeout", "no answer from the server in time"); }

Relay::~Relay() {
  close_if_open(ours_);
  close_if_open(server_);
}

void Relay::attach(int libpq_socket) {
  std::array<int, 2> pair{-1, -1};
  server_ = ::fcntl(libpq_socket, F_DUPFD_CLOEXEC, 0);
  const bool made =
      server_ >= 0 && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) == 0;
  if (!made || ::dup3(pair[0], libpq_socket, O_CLOEXEC) < 0) {
    const std::error_code error(errno, std::generic_category());
    close_if_open(pair[0]);
    close_if_open(pair[1]);
    throw failure_from(error, "talk to the server");
  }
  ::close(pair[0]);
  ours_ = pair[1];
}

void Relay::take_from_libpq() {
  std::array<char, piece_bytes> piece;
  while (to_server_.size() < most_unsent) {
    const auto size = receive(ours_, piece, piece.size());
    if (!size || *size == 0) return;
    to_server_.append(piece.data(), *size);
  }
}

void Relay::send_to_server() {
  while (!to_server_.empty()) {
    const auto before = to_server_.size();
    if (!send_some(server_, to_server_)) to_server_.clear();  // it has ended; what it said before is still to be read
    if (to_server_.size() == before) return;
  }
}

bool Relay::hand_to_libpq() {
  const auto before = to_libpq_.size();
  if (before > 0 && !send_some(ours_, to_libpq_)) to_libpq_.clear();
  if (ended_ && to_libpq_.empty()) ::shutdown(ours_, SHUT_WR);
  return before > 0 || ended_;
}

bool Relay::take_from_server() {
  std::array<char, piece_bytes> piece;
  const auto size = receive(server_, piece, piece.size());
  if (!size) return true;
  if (*size > allowance_) return false;
  allowance_ -= *size;
  ended_ = *size == 0;
  to_libpq_.append(piece.data(), *size);
  return true;
}

bool Relay::turn(Wanted wanted, const sql::Talk& talk) {
  while (true) {
    take_from_libpq();
    send_to_server();
    if (hand_to_libpq() || (wanted == Wanted::writing && to_server_.empty())) return true;
    pollfd waiting{.fd = server_, .events = POLLIN, .revents = 0};
    if (!to_server_.empty()) waiting.events |= POLLOUT;
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(talk.left() + grace);
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
    if (ready == 0) throw_timeout();
    const bool something = ready > 0 && (waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0;
    if (something && !take_from_server()) return false;
  }
}

bool Relay::quiet() const {
  pollfd now{.fd = server_, .events = POLLIN | POLLRDHUP, .revents = 0};
  return !ended_ && to_libpq_.empty() && ::poll(&now, 1, 0) == 0;
}

void Relay::flush() {
  take_from_libpq();
  send_to_server();
}

}  // namespace vitald::probes::postgres
