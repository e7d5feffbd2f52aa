// A loop on a thread of its own and blocking clients for it, so that a test reads as what a client sees.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <future>
#include <string>
#include <string_view>
#include <thread>

namespace vitald {

class LoopThread {
 public:
  LoopThread() : work_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    work_.reset();
    loop_.stop();
    thread_.join();
  }
  auto executor() { return loop_.get_executor(); }

  /// Runs `what` on the loop and waits for it.
  template <class F>
  auto on_loop(F what) {
    std::packaged_task<decltype(what())()> task(std::move(what));
    auto done = task.get_future();
    boost::asio::post(loop_, [&task] { task(); });
    return done.get();
  }

 private:
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

/// A connected client. A receive time-out of 20 s turns a hang into a failure.
class Client {
 public:
  static Client tcp(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return Client(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  static Client local(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return Client(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  ~Client() {
    if (socket_ >= 0) ::close(socket_);
  }

  void send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void finish_sending() const { ::shutdown(socket_, SHUT_WR); }

  /// What comes until `mark` or the end.
  std::string read_until(std::string_view mark) {
    while (buffer_.find(mark) == std::string::npos && more()) {
    }
    const auto at = buffer_.find(mark);
    const std::size_t size = at == std::string::npos ? buffer_.size() : at + mark.size();
    std::string text = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return text;
  }
  std::string read_all() {
    while (more()) {
    }
    return std::exchange(buffer_, "");
  }
  std::string read_exactly(std::size_t size) {
    while (buffer_.size() < size && more()) {
    }
    std::string text = buffer_.substr(0, size);
    buffer_.erase(0, text.size());
    return text;
  }

 private:
  Client(int family, const sockaddr* address, socklen_t size)
      : socket_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(socket_, address, size) != 0) ADD_FAILURE() << "cannot connect: " << std::strerror(errno);
  }
  bool more() {
    char block[16384];
    const ssize_t size = ::recv(socket_, block, sizeof block, 0);
    if (size < 0 && errno == EAGAIN) ADD_FAILURE() << "nothing came for 20 s";
    if (size <= 0) return false;
    buffer_.append(block, static_cast<std::size_t>(size));
    return true;
  }

  int socket_;
  std::string buffer_;
};

}  // namespace vitald
