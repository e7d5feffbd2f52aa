#include "daemon/service_manager.hpp"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace vitald::daemon {

ServiceManager::ServiceManager() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(1, &microseconds) > 0) watchdog_interval_ = std::chrono::microseconds(microseconds) / 2;
  if (const char* socket = std::getenv("NOTIFY_SOCKET")) socket_ = socket;
  ::unsetenv("NOTIFY_SOCKET");
}

/// A datagram of our own rather than sd_notify(3): that one reads the environment, which no longer holds the socket.
void ServiceManager::send(std::string_view state) {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // the abstract name space
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const int out = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (out < 0) return;
  // Lost when the manager's queue is full: the watchdog is fed again at half its time, the status by the next change.
  [[maybe_unused]] const ssize_t sent =
      ::sendto(out, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
  ::close(out);
}

void ServiceManager::ready(std::string_view status) { send("READY=1\nSTATUS=" + std::string(status)); }

void ServiceManager::reloading(Steady now) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void ServiceManager::stopping() { send("STOPPING=1"); }

void ServiceManager::status(std::string_view line) { send("STATUS=" + std::string(line)); }

void ServiceManager::alive() { send("WATCHDOG=1"); }

}  // namespace vitald::daemon
