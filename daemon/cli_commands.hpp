// The commands that ask a running daemon, whole: request, rendering, exit code. main.cpp only reads the arguments.
#pragma once

#include <functional>
#include <iosfwd>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

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

/// Says why the daemon could not be asked, or refused.
int unavailable(const CommandLine& line, const Failure& failure);
/// A command whose whole result is a text.
int simple(const CommandLine& line, const nlohmann::json& request);

/// Each gives the process's exit code. `probe` and `verify`: 0 ok, 1 warning, 2 critical, 3 unknown.
int status_command(const CommandLine& line);
int probe_command(const CommandLine& line, const std::string& check);
int verify_command(const CommandLine& line);
/// `by`: "" for whoever sits at the keyboard.
int ack_command(const CommandLine& line, const std::string& incident, const std::string& by, bool undo);

/// What `silence` and `maintenance` were told: words first ("list", "end 7k2m", "api-* team=web"), then options.
struct SilenceWords {
  std::vector<std::string> words;
  std::string lasts;  // "2h", or "" for the usual
  std::string reason;
  bool until_recovered = false;
};
int silence_command(const CommandLine& line, const SilenceWords& said);
int maintenance_command(const CommandLine& line, const SilenceWords& said);
/// The open ones; with `since` ("7d") those that ended since then as well.
int incidents_command(const CommandLine& line, const std::string& since = "");
int incident_command(const CommandLine& line, const std::string& incident);
int report_command(const CommandLine& line, const std::string& incident);
int explain_command(const CommandLine& line, const std::string& name);
int test_notify_command(const CommandLine& line, const std::string& receiver);
int reload_command(const CommandLine& line);

}  // namespace vitald::daemon
