#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "probes/probe.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_bytes = 1 << 20;

struct Descriptor {
  explicit Descriptor(int fd_) : fd(fd_) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
  int fd;
};

[[noreturn]] void fail(const std::string& path, int error) {
  if (error == EACCES || error == EPERM) {
    throw ProbeFailure(Outcome::unmeasured, "denied:" + path, "vitald may not read " + path,
                       "run: setfacl -m u:vitald:r " + path);
  }
  if (error == ENOENT || error == ENOTDIR) {
    throw ProbeFailure(Outcome::unmeasured, "missing:" + path, path + " does not exist on this host");
  }
  throw ProbeFailure(Outcome::unmeasured, "unreadable:" + path,
                     "vitald could not read " + path + ": " + std::strerror(error));
}

}  // namespace

std::string Host::read(const std::string& path) const {
  const Descriptor file(open((root + path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.fd < 0) fail(path, errno);
  std::string text;
  char chunk[16 * 1024];
  while (text.size() <= most_bytes) {
    const auto got = ::read(file.fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, errno);
    if (got == 0) return text;
    text.append(chunk, static_cast<std::size_t>(got));
  }
  throw ProbeFailure(Outcome::unmeasured, "too_large:" + path, path + " is larger than 1 MiB");
}

}  // namespace vitald::probes
