// The HTTP listener (listen.http): a few connections, bounded in every direction, on the daemon's own loop.
//
// When a peer has all the connections that it may have, its oldest one that is not being answered makes room for the
// new one, so a slow flood from one address (loopback, most of all) cannot keep an honest client waiting
// (docs/guarantees.md R12).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "config/now.hpp"
#include "config/result.hpp"
#include "daemon/operations.hpp"

namespace vitald::daemon {

struct AdminSettings {
  std::string host = "127.0.0.1";       // numeric
  std::uint16_t port = 9642;            // 0: any free one
  std::vector<std::string> host_names;  // the instance's name among them
  std::size_t connections = 64;
  std::size_t connections_per_peer = 16;
  Duration header_time = std::chrono::seconds(5);   // from a request's first byte, or from the connection
  Duration idle_time = std::chrono::seconds(60);    // between two requests
  Duration answer_time = std::chrono::seconds(30);  // for a client to take an answer
};

class AdminHttp {
  struct Listener;

 public:
  /// Binds and listens; serves when the loop runs. `operations` must outlive the loop's last turn.
  static Result<std::unique_ptr<AdminHttp>> open(boost::asio::any_io_executor loop, AdminSettings settings,
                                                 Operations& operations);
  explicit AdminHttp(std::shared_ptr<Listener> listener);  // open() calls it
  /// Closes everything at once.
  ~AdminHttp();

  std::uint16_t port() const;
  std::size_t connections() const;
  /// No new connections; idle ones are closed, answers under way are finished (within answer_time). Idempotent.
  void stop();

 private:
  std::shared_ptr<Listener> listener_;
};

}  // namespace vitald::daemon
