#include "probes/descendants.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace vitald::probes {
namespace {

constexpr std::size_t most_remembered = 100'000;

struct Stat {
  char state = '?';
  int parent = 0;
};

/// "PID (NAME) STATE PPID …"; the name may hold anything, so its last parenthesis counts.
Stat read_stat(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  char text[512];
  const auto size = read(file, text, sizeof text - 1);
  close(file);
  if (size <= 0) return {};
  text[size] = '\0';
  const std::string_view all(text, static_cast<std::size_t>(size));
  const std::size_t name_end = all.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 >= all.size()) return {};
  return Stat{.state = all[name_end + 2], .parent = std::atoi(text + name_end + 4)};
}

}  // namespace

bool Descendants::reap() {
  while (true) {
    const int pid = waitpid(-1, nullptr, WNOHANG);
    if (pid <= 0) return pid == 0;
    killed_.erase(pid);  // the number may be another's from now on
  }
}

// By a look at every process: /proc/PID/task/TID/children is not in every kernel, and leaves out some while others end.
void Descendants::kill_children() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc"), closedir);
  if (folder == nullptr) return;
  const int self = getpid();
  while (const dirent* entry = readdir(folder.get())) {
    const int pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const Stat stat = read_stat(pid);
    if (stat.parent != self || stat.state == 'Z') continue;
    if (kill(pid, SIGKILL) == 0 && killed_.size() < most_remembered && killed_.insert(pid).second) count_ += 1;
  }
}

}  // namespace vitald::probes
