#include "probes/program_file.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace vitald::probes {
namespace {

using Why = NotStarted::Why;

constexpr int most_links = 40;  // as the kernel
constexpr std::size_t most_names = 256;

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// The names of a path, the last first.
std::vector<std::string> names_of(const std::string& path) {
  std::vector<std::string> names;
  std::size_t end = path.size();
  while (end > 0) {
    const std::size_t slash = path.rfind('/', end - 1);
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    if (begin < end && path.substr(begin, end - begin) != ".") names.push_back(path.substr(begin, end - begin));
    end = slash == std::string::npos ? 0 : slash;
  }
  return names;
}

Why why_of(int error) {
  switch (error) {
    case ENOENT:
      return Why::missing;
    case ENOTDIR:
      return Why::not_a_file;
    case EACCES:
    case EPERM:
      return Why::denied;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return Why::no_resources;
    default:
      return Why::other;
  }
}

class Walk {
 public:
  Walk(const std::string& path, uid_t own, NotStarted& refusal) : own_(own), refusal_(refusal) {
    names_ = names_of(path);
  }

  ProgramFile open() {
    if (!enter_root()) return {};
    while (!names_.empty()) {
      const std::string name = std::exchange(names_.back(), "");
      names_.pop_back();
      struct stat found;
      at_ = where_ + "/" + name;
      if (fstatat(folder_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return refuse_errno();
      if (S_ISLNK(found.st_mode)) {
        if (!follow(name)) return {};
      } else if (names_.empty()) {
        return take(name);
      } else if (!enter(name)) {
        return {};
      }
    }
    refuse(Why::not_a_file);
    return {};
  }

 private:
  bool refuse(Why why, int number = 0) {
    refusal_ = NotStarted{.why = why, .number = number, .path = at_.empty() ? "/" : at_};
    return false;
  }
  ProgramFile refuse_errno() {
    const int error = errno;
    refuse(why_of(error), error);
    return {};
  }

  bool trusted(const struct stat& found) {
    if (found.st_uid != 0 && found.st_uid != own_) return refuse(Why::foreign_owner, static_cast<int>(found.st_uid));
    // In a folder with the sticky bit nobody can rename or remove what is not his own.
    const bool sticky_folder = S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0;
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky_folder) return refuse(Why::writable_by_others);
    return true;
  }

  bool enter_opened(Descriptor opened) {
    struct stat found;
    if (opened.get() < 0 || fstat(opened.get(), &found) != 0) {
      refuse_errno();
      return false;
    }
    if (!trusted(found)) return false;
    folder_ = std::move(opened);
    where_ = at_;
    return true;
  }
  bool enter_root() {
    at_.clear();
    return enter_opened(Descriptor(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)));
  }
  bool enter(const std::string& name) {
    return enter_opened(Descriptor(openat(folder_.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)));
  }

  /// What the link names comes before what is left; the folder that holds the link is a trusted one.
  bool follow(const std::string& name) {
    char target[PATH_MAX];
    const auto size = readlinkat(folder_.get(), name.c_str(), target, sizeof target);
    if (size < 0) {
      refuse_errno();
      return false;
    }
    const std::string path(target, static_cast<std::size_t>(size));
    for (std::string& each : names_of(path)) names_.insert(names_.end(), std::move(each));
    if (++links_ > most_links || names_.size() > most_names) return refuse(Why::other, ELOOP);
    return !path.starts_with('/') || enter_root();
  }

  ProgramFile take(const std::string& name) {
    ProgramFile file;
    // Not to be read is no reason to refuse a program; a FIFO must not hold us up.
    const int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    Descriptor opened(openat(folder_.get(), name.c_str(), O_RDONLY | flags));
    if (opened.get() < 0 && errno == EACCES) opened = Descriptor(openat(folder_.get(), name.c_str(), O_PATH | flags));
    struct stat found;
    if (opened.get() < 0 || fstat(opened.get(), &found) != 0) return refuse_errno();
    if (!S_ISREG(found.st_mode)) {
      refuse(Why::not_a_file);
      return {};
    }
    if (!trusted(found)) return {};
    if ((found.st_mode & (S_ISUID | S_ISGID)) != 0) {
      refuse(Why::setuid);
      return {};
    }
    char begin[2] = {};
    file.script = pread(opened.get(), begin, sizeof begin, 0) == 2 && begin[0] == '#' && begin[1] == '!';
    file.descriptor = opened.release();
    return file;
  }

  uid_t own_;
  NotStarted& refusal_;
  std::vector<std::string> names_;  // still to go, the next last
  Descriptor folder_;
  std::string where_;  // folder_'s path
  std::string at_;     // what is looked at now
  int links_ = 0;
};

}  // namespace

ProgramFile open_program(const std::string& path, uid_t own, NotStarted& refusal) {
  return Walk(path, own, refusal).open();
}

}  // namespace vitald::probes
