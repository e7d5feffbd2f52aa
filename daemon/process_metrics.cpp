#include "daemon/process_metrics.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/clock.hpp"
#include "daemon/series_text.hpp"

namespace vitald::daemon {
namespace {

void append_metric(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                   double value) {
  out += "# HELP ";
  out += name;
  out += ' ';
  append_help(out, help);
  out += "\n# TYPE ";
  out += name;
  out += ' ';
  out += type;
  out += '\n';
  out += name;
  out += ' ';
  append_number(out, value);
  out += '\n';
}

std::string read_small(const char* path) {
  std::array<char, 2048> buffer;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return "";
  const ssize_t size = ::read(file, buffer.data(), buffer.size());
  ::close(file);
  return size > 0 ? std::string(buffer.data(), static_cast<std::size_t>(size)) : "";
}

/// The fields after the command's name, which may hold spaces and brackets itself (proc(5)): [0] is field 3, the state.
std::vector<std::string_view> stat_fields(std::string_view stat) {
  std::vector<std::string_view> fields;
  const auto close = stat.rfind(')');
  if (close == std::string_view::npos) return fields;
  stat.remove_prefix(close + 1);
  while (!stat.empty()) {
    const auto begin = stat.find_first_not_of(" \n");
    if (begin == std::string_view::npos) break;
    const auto end = std::min(stat.find_first_of(" \n", begin), stat.size());
    fields.push_back(stat.substr(begin, end - begin));
    stat.remove_prefix(end);
  }
  return fields;
}

double number(std::string_view text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<double> open_descriptors() {
  // Since Linux 6.2 the size of the folder is the count; before, it is 0 and the folder has to be walked.
  struct stat info {};
  if (::stat("/proc/self/fd", &info) == 0 && info.st_size > 0) return static_cast<double>(info.st_size);
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  double count = -1;  // the walk's own descriptor
  while (const dirent* entry = ::readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(folder);
  return count;
}

/// When the machine began, since the epoch: /proc/stat's btime is the same and dearer to read.
double machine_start() {
  const std::string uptime = read_small("/proc/uptime");
  const auto now = SystemClock().now().wall.time_since_epoch();
  return std::chrono::duration<double>(now).count() - number(uptime.substr(0, uptime.find(' ')));
}

}  // namespace

void append_process_metrics(std::string& out) {
  const std::string stat = read_small("/proc/self/stat");
  const auto fields = stat_fields(stat);
  if (fields.size() > 21) {
    const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    const double page = static_cast<double>(::sysconf(_SC_PAGESIZE));
    append_metric(out, "process_cpu_seconds_total", "counter", "Processor time spent, user and system.",
                  (number(fields[11]) + number(fields[12])) / ticks);
    append_metric(out, "process_resident_memory_bytes", "gauge", "Resident memory.", number(fields[21]) * page);
    append_metric(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.", number(fields[20]));
    append_metric(out, "process_start_time_seconds", "gauge", "When the process began, since the Unix epoch.",
                  machine_start() + number(fields[19]) / ticks);
  }
  if (const auto count = open_descriptors()) {
    append_metric(out, "process_open_fds", "gauge", "Open file descriptors.", *count);
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    append_metric(out, "process_max_fds", "gauge", "Most file descriptors that may be open.",
                  static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace vitald::daemon
