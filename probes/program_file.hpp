// Whether a program may be run: nobody but root and the daemon's own user may be able to change what it is. The file is
// judged by the descriptor that it is executed through, and so is each folder on the way, so nothing can be put in its
// place between the look and the use.
//
// A script is the exception: its interpreter opens it again by name. There the folders are the guarantee: only those
// who were trusted anyway can put another file there.
#pragma once

#include <sys/types.h>

#include <string>

#include "probes/program.hpp"

namespace vitald::probes {

struct ProgramFile {
  int descriptor = -1;  // to be closed by the caller; close-on-exec
  bool script = false;  // begins with "#!"
};

/// Opens it; -1 and the reason in `refusal` where it must not be run. `own` is the daemon's user. Blocks on a file
/// system that hangs.
ProgramFile open_program(const std::string& path, uid_t own, NotStarted& refusal);

}  // namespace vitald::probes
