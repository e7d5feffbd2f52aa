// A real server on the loopback, on plain blocking sockets in a thread of its own: one connection after the other is
// given to a function, which says what it wants and closes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace vitald::testing {

/// The server's end of one connection.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {}
  Peer(const Peer&) = delete;
  ~Peer() { ::close(descriptor_); }

  int descriptor() const { return descriptor_; }
  /// False when the client has gone.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  std::string receive() {
    char buffer[65536];
    const auto count = ::recv(descriptor_, buffer, sizeof buffer, 0);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
  }
  /// Until the end of a request's header.
  std::string receive_head() {
    std::string all;
    while (all.find("\r\n\r\n") == std::string::npos) {
      const auto piece = receive();
      if (piece.empty()) break;
      all += piece;
    }
    return all;
  }
  void wait_for_end() {
    while (!receive().empty()) {
    }
  }
  /// Closes with RST instead of FIN.
  void reset() {
    const linger now{1, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  int descriptor_;
};

class Loopback {
 public:
  using Serve = std::function<void(Peer&)>;

  explicit Loopback(Serve serve) : serve_(std::move(serve)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    listen(reinterpret_cast<sockaddr*>(&address), sizeof address, 128);
    socklen_t length = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }

  Loopback(const std::string& path, Serve serve) : serve_(std::move(serve)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    listen(reinterpret_cast<sockaddr*>(&address), sizeof address, 128);
  }

  Loopback(const Loopback&) = delete;
  ~Loopback() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    if (const int current = current_.load(); current >= 0) ::shutdown(current, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

 private:
  void listen(const sockaddr* address, socklen_t length, int backlog) {
    if (listener_ < 0 || ::bind(listener_, address, length) != 0 || ::listen(listener_, backlog) != 0)
      throw std::runtime_error("the test's server cannot listen");
    thread_ = std::thread([this] { accept(); });
  }

  void accept() {
    // OpenSSL's own socket writes raise SIGPIPE. Blocked in this thread alone, so that the client must not need it.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
      const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0 && (errno == EINTR || errno == ECONNABORTED) && !stopping_) continue;
      if (descriptor < 0) return;
      Peer peer(descriptor);
      current_ = descriptor;
      if (!stopping_) serve_(peer);
      current_ = -1;
    }
  }

  Serve serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> current_ = -1;
  std::thread thread_;
};

}  // namespace vitald::testing
