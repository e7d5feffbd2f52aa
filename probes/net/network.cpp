#include "probes/net/network.hpp"

#include <sys/un.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <utility>

#include "probes/failure.hpp"
#include "probes/net/race.hpp"
#include "probes/net/resolver.hpp"
#include "probes/net/socket.hpp"
#include "probes/net/tls_context.hpp"
#include "probes/net/tls_stream.hpp"

namespace vitald::net {
namespace {

using namespace std::chrono_literals;

probes::ProbeFailure connect_failure(int error, const std::string& where) {
  return probes::failure_from(std::error_code(error, std::generic_category()), "connect to " + where);
}

probes::ProbeFailure unix_failure(int error, const std::string& path) {
  if (error == ENOENT || error == ENOTDIR)
    return probes::ProbeFailure(Outcome::refused, "socket_missing", "there is no socket " + path);
  if (error == ECONNREFUSED)
    return probes::ProbeFailure(Outcome::refused, "socket_refused", "nobody listens on the socket " + path);
  if (error == ENOTSOCK || error == EPROTOTYPE)
    return probes::ProbeFailure(Outcome::refused, "socket_refused", path + " is not a stream socket");
  if (error == EACCES || error == EPERM)
    return probes::ProbeFailure(Outcome::unmeasured, "denied:" + path, "vitald may not connect to the socket " + path,
                                "run: setfacl -m u:vitald:rw " + path +
                                    "  (until the service makes the socket anew; for good: usermod -aG "
                                    "$(stat -c %G " +
                                    path + ") vitald)");
  return connect_failure(error, path);
}

class HostNetwork final : public Network {
 public:
  HostNetwork(boost::asio::any_io_executor loop, const Clock& clock, const NetworkOptions& options)
      : poller_(std::make_shared<Poller>(std::move(loop))),
        resolver_(*poller_, clock, options),
        contexts_(clock),
        clock_(clock) {}
  HostNetwork(const HostNetwork&) = delete;
  HostNetwork& operator=(const HostNetwork&) = delete;
  ~HostNetwork() override { poller_->close(); }

  awaitable<std::unique_ptr<Stream>> connect(const Target& target, PhaseLog& phases) override {
    std::unique_ptr<Socket> socket;
    std::string peer;
    phases.begin("connect");
    if (!target.unix_path.empty()) {
      socket = co_await connect_unix(target.unix_path);
      peer = target.unix_path;
    } else {
      auto single = numeric_address(target.host, target.port);
      std::vector<Address> several;
      if (single) {
        check_family(*single, target);
      } else {
        phases.begin("resolve");
        several = co_await resolver_.resolve(target.host, target.port, target.family);
        phases.mark("resolve");
        phases.begin("connect");
        if (several.size() == 1) single = several.front();
      }
      if (single) {
        // The usual case, written out: one address, and on the loopback not one suspension.
        peer = single->text();
        socket = std::make_unique<Socket>(*poller_, single->family(), "connect to " + peer);
        int error = socket->begin_connect(single->raw(), single->length, single->loopback());
        while (error == EINPROGRESS) {
          co_await socket->writable();
          error = socket->continue_connect(single->raw(), single->length);
        }
        if (error != 0) throw connect_failure(error, several.empty() ? peer : target.host + " (" + peer + ")");
      } else {
        auto won = co_await race(*poller_, std::move(several), target.text());
        socket = std::move(won.socket);
        peer = std::move(won.peer);
      }
    }
    phases.mark("connect");
    if (!target.tls) co_return make_plain_stream(std::move(socket), std::move(peer));
    if (target.unix_path.empty())
      socket->no_delay();  // the request follows our last handshake message: Nagle would hold it
    phases.begin("tls");
    const auto context = contexts_.get(*target.tls);
    auto stream = co_await make_tls_stream(std::move(socket), std::move(peer), context, *target.tls, target.host,
                                           clock_.now().wall);
    phases.mark("tls");
    co_return stream;
  }

  awaitable<std::vector<std::string>> resolve(const Target& target, PhaseLog& phases) override {
    std::vector<std::string> numbers;
    if (const auto single = numeric_address(target.host, target.port)) {
      check_family(*single, target);
      numbers.push_back(target.host);
      co_return numbers;
    }
    phases.begin("resolve");
    const auto found = co_await resolver_.resolve(target.host, target.port, target.family);
    phases.mark("resolve");
    for (const Address& each : found) numbers.push_back(each.host());
    co_return numbers;
  }

 private:
  static void check_family(const Address& address, const Target& target) {
    const bool fits = target.family == Family::any || (target.family == Family::ipv6) == (address.family() == AF_INET6);
    if (!fits)
      throw probes::ProbeFailure(
          Outcome::refused, "name_not_found",
          target.host + (target.family == Family::ipv6 ? " is no IPv6 address" : " is no IPv4 address"));
  }

  awaitable<std::unique_ptr<Socket>> connect_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
      throw probes::ProbeFailure(Outcome::unmeasured, "socket_path_too_long",
                                 "the path of a Unix socket has at most 107 characters: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    auto socket = std::make_unique<Socket>(*poller_, AF_UNIX, "connect to " + path);
    // EAGAIN means that the listener's queue is full, and nothing tells when it is not: ask again, ever more rarely.
    auto pause = 2ms;
    int error = socket->begin_connect(raw, length, false);
    while (error == EAGAIN) {
      boost::asio::steady_timer timer(poller_->executor(), pause);
      co_await timer.async_wait(boost::asio::use_awaitable);
      pause = std::min(pause * 2, 100ms);
      error = socket->begin_connect(raw, length, false);
    }
    if (error != 0) throw unix_failure(error, path);
    co_return socket;
  }

  std::shared_ptr<Poller> poller_;
  Resolver resolver_;
  TlsContexts contexts_;
  const Clock& clock_;
};

}  // namespace

std::string Target::text() const {
  if (!unix_path.empty()) return unix_path;
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::unique_ptr<Network> make_network(boost::asio::any_io_executor loop, const Clock& clock, NetworkOptions options) {
  return std::make_unique<HostNetwork>(std::move(loop), clock, options);
}

}  // namespace vitald::net
