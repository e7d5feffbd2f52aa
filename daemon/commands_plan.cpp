// `plan FILE`: what a reload to FILE would change, against what is in force.
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "daemon/api.hpp"
#include "daemon/commands.hpp"
#include "daemon/commands_parts.hpp"
#include "daemon/configuration.hpp"
#include "daemon/control_client.hpp"
#include "daemon/outline.hpp"
#include "daemon/plan.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

/// What FILE is compared with.
struct InForce {
  json outline = json::object();
  std::filesystem::path socket;  // "" where no daemon runs
  std::string file;
  std::string time;  // the daemon's
};

int mistakes(const CommandOptions& options, const LoadedConfiguration& loaded, const std::filesystem::path& file) {
  if (options.json) {
    const json report = {{"valid", false}, {"problems", problems_json(loaded.problems, file)}};
    std::cout << report.dump(2, ' ', false, json::error_handler_t::replace) << '\n';
  } else {
    std::cerr << config::render_problems(loaded.problems) << count_mistakes(loaded.problems, file) << '\n';
  }
  return exit_configuration;
}

Result<InForce> running(const std::filesystem::path& socket) {
  InForce now;
  now.socket = socket;
  const auto keep = [&](const json& line) { add_to_outline(now.outline, line); };
  const auto result = control_request(socket, json{{"command", "configuration"}}, keep);
  if (!result) return result.failure();
  now.file = result->value("configuration", "");
  now.time = result->value("time", "");
  return now;
}

void print(const CommandOptions& options, const InForce& now, json plan) {
  const bool daemon = !now.socket.empty();
  if (options.json) {
    plan["against"] = {{"daemon", daemon}, {"configuration", now.file}};
    std::cout << dump(plan) << '\n';
    return;
  }
  const Terminal terminal = terminal_of_stdout();
  std::cout << (daemon ? "Against the running daemon, which has " + now.file + ":\n"
                       : "Against " + now.file + ", since no daemon runs; which incidents are open is not known:\n")
            << render_plan(plan, terminal);
  if (daemon) std::cout << render_incidents_of_plan(plan["incidents"], terminal);
}

}  // namespace

int command_plan(const CommandOptions& options) {
  const LoadedConfiguration next = load_configuration(options.name, Secrets::leave);
  if (!next.configuration) return mistakes(options, next, options.name);

  InForce now;
  const std::filesystem::path socket = control_socket(options);
  if (nobody_listens(socket)) {
    const LoadedConfiguration in_place = load_configuration(options.config, Secrets::leave);
    if (!in_place.configuration) return mistakes(options, in_place, options.config);
    now.outline = parse_outline(unpack_outline(*in_place.configuration->outline));
    now.file = options.config.string();
  } else if (auto told = running(socket)) {
    now = std::move(*told);
  } else {
    std::cerr << "vitald: " << told.failure().sentence() << '\n';
    return exit_unavailable;
  }

  json plan = plan_of(now.outline, parse_outline(unpack_outline(*next.configuration->outline)));
  plan["valid"] = true;
  plan["problems"] = problems_json(next.problems, options.name);
  if (!options.json) std::cerr << config::render_problems(next.problems);
  if (!now.socket.empty()) {
    const auto listed = control_request(now.socket, json{{"command", "incidents"}});
    if (!listed) {
      std::cerr << "vitald: " << listed.failure().sentence() << '\n';
      return exit_unavailable;
    }
    plan["incidents"] =
        incidents_of_plan(plan, listed->value("incidents", json::array()), now.time, *next.configuration->rules);
  }
  print(options, now, std::move(plan));
  return EXIT_SUCCESS;
}

}  // namespace vitald::daemon
