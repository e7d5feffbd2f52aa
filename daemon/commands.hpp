// The commands of the one binary. Each takes its options, prints for a person (or --json), and returns the exit status.
#pragma once

#include <filesystem>
#include <string>

#include "daemon/cli_commands.hpp"
#include "daemon/discover.hpp"

namespace vitald::daemon {

struct CommandOptions {
  std::filesystem::path config = "/etc/vitald/vitald.yaml";
  bool json = false;
  bool local = false;        // probe, verify: run here instead of in the daemon
  std::string name;          // of a check, a receiver, an incident
  std::string by;            // ack: in whose name
  bool undo = false;         // ack: take it back
  SilenceWords silence;      // silence, maintenance
  bool all = false;          // incidents: closed ones too
  std::string since;         // incidents: those that ended since then too, "7d"
  DiscoverOptions discover;  // discover: what is to stand in the file
};

/// sysexits.h: EX_CONFIG, so that systemd's RestartPreventExitStatus= can tell a mistake from a mishap.
constexpr int exit_configuration = 78;

int command_run(const CommandOptions& options);
int command_check_config(const CommandOptions& options);
int command_schema(const CommandOptions& options);
int command_discover(const CommandOptions& options);
int command_probe(const CommandOptions& options);
int command_verify(const CommandOptions& options);
int command_status(const CommandOptions& options);
int command_incidents(const CommandOptions& options);
int command_explain(const CommandOptions& options);
int command_report(const CommandOptions& options);
int command_plan(const CommandOptions& options);
int command_test_rules(const CommandOptions& options);
int command_ack(const CommandOptions& options);
int command_silence(const CommandOptions& options);
int command_maintenance(const CommandOptions& options);
int command_test_notify(const CommandOptions& options);
int command_reload(const CommandOptions& options);

}  // namespace vitald::daemon
