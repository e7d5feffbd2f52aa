// The last steps of a forked process before it becomes the program, and what it leaves behind of us: nothing.
#pragma once

#include <string>
#include <vector>

#include "probes/program_file.hpp"

namespace vitald::probes {

struct ProgramPlan {
  std::string working_directory;
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=value
};

/// How far it came: written to the descriptor `report` where it did not become the program.
struct ProgramStumble {
  bool in_folder = false;  // it could not enter the working directory
  int error = 0;
};

/// Becomes the program, in a session of its own, with /dev/null, `out` and `err` as its only descriptors. It is killed
/// when `parent` ends. `report` closes when it succeeded.
[[noreturn]] void become_program(const ProgramPlan& plan, const ProgramFile& file, int out, int err, int report,
                                 int parent);

}  // namespace vitald::probes
