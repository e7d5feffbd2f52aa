// The commands that ask a running daemon, whole: request, rendering, exit code. main.cpp only reads the arguments.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/result.hpp"
#include "daemon/cli_text.hpp"

namespace vitald::daemon {

/// The daemon could not be asked, or refused: sysexits.h's EX_UNAVAILABLE, out of the way of the verdicts' 0 to 3.
inline constexpr int exit_unavailable = 69;

/// Carries out one request of the control socket's vocabulary: in the daemon (control_request) or here
/// (LocalOperations).
using Ask = std::function<Result<nlohmann::json>(const nlohmann::json& request,
                                                 const std::function<void(const nlohmann::json&)>& on_progress)>;

struct CommandLine {
  Ask ask;
  bool json = false;  // --json: one document on `out`; `verify` one line for each check and then the sum
  Terminal terminal;
  std::ostream& out;
  std::ostream& err;
  std::string sudo_user;  // SUDO_USER of the environment
};

/// Each gives the process's exit code. `probe` and `verify`: 0 ok, 1 warning, 2 critical, 3 unknown.
int status_command(const CommandLine& line);
int probe_command(const CommandLine& line, const std::string& check);
int verify_command(const CommandLine& line);
int incidents_command(const CommandLine& line);
int ack_command(const CommandLine& line, const std::string& incident);
int test_notify_command(const CommandLine& line, const std::string& receiver);
int reload_command(const CommandLine& line);

}  // namespace vitald::daemon
