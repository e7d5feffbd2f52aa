// The kernel's log as /dev/kmsg has it, and the victims of the out-of-memory killer that it names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vitald::probes {

struct KernelLog {
  std::string text;  // its last records, oldest first; "" where it cannot be read
  int error = 0;     // errno of the attempt
};

/// Reads what is there, at most the last 4 MiB of it. Takes a while where the ring is large: call it in a worker's job.
KernelLog read_kernel_log(const std::string& path);

struct Victim {
  std::uint64_t record = 0;  // number of its record in the log
  int pid = 0;
  std::string name;
  double bytes = 0;   // that it held in memory
  std::string group;  // control group it was in, "" where the kernel did not say
};

/// Oldest first, at most the last 64.
std::vector<Victim> find_victims(std::string_view log);

}  // namespace vitald::probes
