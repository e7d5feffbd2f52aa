// The control group that a container lives in: what this process sees as the root of the hierarchy, v2 or v1. On a host
// that root is the kernel's own and has no limits; vitald's own service is a group below it and does not count.
#pragma once

#include <cstdint>
#include <optional>

namespace vitald::probes {

struct Host;

struct MemoryGroup {
  std::uint64_t limit = 0, held = 0;  // bytes; held: without the page cache that goes as soon as somebody needs room
};
/// The group's limit where it has one that is below `all`, what the host has.
std::optional<MemoryGroup> memory_group(const Host& host, std::uint64_t all);

struct SwapGroup {
  std::uint64_t limit = 0, used = 0;  // bytes
};
/// v2 only: v1 counts memory and swap together.
std::optional<SwapGroup> swap_group(const Host& host, std::uint64_t all);

struct CpuGroup {
  double cores = 0;                   // how many it may use at a time
  double used = 0;                    // seconds of CPU so far
  double periods = 0, held_back = 0;  // periods so far, and those in which it was held back
};
/// The group's quota where it has one.
std::optional<CpuGroup> cpu_group(const Host& host);

/// How often the kernel killed in this group for want of memory; nothing on a host.
std::optional<std::uint64_t> group_oom_kills(const Host& host);

/// v2: whether the root that we see is a group of a container.
bool in_container(const Host& host);

}  // namespace vitald::probes
