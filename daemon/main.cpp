#include <openssl/crypto.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "daemon/commands.hpp"
#include "daemon/version.hpp"

namespace {

using vitald::daemon::CommandOptions;

struct Command {
  const char* name;
  const char* help;
  int (*run)(const CommandOptions&);
  const char* argument = nullptr;  // what its one argument is called
  const char* argument_help = nullptr;
  bool can_run_here = false;  // --local
  bool prints = true;         // --json
};

constexpr std::array commands{
    Command{"run", "Run the daemon in the foreground; systemd starts it so", vitald::daemon::command_run, nullptr,
            nullptr, false, false},
    Command{"check-config", "Check the configuration, list all mistakes; exit 0 or 78",
            vitald::daemon::command_check_config},
    Command{"status", "Show how every check stands", vitald::daemon::command_status},
    Command{"probe", "Run one check now; show its phases and evidence", vitald::daemon::command_probe, "CHECK",
            "the check's name", true},
    Command{"verify", "Run every check once; exit 0 all ok, 1 warning, 2 critical, 3 unknown",
            vitald::daemon::command_verify, nullptr, nullptr, true},
    Command{"explain", "Say why a check or an incident stands as it does, who was told and who was not",
            vitald::daemon::command_explain, "NAME", "a check's name, or the first letters of an incident's id"},
    Command{"incidents", "List the open incidents, or show one with its timeline", vitald::daemon::command_incidents},
    Command{"report", "Write a post-mortem of an incident, in Markdown", vitald::daemon::command_report, "INCIDENT",
            "its id, or the first letters of it"},
    Command{"ack", "Acknowledge an incident: reminders and escalation stop", vitald::daemon::command_ack, "INCIDENT",
            "its id, or the first letters of it"},
    Command{"silence", "Mute checks for a while; `silence list` shows, `silence end ID` ends one",
            vitald::daemon::command_silence},
    Command{"maintenance", "Show the planned windows; `start` and `end` make one by hand, as `silence` does",
            vitald::daemon::command_maintenance},
    Command{"test-notify", "Send a test message by a receiver and say how it went", vitald::daemon::command_test_notify,
            "RECEIVER", "the receiver's name"},
    Command{"plan", "Say what a reload to FILE would change, and which open incidents would end",
            vitald::daemon::command_plan, "FILE",
            "the configuration to come, or the one in place once it is edited; includes count from where it lies"},
    Command{"test-rules", "Run a story against the configuration; print, or compare, who is told what and when",
            vitald::daemon::command_test_rules, "FILE", "the story; lines that begin with '>' are what is expected"},
    Command{"reload", "Load the configuration again, as SIGHUP does, and say how it went",
            vitald::daemon::command_reload},
    Command{"discover", "Propose a configuration for what runs on this host", vitald::daemon::command_discover, nullptr,
            nullptr, false, false},
    Command{"schema", "Print the JSON Schema of the configuration, for editors", vitald::daemon::command_schema,
            nullptr, nullptr, false, false},
};

/// quickstart keeps everything in its own folder by these.
void add_discover_options(CLI::App& discover, vitald::daemon::DiscoverOptions& options) {
  discover.add_option("--port", options.port, "port of the status page")->capture_default_str();
  discover.add_option("--state", options.state, "folder of the database, where it is not to be the usual one");
  discover.add_option("--runtime", options.runtime,
                      "folder of the control socket, where it is not to be the usual one");
}

void add_silence_options(CLI::App& command, vitald::daemon::SilenceWords& said, const char* help) {
  command.add_option("WHAT", said.words, help);
  command.add_option("--for", said.lasts, "how long, 30d at most: 1h where nothing is said, 1d with --until-recovered")
      ->type_name("DURATION");
  command.add_option("--reason", said.reason, "why, for those who wonder");
  command.add_flag("--until-recovered", said.until_recovered,
                   "end earlier, when what it matches has been bad and is well again");
}

void add_ack_options(CLI::App& ack, CommandOptions& options) {
  ack.add_option("--by", options.by, "in whose name; left out: your own");
  ack.add_flag("--undo", options.undo, "take the acknowledgement back: the escalation begins anew");
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("vitald watches this host and what it depends on, and tells the right people once.", "vitald");
  app.require_subcommand(1);
  app.set_version_flag("--version", "vitald " + std::string(vitald::daemon::version()));

  CommandOptions options;
  int status = 0;
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.help);
    sub->add_option("--config,-c", options.config, "configuration file")->capture_default_str()->type_name("FILE");
    if (command.prints) sub->add_flag("--json", options.json, "print JSON");
    if (command.can_run_here) {
      sub->add_flag("--local", options.local, "run it here, with your own rights, instead of in the daemon");
    }
    if (command.argument != nullptr) {
      sub->add_option(command.argument, options.name, command.argument_help)->required();
    }
    sub->callback([&status, &command, &options] { status = command.run(options); });
  }
  add_discover_options(*app.get_subcommand("discover"), options.discover);
  add_ack_options(*app.get_subcommand("ack"), options);
  add_silence_options(*app.get_subcommand("silence"), options.silence,
                      "names of checks, also with '*', and labels such as team=web; or: list; or: end ID");
  add_silence_options(*app.get_subcommand("maintenance"), options.silence,
                      "nothing, to list the windows; or: start and what `silence` takes; or: end ID");
  CLI::App& incidents = *app.get_subcommand("incidents");
  incidents.add_option("INCIDENT", options.name, "one of them: its id, or the first letters of it");
  incidents.add_flag("--all", options.all, "those that are over as well, the latest 100");
  incidents.add_option("--since", options.since, "those that ended since then as well")->type_name("7d");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 64;  // EX_USAGE
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  // A worker may still be inside OpenSSL when the process ends (libpq hashes for as long as a server tells it to) and
  // would crash if OpenSSL cleaned up under it, so it must not. This counts only before OpenSSL's first use.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
  try {
    return parse_and_run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("vitald: no memory left\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vitald: internal error: %s\n", error.what());
  }
  return 70;  // EX_SOFTWARE
}
