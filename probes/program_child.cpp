#include "probes/program_child.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "probes/helper_wire.hpp"

namespace vitald::probes {
namespace {

/// What our parents ignored, a program would ignore as well: dispositions of that kind outlive execve(2).
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Where one of these is not allowed (RLIMIT_* under SystemCallFilter=~@resources), what the unit set stays.
void set_bounds() {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_cur, 1024);  // select(2) and loops that close every number
  setrlimit(RLIMIT_NOFILE, &files);
  // Where memory runs out, the program goes and the daemon stays.
  constexpr std::string_view first_to_go = "500";
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file >= 0) static_cast<void>(write(file, first_to_go.data(), first_to_go.size()) > 0);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> all;
  for (const std::string& word : words) all.push_back(const_cast<char*>(word.c_str()));  // execve's type, not its deed
  all.push_back(nullptr);
  return all;
}

}  // namespace

void become_program(const ProgramPlan& plan, const ProgramFile& file, int out, int err, int report, int parent) {
  const auto stumble = [report](bool in_folder, int error) {
    const ProgramStumble what{in_folder, error};
    static_cast<void>(write(report, &what, sizeof what) > 0);
    _exit(127);
  };
  helper_wire::die_with(parent);
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const bool ready = null >= 0 && dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2;
  if (!ready) stumble(false, errno);
  if (chdir(plan.working_directory.c_str()) != 0) stumble(true, errno);
  umask(077);
  set_bounds();
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  const auto arguments = pointers(plan.arguments), environment = pointers(plan.environment);
  reset_signals();
  if (file.script) {
    execve(arguments.front(), arguments.data(), environment.data());
  } else {
    execveat(file.descriptor, "", arguments.data(), environment.data(), AT_EMPTY_PATH);
  }
  stumble(false, errno);
  _exit(127);
}

}  // namespace vitald::probes
