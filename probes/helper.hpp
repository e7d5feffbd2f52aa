// The helper process: a small child that makes the calls which no time-out can end (statvfs on a dead mount), and forks
// the programs that checks run. It is forked before the daemon has threads, descriptors or secrets: a call that hangs
// there stops neither the loop nor a restart, a fork there costs the same however big the daemon is, and nothing of the
// daemon's can leak into a program. It forks one child for each outstanding call, and a warden for each program
// (warden.cpp, docs/decisions/0011).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "config/now.hpp"
#include "probes/failure.hpp"
#include "probes/program.hpp"

namespace vitald::probes {

/// statvfs(3), in bytes.
struct FileSystemUse {
  std::uint64_t size = 0, free = 0, available = 0;  // bytes; available: to ordinary users
  std::uint64_t inodes = 0, inodes_free = 0;        // 0 inodes: the file system has no such limit
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
  /// Runs a program and waits for its end. One that has not ended after `patience` is told to (SIGTERM, then SIGKILL),
  /// and the answer is ProgramFate::late, at once; the same happens, unanswered, when the caller is cancelled or the
  /// daemon ends. No process that the program started outlives the run, or its KILL where it had to be killed.
  /// A bounded number runs at a time, the others wait; and while an earlier run with the same arguments is not gone
  /// yet, the next one waits for that. Throws not_started(), and ProbeFailure(unmeasured) with "programs_busy",
  /// "earlier_run:PATH", "helper_busy" or "helper_gone".
  virtual boost::asio::awaitable<ProgramEnd> run_program(ProgramStart start, Duration patience) = 0;
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
