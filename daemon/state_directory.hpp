// The directory that holds the store: made, checked and locked, for as long as this lives.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "config/result.hpp"

namespace vitald::daemon {

class StateDirectory {
 public:
  /// What became of a claim. `refusal`: the daemon must not start here. `ailing`: the errno of a disk that cannot even
  /// say whose it is; it may be better later.
  struct Claim;

  /// Makes `path` (0700) where it is missing, and locks it. Refuses one that belongs to somebody else, that others may
  /// write to, or that another vitald uses.
  static Claim claim(const std::filesystem::path& path);

  ~StateDirectory();
  StateDirectory(const StateDirectory&) = delete;
  StateDirectory& operator=(const StateDirectory&) = delete;

  /// Without symbolic links.
  const std::filesystem::path& path() const { return path_; }
  int fd() const { return fd_; }

  /// Makes sure that `name`, where it exists, is a plain file of ours with one name, and makes it 0600. Must not be
  /// called while SQLite has the file open here: closing any descriptor of a file drops all POSIX locks that the
  /// process has on it.
  Claim inspect(const std::string& name) const;
  /// Makes renames and new names in it durable.
  bool sync() const;

 private:
  StateDirectory(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::filesystem::path path_;
  int fd_;
  int pid_file_ = -1;
};

struct StateDirectory::Claim {
  std::unique_ptr<StateDirectory> directory;  // of claim() only
  Result<void> refusal;
  int ailing = 0;
};

}  // namespace vitald::daemon
