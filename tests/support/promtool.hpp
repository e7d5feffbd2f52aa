// Prometheus's own judgement of a text exposition: `promtool check metrics`, from Debian's package prometheus.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace vitald {

struct PromtoolVerdict {
  int exit = -1;  // 0 clean, 3 lint, 1 does not parse
  std::string says;
};

/// Nothing where promtool is not installed.
inline std::optional<PromtoolVerdict> promtool(const std::string& exposition) {
  if (::access("/usr/bin/promtool", X_OK) != 0) return std::nullopt;
  char folder[] = "/tmp/vitald-promtool-XXXXXX";
  if (::mkdtemp(folder) == nullptr) return std::nullopt;
  const std::string in = std::string(folder) + "/metrics", out = std::string(folder) + "/said";
  std::ofstream(in, std::ios::binary) << exposition;
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(in.c_str(), "r", stdin) == nullptr || std::freopen(out.c_str(), "w", stdout) == nullptr)
      ::_exit(99);
    ::dup2(1, 2);
    ::execl("/usr/bin/promtool", "promtool", "check", "metrics", static_cast<char*>(nullptr));
    ::_exit(98);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::ostringstream said;
  said << std::ifstream(out).rdbuf();
  ::unlink(in.c_str());
  ::unlink(out.c_str());
  ::rmdir(folder);
  return PromtoolVerdict{WIFEXITED(status) ? WEXITSTATUS(status) : -1, said.str()};
}

}  // namespace vitald
