#include "daemon/admin_http.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <utility>

#include "daemon/admin_connection.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto plainly = asio::as_tuple(asio::use_awaitable);
constexpr auto pause_without_descriptors = std::chrono::milliseconds(100);

bool lacks_something(const boost::system::error_code& error) {
  namespace errc = boost::system::errc;
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::no_buffer_space || error == errc::not_enough_memory;
}

Failure cannot_listen(const AdminSettings& settings, const boost::system::error_code& error) {
  std::string what = "cannot listen for HTTP: " + error.message();
  if (error == asio::error::address_in_use) what += "; another program has that port, give listen.http another one";
  if (error == boost::system::errc::permission_denied)
    what += "; ports below 1024 need a capability, give listen.http another one";
  if (error == boost::system::errc::address_not_available) what += "; listen.http must name an address of this host";
  return {settings.host + ":" + std::to_string(settings.port), std::move(what)};
}

}  // namespace

struct AdminHttp::Listener : std::enable_shared_from_this<AdminHttp::Listener> {
  Listener(asio::any_io_executor loop, AdminSettings given, Operations& operations_)
      : acceptor(loop),
        pause(loop),
        settings(std::make_shared<const AdminSettings>(std::move(given))),
        operations(operations_) {}

  Result<void> bind();
  static asio::awaitable<void> accept(std::shared_ptr<Listener> self);
  void take(tcp::socket socket);
  /// Closes the oldest connection that waits for its peer (of `peer` alone, where one is named). False when all are
  /// busy.
  bool make_room(const asio::ip::address* peer);
  void stop();

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::shared_ptr<const AdminSettings> settings;
  Operations& operations;
  std::list<std::shared_ptr<Connection>> connections;  // oldest first
};

Result<void> AdminHttp::Listener::bind() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(settings->host, error);
  if (error) return Failure{settings->host, "listen.http must be a numeric address and a port, such as 127.0.0.1:9642"};
  const tcp::endpoint endpoint(address, settings->port);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot_listen(*settings, error);
  return {};
}

asio::awaitable<void> AdminHttp::Listener::accept(std::shared_ptr<Listener> self) {
  while (self->acceptor.is_open()) {
    auto [error, socket] = co_await self->acceptor.async_accept(plainly);
    if (!error) {
      self->take(std::move(socket));
    } else if (lacks_something(error)) {
      // Without a descriptor the connection stays in the backlog and accept fails again at once: give one back, and
      // wait.
      self->make_room(nullptr);
      self->pause.expires_after(pause_without_descriptors);
      co_await self->pause.async_wait(plainly);
    }
  }
}

void AdminHttp::Listener::take(tcp::socket socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error).address();
  if (error) return;  // gone already
  const auto of_peer =
      std::count_if(connections.begin(), connections.end(), [&](const auto& one) { return one->peer() == peer; });
  if (static_cast<std::size_t>(of_peer) >= settings->connections_per_peer && !make_room(&peer)) return;
  if (connections.size() >= settings->connections && !make_room(&peer) && !make_room(nullptr)) return;
  socket.set_option(tcp::no_delay(true), error);
  const auto made = std::make_shared<Connection>(std::move(socket), settings, operations);
  connections.push_back(made);
  made->start([weak = weak_from_this(), gone = made.get()] {
    if (const auto self = weak.lock())
      std::erase_if(self->connections, [&](const auto& one) { return one.get() == gone; });
  });
}

bool AdminHttp::Listener::make_room(const asio::ip::address* peer) {
  const auto idle = std::find_if(connections.begin(), connections.end(), [&](const auto& one) {
    return !one->answering() && (peer == nullptr || one->peer() == *peer);
  });
  if (idle == connections.end()) return false;
  (*idle)->close();
  connections.erase(idle);
  return true;
}

void AdminHttp::Listener::stop() {
  boost::system::error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  for (const auto& one : std::list(connections)) one->finish();
}

Result<std::unique_ptr<AdminHttp>> AdminHttp::open(asio::any_io_executor loop, AdminSettings settings,
                                                   Operations& operations) {
  auto listener = std::make_shared<Listener>(loop, std::move(settings), operations);
  if (auto bound = listener->bind(); !bound) return bound.failure();
  asio::co_spawn(loop, Listener::accept(listener), asio::detached);
  return std::make_unique<AdminHttp>(std::move(listener));
}

AdminHttp::AdminHttp(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

AdminHttp::~AdminHttp() {
  listener_->stop();
  for (const auto& one : std::list(listener_->connections)) one->close();
}

std::uint16_t AdminHttp::port() const {
  boost::system::error_code ignored;
  return listener_->acceptor.local_endpoint(ignored).port();
}

std::size_t AdminHttp::connections() const { return listener_->connections.size(); }
void AdminHttp::stop() { listener_->stop(); }

}  // namespace vitald::daemon
