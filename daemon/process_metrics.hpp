// The process_* metrics that every Prometheus client library has, read from /proc/self when asked.
#pragma once

#include <string>

namespace vitald::daemon {

/// Appends process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes, process_open_fds,
/// process_max_fds and process_start_time_seconds. What cannot be read is left out. Three system calls on small files.
void append_process_metrics(std::string& out);

}  // namespace vitald::daemon
