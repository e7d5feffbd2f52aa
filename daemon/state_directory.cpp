#include "daemon/state_directory.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace vitald::daemon {
namespace {

bool of_the_disk(int error) { return error == EROFS || error == ENOSPC || error == EDQUOT || error == EIO; }

std::string user_name(uid_t user) {
  char buffer[1024];
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(user);
}

StateDirectory::Claim refuse(const std::filesystem::path& where, std::string what) {
  return {nullptr, Failure{where, std::move(what)}, 0};
}

StateDirectory::Claim from_errno(const std::filesystem::path& where, int error, const std::string& what) {
  if (of_the_disk(error)) return {nullptr, {}, error};
  return refuse(where, what + ": " + std::strerror(error));
}

/// The number that the other instance left for people, or "".
std::string other_process(int directory) {
  const int fd = ::openat(directory, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return "";
  char text[16];
  const ssize_t count = ::read(fd, text, sizeof text);
  ::close(fd);
  const std::string number(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  return number.substr(0, number.find_first_not_of("0123456789"));
}

}  // namespace

StateDirectory::Claim StateDirectory::claim(const std::filesystem::path& path) {
  const std::string me = user_name(::geteuid());
  const int made = ::mkdir(path.c_str(), 0700) == 0 ? 0 : errno;
  if (made != 0 && made != EEXIST) {
    return from_errno(path, made, "cannot be created; run: install -d -m 0700 -o " + me + " " + path.string());
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return from_errno(path, errno, "cannot be opened");
  std::error_code unresolved;
  std::unique_ptr<StateDirectory> directory(new StateDirectory(std::filesystem::canonical(path, unresolved), fd));
  struct stat found {};
  if (unresolved || ::fstat(fd, &found) != 0) return from_errno(path, EIO, "");
  if (found.st_uid != ::geteuid()) {
    return refuse(path, "belongs to " + user_name(found.st_uid) + ", but vitald runs as " + me + "; run: chown -R " +
                            me + " " + path.string());
  }
  if ((found.st_mode & 0022) != 0) {
    return refuse(path, "may be written to by others; run: chmod 0700 " + path.string());
  }
  // The directory itself is what is locked: that works on a full or read-only disk, and deleting a file in it does not
  // let a second instance in. The file `lock` only tells people who it is.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return from_errno(path, errno, "cannot be locked");
    const std::string pid = other_process(fd);
    return refuse(path, "is in use by another vitald" + (pid.empty() ? "" : " (process " + pid + ")") +
                            "; stop that one, or give this one a `state:` directory of its own");
  }
  const int lock = ::openat(fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
  if (lock < 0 && errno == ELOOP) return refuse(path / "lock", "is a symbolic link; remove it");
  if (lock >= 0) {
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock, 0) == 0) (void)!::pwrite(lock, pid.data(), pid.size(), 0);
    directory->pid_file_ = lock;
  }
  return {std::move(directory), {}, 0};
}

StateDirectory::~StateDirectory() {
  if (pid_file_ >= 0) {
    (void)!::ftruncate(pid_file_, 0);
    ::close(pid_file_);
  }
  ::close(fd_);
}

StateDirectory::Claim StateDirectory::inspect(const std::string& name) const {
  const std::filesystem::path where = path_ / name;
  const int fd = ::openat(fd_, name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  const int error = fd < 0 ? errno : 0;  // kept: making the sentences below may change it
  if (error == ENOENT) return {};
  if (error == ELOOP) return refuse(where, "is a symbolic link; remove it");
  if (error != 0)
    return from_errno(where, error, "cannot be opened; run: chown " + user_name(::geteuid()) + " " + where.string());
  struct stat found {};
  const bool known = ::fstat(fd, &found) == 0;
  const bool tight = known && ((found.st_mode & 0077) == 0 || ::fchmod(fd, 0600) == 0);
  ::close(fd);
  if (!known) return {nullptr, {}, EIO};
  if (!S_ISREG(found.st_mode)) return refuse(where, "is not a plain file; remove it");
  if (found.st_nlink != 1) return refuse(where, "has another name as well (a hard link); remove that");
  if (found.st_uid != ::geteuid() || !tight) {
    return refuse(where, "belongs to " + user_name(found.st_uid) + "; run: chown " + user_name(::geteuid()) + " " +
                             where.string());
  }
  return {};
}

bool StateDirectory::sync() const { return ::fsync(fd_) == 0; }

}  // namespace vitald::daemon
