#include "probes/program.hpp"

#include <cstring>

#include "probes/faults.hpp"

namespace vitald::probes {

std::string Captured::text() const {
  if (dropped == 0) return head + tail;
  return head + "\n(" + std::to_string(dropped) + " bytes are left out here)\n" + tail;
}

ProbeFailure not_started(const NotStarted& refusal) {
  using Why = NotStarted::Why;
  const std::string& path = refusal.path;
  const std::string errno_words = std::strerror(refusal.number);
  switch (refusal.why) {
    case Why::missing:
      return unmeasured("missing:" + path, path + " is not there", "install it, or correct 'command' in the check");
    case Why::denied:
      return unmeasured("denied:" + path, "vitald may not execute " + path,
                        "see who may: namei -l " + path + "; and whether its file system is mounted noexec");
    case Why::not_a_file:
      return unmeasured("not_a_file:" + path, path + " is not a file", "name a program in 'command'");
    case Why::writable_by_others:
      return unmeasured("unsafe:" + path, path + " may be written by others than its owner, so vitald does not run it",
                        "run: chmod go-w " + path);
    case Why::foreign_owner:
      return unmeasured("unsafe:" + path,
                        path + " belongs to user " + std::to_string(refusal.number) +
                            ", neither to root nor to vitald's own user, so vitald does not run it",
                        "run: chown root " + path);
    case Why::setuid:
      return unmeasured("setuid:" + path,
                        path + " is setuid or setgid, which has no effect below vitald, so vitald does not run it",
                        "give vitald the right that it needs in another way, or use a probe of vitald's own");
    case Why::no_format:
      return unmeasured("no_format:" + path, path + " is neither a program of this machine nor a script",
                        "a script's first line names its interpreter: #!/bin/sh");
    case Why::no_interpreter:
      return unmeasured("no_interpreter:" + path,
                        path +
                            " is there, but what it needs to run is not: the interpreter in its first line, or the"
                            " program's loader",
                        "run: head -1 " + path);
    case Why::working_directory:
      return unmeasured("working_directory:" + path, "vitald cannot work in the folder " + path + ": " + errno_words,
                        "correct 'working_directory' in the check, or let the user vitald pass it");
    case Why::no_resources:
      return unmeasured("no_resources", "vitald could not start a program: " + errno_words,
                        "raise the limits of the service: TasksMax=, LimitNOFILE=, MemoryMax=");
    case Why::other:
      break;
  }
  return unmeasured("not_started:" + path, "vitald could not start " + path + ": " + errno_words);
}

}  // namespace vitald::probes
