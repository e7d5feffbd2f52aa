// What the daemon and its helper process say to each other: one packet each way on a SOCK_SEQPACKET socket. Both ends
// are the same binary, so plain structs do.
#pragma once

#include <cstddef>
#include <cstdint>

#include "probes/helper.hpp"

namespace vitald::probes::helper_wire {

constexpr std::size_t longest_path = 4096;  // PATH_MAX
constexpr std::size_t most_calls = 64;      // outstanding; a host with more hanging mounts has other worries

struct Request {
  std::uint64_t id = 0;
  char path[longest_path] = {};  // zero-terminated; only the used part is sent
};
constexpr std::size_t request_head = offsetof(Request, path);

struct Reply {
  std::uint64_t id = 0;
  int error = 0;  // errno
  FileSystemUse use;
};

/// The helper's whole life: answers requests until the socket's other end is gone.
[[noreturn]] void serve(int socket, int parent);

}  // namespace vitald::probes::helper_wire
