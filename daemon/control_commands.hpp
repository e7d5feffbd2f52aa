// What the control socket's commands do: requests and answers as JSON, no socket in sight.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/operations.hpp"

namespace vitald::daemon {

/// Where a command's answer goes, piece by piece.
class ControlLines {
 public:
  virtual ~ControlLines() = default;
  /// Whole lines. False when the client is gone: the command may stop.
  virtual boost::asio::awaitable<bool> write(std::string lines) = 0;
};

/// Carries out one request line and writes the whole answer, the last line included. `by` names the peer for `ack`
/// where the request does not. Never throws for anything that the request says.
boost::asio::awaitable<void> answer_command(std::string request, std::string by, std::size_t verify_width,
                                            Operations& operations, ControlLines& lines);

}  // namespace vitald::daemon
