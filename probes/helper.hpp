// The helper process: a small child that makes the calls which no time-out can end (statvfs on a dead mount; later:
// exec). It is forked before the daemon has threads, descriptors or secrets, so a call that hangs there stops neither
// the loop nor a restart. It forks one grandchild for each outstanding call of a kind that may hang.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "config/now.hpp"
#include "probes/failure.hpp"

namespace vitald::probes {

/// statvfs(3), in bytes.
struct FileSystemUse {
  std::uint64_t size = 0, free = 0, available = 0;    // bytes; available: to ordinary users
  std::uint64_t inodes = 0, inodes_free = 0;          // 0 inodes: the file system has no such limit
  bool read_only = false;
};

/// statvfs(3) here and now, for file systems that cannot hang; `error` becomes an errno, or 0.
FileSystemUse statvfs_now(const std::string& path, int& error);

/// What an errno of statvfs says: EACCES and a lack of memory are ours (unmeasured), a broken mount is the target's.
ProbeFailure statvfs_failure(const std::string& path, int error);

class Helper {
 public:
  virtual ~Helper() = default;
  /// One call for each path is out at a time. One that has no answer after `patience` throws ProbeFailure(refused,
  /// "mount_stuck") and goes on hanging; while it does, the next for that path throws the same at once.
  /// Throws statvfs_failure() for an errno, and ProbeFailure(unmeasured, "helper_gone") when the helper was killed.
  virtual boost::asio::awaitable<FileSystemUse> statvfs(std::string path, Duration patience) = 0;
};

/// Forks; call it first thing in main, before any thread exists. Holds the parent's end of its socket.
class HelperProcess {
 public:
  static HelperProcess fork();
  HelperProcess(HelperProcess&& other) noexcept;
  HelperProcess& operator=(HelperProcess&&) = delete;
  ~HelperProcess();  // ends the helper and its hanging calls
  std::unique_ptr<Helper> attach(boost::asio::any_io_executor loop) &&;

 private:
  HelperProcess(int socket, int pid) : socket_(socket), pid_(pid) {}
  int socket_;  // -1 once it was handed on
  int pid_;
};

}  // namespace vitald::probes
