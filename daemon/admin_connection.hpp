// One HTTP connection: requests in, answers out, one after the other, each step within its time.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "daemon/admin_http.hpp"
#include "daemon/admin_http_codec.hpp"

namespace vitald::daemon {

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<const AdminSettings> settings,
             Operations& operations);

  /// Serves until either side is done; then calls `gone` once, on the loop.
  void start(std::function<void()> gone);
  /// At once, whatever is under way.
  void close();
  /// As soon as no answer is under way.
  void finish();
  bool answering() const { return answering_; }
  const boost::asio::ip::address& peer() const { return peer_; }

 private:
  using Nothing = boost::asio::awaitable<void>;
  using YesNo = boost::asio::awaitable<bool>;

  static Nothing serve(std::shared_ptr<Connection> self);
  /// A whole request has come; false when none will.
  YesNo receive();
  /// False when the connection is of no further use.
  YesNo respond(const HttpAsk& ask, const Answer& answer);
  YesNo send(const std::string& bytes);
  /// Reads what the peer still sends for a moment, so that closing does not reset the answer away (RFC 9112
  /// section 9.6).
  Nothing linger();
  void give_until(Duration length);

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer deadline_;
  std::shared_ptr<const AdminSettings> settings_;
  Operations& operations_;
  boost::asio::ip::address peer_;
  HttpDecoder decoder_;
  std::string input_;
  std::array<char, 4096> block_{};
  bool answering_ = false;
  bool last_ = false;
};

}  // namespace vitald::daemon
