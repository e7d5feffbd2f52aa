// One connection to the control socket: one request line in, answer lines out.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "daemon/control.hpp"
#include "daemon/control_commands.hpp"

namespace vitald::daemon {

class ControlSession : public ControlLines, public std::enable_shared_from_this<ControlSession> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  ControlSession(Socket socket, const ControlSettings& settings, Operations& operations, std::string by);

  /// Serves the one command; then calls `gone` once, on the loop.
  void start(std::function<void()> gone);
  void close();
  boost::asio::awaitable<bool> write(std::string lines) override;

  /// Says why and hangs up.
  static void refuse(Socket socket, const std::string& sentence);

 private:
  static boost::asio::awaitable<void> serve(std::shared_ptr<ControlSession> self);
  /// The request without its newline; "" when none came in time.
  boost::asio::awaitable<std::string> read_request();
  void give_until(Duration length);

  Socket socket_;
  boost::asio::steady_timer deadline_;
  ControlSettings settings_;
  Operations& operations_;
  std::string by_;
  std::array<char, 4096> block_{};
};

}  // namespace vitald::daemon
