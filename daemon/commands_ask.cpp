// The commands that ask the daemon, or with --local this process.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/cli_commands.hpp"
#include "daemon/commands.hpp"
#include "daemon/commands_parts.hpp"
#include "daemon/configuration.hpp"
#include "daemon/control_client.hpp"
#include "daemon/local_operations.hpp"

namespace vitald::daemon {

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

CommandLine command_line(const CommandOptions& options, Ask ask) {
  return {std::move(ask), options.json, terminal_of_stdout(), std::cout, std::cerr, environment("SUDO_USER")};
}

CommandLine ask_daemon(const CommandOptions& options) {
  const std::filesystem::path socket = control_socket(options);
  return command_line(options, [socket](const nlohmann::json& request, const auto& on_progress) {
    return control_request(socket, request, on_progress);
  });
}

/// Calls `command` with a CommandLine that runs checks here.
template <class Command>
int with_local(const CommandOptions& options, Command command) {
  probes::HelperProcess helper = probes::HelperProcess::fork();  // before any thread exists
  LoadedConfiguration loaded = load_configuration(options.config, Secrets::load);
  for (const config::Problem& problem : loaded.problems.all()) std::cerr << problem.text() << '\n';
  if (!loaded.configuration) return exit_configuration;
  const auto local = std::make_shared<LocalOperations>(std::move(*loaded.configuration), std::move(helper));
  return command(command_line(options, [local](const nlohmann::json& request, const auto& on_progress) {
    return local->request(request, on_progress);
  }));
}

}  // namespace

Terminal terminal_of_stdout() { return terminal_of(STDOUT_FILENO, environment("NO_COLOR"), environment("TERM")); }

std::filesystem::path control_socket(const CommandOptions& options) {
  const LoadedConfiguration loaded = load_configuration(options.config, Secrets::leave);
  return (loaded.configuration ? loaded.configuration->runtime : Configuration().runtime) / "control.sock";
}

int command_probe(const CommandOptions& options) {
  const auto probe = [&](const CommandLine& line) { return probe_command(line, options.name); };
  return options.local ? with_local(options, probe) : probe(ask_daemon(options));
}

int command_verify(const CommandOptions& options) {
  const auto verify = [](const CommandLine& line) { return verify_command(line); };
  return options.local ? with_local(options, verify) : verify(ask_daemon(options));
}

int command_status(const CommandOptions& options) { return status_command(ask_daemon(options)); }
int command_ack(const CommandOptions& options) {
  return ack_command(ask_daemon(options), options.name, options.by, options.undo);
}
int command_silence(const CommandOptions& options) { return silence_command(ask_daemon(options), options.silence); }
int command_maintenance(const CommandOptions& options) {
  return maintenance_command(ask_daemon(options), options.silence);
}
int command_incidents(const CommandOptions& options) {
  if (!options.name.empty()) return incident_command(ask_daemon(options), options.name);
  constexpr const char* as_far_as_kept = "520w";
  return incidents_command(ask_daemon(options), options.since.empty() && options.all ? as_far_as_kept : options.since);
}
int command_explain(const CommandOptions& options) { return explain_command(ask_daemon(options), options.name); }
int command_report(const CommandOptions& options) { return report_command(ask_daemon(options), options.name); }
int command_test_notify(const CommandOptions& options) {
  return test_notify_command(ask_daemon(options), options.name);
}
int command_reload(const CommandOptions& options) { return reload_command(ask_daemon(options)); }

}  // namespace vitald::daemon
