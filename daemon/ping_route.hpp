// /ping/<check>, /ping/<check>/start, /fail and /<exit code>: the only route on which something is told instead of
// asked.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "config/result.hpp"
#include "daemon/admin_http_codec.hpp"
#include "daemon/operations.hpp"

namespace vitald::daemon {

/// Whether the path belongs to it, and so may have a body.
bool is_ping_path(std::string_view path);

struct PingAsk {
  std::string check;
  probes::Ping ping;
};
/// Pure. Fails with the sentence of a 404.
Result<PingAsk> parse_ping(const HttpAsk& ask);

/// Answered when the ping is safely stored, not before. `host_allowed` was asked already.
boost::asio::awaitable<Answer> answer_ping(const HttpAsk& ask, Operations& operations);

}  // namespace vitald::daemon
