#include "config/regular_file.hpp"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <tuple>

namespace vitald::config {
namespace {

constexpr int most_tries = 5;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Failure because(const std::string& path, int error) {
  if (error == ENOENT) return {path, "there is no such file"};
  if (error == EACCES) return {path, "may not be read by this user; run: setfacl -m u:vitald:r " + path};
  return {path, "cannot be read: " + std::generic_category().message(error)};
}

auto stamp(const struct stat& facts) {
  return std::tuple(facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec,
                    facts.st_ctim.tv_sec, facts.st_ctim.tv_nsec);
}

/// Everything from the start to the end of file, or errno.
int read_to_end(int fd, std::size_t most, std::string& text) {
  text.clear();
  std::string chunk(64u << 10, '\0');
  while (text.size() <= most) {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      const int error = got < 0 ? errno : 0;
      explicit_bzero(chunk.data(), chunk.size());  // it may have been a secret
      return error;
    }
    text.append(chunk, 0, static_cast<std::size_t>(got));
  }
  return EFBIG;
}

}  // namespace

Result<FileText> read_regular_file(const std::string& path, std::size_t most) {
  const Failure too_large{path, "is larger than " + std::to_string(most >> 10) + " KiB"};
  for (int tries = 0; tries < most_tries; ++tries) {
    // O_NONBLOCK: opening a FIFO waits for its writer otherwise.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.get() < 0) return because(path, errno);
    struct stat before {};
    if (::fstat(file.get(), &before) != 0) return because(path, errno);
    if (S_ISDIR(before.st_mode)) return Failure{path, "is a directory, expected a file"};
    if (!S_ISREG(before.st_mode)) return Failure{path, "is not a regular file"};
    if (static_cast<std::size_t>(before.st_size) > most) return too_large;
    FileText result{{}, before.st_dev, before.st_ino, before.st_mode};
    const int error = read_to_end(file.get(), most, result.text);
    if (error == EFBIG) return too_large;
    if (error != 0) return because(path, error);
    // By its path, so that a file which was renamed over this one counts as a change as well.
    struct stat after {};
    if (::stat(path.c_str(), &after) == 0 && stamp(before) == stamp(after)) return result;
  }
  return Failure{path, "changes all the time while it is read"};
}

}  // namespace vitald::config
