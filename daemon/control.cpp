#include "daemon/control.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <list>
#include <utility>

#include "daemon/control_session.hpp"

namespace vitald::daemon {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

namespace {

constexpr auto plainly = asio::as_tuple(asio::use_awaitable);
constexpr auto pause_after_error = std::chrono::milliseconds(100);

std::string errno_text(int error) { return std::generic_category().message(error); }

/// Whether somebody answers there. Non-blocking: a live daemon whose backlog is full says EAGAIN instead of waiting.
bool somebody_listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const int failed = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool alive = failed == 0 || errno == EAGAIN || errno == EINPROGRESS;
  ::close(probe);
  return alive;
}

Result<void> clear_the_way(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return Failure{path, "cannot look at the control socket: " + errno_text(errno)};
  }
  if (!S_ISSOCK(info.st_mode))
    return Failure{path, "stands where the control socket belongs and is no socket; remove it"};
  if (somebody_listens(path)) return Failure{path, "another vitald answers at this control socket; stop it first"};
  if (::unlink(path.c_str()) != 0)
    return Failure{path, "cannot replace the left-over control socket: " + errno_text(errno)};
  return {};
}

}  // namespace

bool may_control(uid_t peer, uid_t own) { return peer == 0 || peer == own; }

struct ControlSocket::Listener : std::enable_shared_from_this<ControlSocket::Listener> {
  Listener(asio::any_io_executor loop, std::filesystem::path path_, Operations& operations_, ControlSettings settings_)
      : acceptor(loop), pause(loop), path(std::move(path_)), operations(operations_), settings(settings_) {}

  Result<void> bind();
  static asio::awaitable<void> accept(std::shared_ptr<Listener> self);
  void take(Local::socket socket);
  void stop();

  Local::acceptor acceptor;
  asio::steady_timer pause;
  std::filesystem::path path;
  Operations& operations;
  ControlSettings settings;
  ino_t inode = 0;  // of the file that we made
  std::list<std::shared_ptr<ControlSession>> sessions;
};

Result<void> ControlSocket::Listener::bind() {
  const std::string name = path.string();
  if (name.size() >= sizeof(sockaddr_un::sun_path)) {
    return Failure{name, "is too long for a Unix socket (107 bytes at most); choose a shorter runtime directory"};
  }
  if (auto cleared = clear_the_way(name); !cleared) return cleared;
  boost::system::error_code error;
  acceptor.open(Local(), error);
  // Linux gives the file the mode of the socket's own inode, so that it is never open to others, not even for a moment;
  // umask(2) would do the same but is the whole process's (net/unix/af_unix.c, unix_bind_bsd).
  if (!error && ::fchmod(acceptor.native_handle(), 0600) != 0) error.assign(errno, boost::system::system_category());
  if (!error) acceptor.bind(Local::endpoint(name), error);
  if (!error) acceptor.listen(64, error);
  if (error) return Failure{name, "cannot open the control socket: " + error.message()};
  struct stat info {};
  if (::lstat(name.c_str(), &info) == 0) inode = info.st_ino;
  return {};
}

asio::awaitable<void> ControlSocket::Listener::accept(std::shared_ptr<Listener> self) {
  while (self->acceptor.is_open()) {
    auto [error, socket] = co_await self->acceptor.async_accept(plainly);
    if (!error) {
      self->take(std::move(socket));
    } else if (self->acceptor.is_open()) {  // no descriptor left, most likely: accept would fail again at once
      self->pause.expires_after(pause_after_error);
      co_await self->pause.async_wait(plainly);
    }
  }
}

void ControlSocket::Listener::take(Local::socket socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const bool known = ::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
  std::string refusal;
  if (!known || !may_control(peer.uid, ::geteuid())) {
    refusal = "only root and the user that vitald runs as may give it commands; try sudo";
  } else if (sessions.size() >= settings.connections) {
    refusal = "vitald has " + std::to_string(sessions.size()) +
              " commands under way and takes no more; try again in a moment";
  }
  if (!refusal.empty()) {
    ControlSession::refuse(std::move(socket), refusal);
    return;
  }
  const auto made =
      std::make_shared<ControlSession>(std::move(socket), settings, operations, "uid " + std::to_string(peer.uid));
  sessions.push_back(made);
  made->start([weak = weak_from_this(), gone = made.get()] {
    if (const auto self = weak.lock())
      std::erase_if(self->sessions, [&](const auto& one) { return one.get() == gone; });
  });
}

void ControlSocket::Listener::stop() {
  if (!acceptor.is_open()) return;
  boost::system::error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && info.st_ino == inode && S_ISSOCK(info.st_mode)) ::unlink(path.c_str());
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(asio::any_io_executor loop, std::filesystem::path path,
                                                           Operations& operations, ControlSettings settings) {
  auto listener = std::make_shared<Listener>(loop, std::move(path), operations, settings);
  if (auto bound = listener->bind(); !bound) return bound.failure();
  asio::co_spawn(loop, Listener::accept(listener), asio::detached);
  return std::make_unique<ControlSocket>(std::move(listener));
}

ControlSocket::ControlSocket(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

ControlSocket::~ControlSocket() {
  listener_->stop();
  for (const auto& one : std::list(listener_->sessions)) one->close();
}

void ControlSocket::stop() { listener_->stop(); }

}  // namespace vitald::daemon
