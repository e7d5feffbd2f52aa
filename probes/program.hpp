// A program that a check runs: how it is started, and how it ended. What runs it is the helper process (helper.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/now.hpp"
#include "probes/failure.hpp"

namespace vitald::probes {

struct ProgramStart {
  std::vector<std::string> arguments;  // the first is the program's absolute path; no shell reads them
  std::vector<std::pair<std::string, std::string>> environment;  // all of it: nothing is inherited
  std::string working_directory = "/";
  Duration kill_after = std::chrono::seconds(2);  // from SIGTERM to SIGKILL
};

/// What a program wrote: its beginning, its end, and how much between them was read and dropped.
struct Captured {
  std::string head, tail;
  std::uint64_t dropped = 0;

  /// Both, with a line between them that says how much is missing.
  std::string text() const;
};

enum class ProgramFate {
  exited,     // by itself, with `code`
  signalled,  // by the signal `code`, which we did not send
  late,       // it was ended when its time was up
  flooded,    // it wrote more than anybody would read, and was ended
};

struct ProgramEnd {
  ProgramFate fate = ProgramFate::exited;
  int code = 0;
  std::uint32_t left_behind = 0;  // processes that it left, and that were killed
  Captured out, err;              // standard output and standard error
};

/// Why a program was not started.
struct NotStarted {
  enum class Why : std::uint32_t {
    missing,             // `path` is not there
    denied,              // vitald may not pass a folder, or execute the file
    not_a_file,          // a folder, a socket
    writable_by_others,  // the file, or a folder on the way to it
    foreign_owner,       // neither root's nor vitald's own: `number` is the uid
    setuid,
    no_format,          // ENOEXEC
    no_interpreter,     // the file is there, what its first line names is not
    working_directory,  // `number` is an errno
    no_resources,       // EAGAIN, ENOMEM, EMFILE: ours
    other,              // `number` is an errno
  };
  Why why = Why::other;
  int number = 0;
  std::string path;
};

/// The same in words. Always unmeasured: nothing was learned about the target.
ProbeFailure not_started(const NotStarted& refusal);

}  // namespace vitald::probes
