// The processes of this host, out of /proc. Reading them takes a few microseconds each, and a command line can be held
// up by a process that hangs on a dead mount: walk in a worker's job, never on the loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/probe.hpp"

namespace vitald::probes {

/// The key for Workers::run of everything that walks through /proc.
inline constexpr const char* processes_key = "/proc";

/// One line of /proc/PID/stat (proc_pid_stat(5)).
struct ProcessStat {
  int pid = 0;
  std::string name;  // as the kernel keeps it, at most 15 bytes of it
  char state = '?';  // R running, S sleeping, D waiting for a disk, Z zombie, T stopped
  bool of_kernel = false;
  double cpu = 0;  // seconds
  double threads = 0;
  double started = 0;  // seconds since the boot
  double memory = 0;   // resident bytes
};

/// Nothing for a text that is none.
std::optional<ProcessStat> parse_process(std::string_view text);

/// Nothing for a process that is gone, or hidden.
std::optional<ProcessStat> read_process(const Host& host, int pid);

struct Processes {
  std::vector<ProcessStat> all;  // without the kernel's own
  bool hidden = false;           // /proc shows us our own processes only (hidepid=, ProtectProc=)
};

/// Throws ProbeFailure(unmeasured) where /proc cannot be listed.
Processes walk_processes(const Host& host);
/// The same in a worker, as evidence of a run whose verdict stands without it: empty where there is no worker.
awaitable<Processes> glance_at_processes(ProbeContext& context);

/// Under which a process is remembered: a number is used again, but not with the same start.
std::string process_key(const ProcessStat& process);
inline constexpr std::string_view process_key_begin = "process.";

/// The entries of a folder, at most 100,000; nothing where it cannot be listed.
std::optional<std::vector<std::string>> list_folder(const std::string& path);

/// "1.2 GiB mysqld (pid 812)", one line each, the biggest first; "" for none.
std::string say_biggest(std::vector<ProcessStat> processes, std::size_t most);

}  // namespace vitald::probes
