// What the daemon says to its helper process and to the wardens that this forks, and what they answer. All of them are
// the same binary, so plain structs do.
//
// To the helper go single packets on a SOCK_SEQPACKET socket: a path for statvfs, answered by one packet; or a
// descriptor (SCM_RIGHTS) of a stream socket, which the helper hands to a warden and forgets. On that stream the daemon
// has written one ProgramRequest and its texts, and reads one ProgramReply when the program runs and one when it is
// over, or a single one that says why it was not started. Whichever side has enough closes its end.
#pragma once

#include <cstddef>
#include <cstdint>

#include "probes/helper.hpp"

namespace vitald::probes::helper_wire {

constexpr std::size_t longest_path = 4096;  // PATH_MAX
constexpr std::size_t most_calls = 64;      // outstanding; a host with more hanging mounts has other worries

struct Request {
  std::uint64_t id = 0;          // 0: the packet brings a descriptor for a warden, and no path
  char path[longest_path] = {};  // zero-terminated; only the used part is sent
};
constexpr std::size_t request_head = offsetof(Request, path);

struct Reply {
  std::uint64_t id = 0;
  int error = 0;  // errno
  FileSystemUse use;
};

// What is kept of standard output and of standard error: 80 KiB in all, which fits into a socket's buffer.
constexpr std::size_t kept_output = 60 * 1024, kept_errors = 12 * 1024, kept_tail = 4 * 1024;
constexpr std::uint64_t flood = 64 * 1024 * 1024;   // a program that writes more than this is ended
constexpr std::size_t longest_texts = 1024 * 1024;  // more than anybody sends

/// Followed by `size` bytes: working directory, arguments, NAME=value of the environment, each with a zero at its end.
struct ProgramRequest {
  std::uint32_t size = 0;
  std::uint32_t arguments = 0, variables = 0;
  std::uint64_t kill_after_ms = 0;
};

struct CapturedSize {
  std::uint32_t head = 0, tail = 0;
  std::uint64_t dropped = 0;
};

/// Followed by a path (of `refused`), or by what the program wrote (of `ended`).
struct ProgramReply {
  enum class Kind : std::uint32_t { started, refused, ended };
  Kind kind = Kind::started;
  NotStarted::Why why = NotStarted::Why::other;
  std::int32_t number = 0;  // of NotStarted
  ProgramFate fate = ProgramFate::exited;
  std::int32_t code = 0;
  std::uint32_t left_behind = 0;
  std::uint32_t path = 0;
  CapturedSize out, err;

  std::size_t texts() const { return std::size_t{path} + out.head + out.tail + err.head + err.tail; }
};

/// Ends this process when the one that forked it ends; checked afterwards, since that may have happened just before.
void die_with(int parent);

/// The helper's whole life: answers requests until the socket's other end is gone.
[[noreturn]] void serve(int socket, int parent);

/// A warden's whole life: one program, from the request on `socket` until nothing of it is left.
[[noreturn]] void watch_over_program(int socket);
/// What is said in place of a warden that could not be forked.
void refuse_program(int socket, int error);

}  // namespace vitald::probes::helper_wire
