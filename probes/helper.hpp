// The helper process: a small child that makes the calls which no time-out can end (statvfs on a dead mount; later:
// exec). It is forked before the daemon has threads, descriptors or secrets, so a call that hangs there stops neither the loop
// nor a restart. It forks one grandchild for each outstanding call of a kind that may hang.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace vitald::probes {

/// statvfs(3), in bytes.
struct FileSystemUse {
  std::uint64_t size = 0, free = 0, available = 0;    // bytes; available: to ordinary users
  std::uint64_t inodes = 0, inodes_free = 0;          // 0 inodes: the file system has no such limit
  bool read_only = false;
};

class Helper {
 public:
  virtual ~Helper() = default;
  /// One call for each path is out at a time; while one hangs, the next throws ProbeFailure(refused, "mount_stuck").
  /// Throws ProbeFailure for errno values (EACCES: unmeasured), and unmeasured "helper_gone" while the helper restarts.
  virtual boost::asio::awaitable<FileSystemUse> statvfs(std::string path) = 0;
};

/// Forks; call it first thing in main, before any thread exists. Holds the parent's end of its socket.
class HelperProcess {
 public:
  static HelperProcess fork();
  HelperProcess(HelperProcess&&) noexcept;
  ~HelperProcess();  // closes the socket; the helper exits by itself
  std::unique_ptr<Helper> attach(boost::asio::any_io_executor loop) &&;

 private:
  explicit HelperProcess(int socket, int pid) : socket_(socket), pid_(pid) {}
  int socket_;
  int pid_;
};

}  // namespace vitald::probes
