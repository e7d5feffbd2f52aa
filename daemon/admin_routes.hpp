// What the HTTP listener answers: one table of routes, pure functions of the request and the daemon's state, and the
// pings (daemon/ping_route.hpp).
#pragma once

#include <boost/asio/awaitable.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin_http_codec.hpp"
#include "daemon/operations.hpp"

namespace vitald::daemon {

struct Route {
  std::string_view path;
  std::string_view says;                          // for docs/http.md and its test
  Answer (*answer)(const HttpAsk&, Operations&);  // nullptr: the pings
};
std::span<const Route> admin_routes();

/// Whether `host` (of the Host header, with or without a port) may name this daemon: any IP address, localhost, or one
/// of `names`. Everything else is what a browser sends that was lured here by DNS rebinding (docs/guarantees.md R19).
bool host_allowed(std::string_view host, const std::vector<std::string>& names);

/// The whole decision: 421 for a foreign Host, 404, 405, or the route's answer. Everything but a ping is answered at
/// once. Never throws.
boost::asio::awaitable<Answer> answer_request(const HttpAsk& ask, const std::vector<std::string>& host_names,
                                              Operations& operations);

}  // namespace vitald::daemon
