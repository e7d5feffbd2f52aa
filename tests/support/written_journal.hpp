// Journal files as journald would have written them, below a test's folder; by systemd-journal-remote, which turns text
// into such files.
#pragma once

#include <spawn.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "config/now.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::testing {

class WrittenJournal {
 public:
  static constexpr const char* writer = "/lib/systemd/systemd-journal-remote";
  static bool possible() { return std::filesystem::exists(writer); }

  explicit WrittenJournal(const Folder& folder) : folder_(folder) {
    folder_.make("/var/log/journal/00000000000000000000000000000001");
  }

  /// Lines such as "_SYSTEMD_UNIT=nginx.service"; the entry is written with the next flush().
  void add(Wall at, const std::string& message, const std::string& fields = "") {
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
    monotonic_ += 1000;
    text_ += "__REALTIME_TIMESTAMP=" + std::to_string(microseconds) + "\n";
    text_ += "__MONOTONIC_TIMESTAMP=" + std::to_string(monotonic_) + "\n";
    text_ += "_BOOT_ID=00000000000000000000000000000002\nMESSAGE=" + message + "\n" + fields + "\n";
  }
  void flush() {
    folder_.write("/export", text_);
    text_.clear();
    std::string program(writer), output = "--output=" + file(), input = folder_.path() + "/export";
    char* arguments[] = {program.data(), output.data(), input.data(), nullptr};
    char* nothing[] = {nullptr};
    pid_t child = 0;
    int status = 0;
    const bool ended = posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments, nothing) == 0 &&
                       waitpid(child, &status, 0) == child;
    if (!ended || status != 0) throw std::runtime_error(program + " failed");
  }
  /// What rotation and vacuuming leave of it: nothing.
  void drop() { std::filesystem::remove(file()); }

 private:
  std::string file() const {
    return folder_.path() + "/var/log/journal/00000000000000000000000000000001/system.journal";
  }

  const Folder& folder_;
  std::string text_;
  std::int64_t monotonic_ = 1'000'000;
};

}  // namespace vitald::testing
