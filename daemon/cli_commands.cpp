#include "daemon/cli_commands.hpp"

#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>
#include <vector>

#include "daemon/api.hpp"
#include "daemon/cli_render.hpp"
#include "daemon/control_client.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

int show(const CommandLine& line, const json& report) {
  line.out << (line.json ? dump(report) + "\n" : render_probe(report, line.terminal));
  return exit_code(text_of(report, "verdict"));
}

}  // namespace

int unavailable(const CommandLine& line, const Failure& failure) {
  line.err << "vitald: " << plain_lines(failure.sentence()) << "\n";
  return exit_unavailable;
}

int simple(const CommandLine& line, const json& request) {
  const auto result = line.ask(request, {});
  if (!result) return unavailable(line, result.failure());
  if (line.json) {
    line.out << dump(*result) << "\n";
  } else {
    line.out << plain_lines(result->value("text", "")) << "\n";
  }
  return 0;
}

int status_command(const CommandLine& line) {
  std::vector<json> checks;
  const auto keep = [&](const json& progress) { checks.push_back(progress.value("check", json::object())); };
  auto result = line.ask(json{{"command", "status"}}, keep);
  if (!result) return unavailable(line, result.failure());
  if (line.json) {
    (*result)["checks"] = std::move(checks);
    line.out << dump(*result) << "\n";
  } else {
    line.out << render_status(*result, checks, line.terminal);
  }
  return 0;
}

int probe_command(const CommandLine& line, const std::string& check) {
  const auto report = line.ask(json{{"command", "probe"}, {"check", check}}, {});
  if (!report) return unavailable(line, report.failure());
  return show(line, *report);
}

int verify_command(const CommandLine& line) {
  const auto tell = [&](const json& progress) {
    line.out << (line.json ? dump(progress) + "\n" : render_verify_line(progress, line.terminal)) << std::flush;
  };
  const auto result = line.ask(json{{"command", "verify"}}, tell);
  if (!result) return unavailable(line, result.failure());
  line.out << (line.json ? dump(*result) + "\n" : render_verify_summary(*result, line.terminal));
  return exit_code(text_of(*result, "verdict"));
}

int explain_command(const CommandLine& line, const std::string& name) {
  const auto result = line.ask(json{{"command", "explain"}, {"name", name}}, {});
  if (!result) return unavailable(line, result.failure());
  line.out << (line.json ? dump(*result) + "\n" : render_explanation(*result, line.terminal));
  return 0;
}

int incident_command(const CommandLine& line, const std::string& incident) {
  const auto result = line.ask(json{{"command", "incident"}, {"incident", incident}}, {});
  if (!result) return unavailable(line, result.failure());
  line.out << (line.json ? dump(*result) + "\n" : render_story(*result, line.terminal));
  return 0;
}

int report_command(const CommandLine& line, const std::string& incident) {
  return simple(line, json{{"command", "report"}, {"incident", incident}});
}

int incidents_command(const CommandLine& line, const std::string& since) {
  json request = {{"command", "incidents"}};
  if (!since.empty()) request["since"] = since;
  const auto result = line.ask(request, {});
  if (!result) return unavailable(line, result.failure());
  line.out << (line.json ? dump(*result) + "\n" : render_incidents(*result, line.terminal));
  return 0;
}

int ack_command(const CommandLine& line, const std::string& incident, const std::string& by, bool undo) {
  const std::string who = by.empty() ? own_name(line.sudo_user) : by;
  return simple(line, json{{"command", undo ? "unack" : "ack"}, {"incident", incident}, {"by", who}});
}

int test_notify_command(const CommandLine& line, const std::string& receiver) {
  return simple(line, json{{"command", "test-notify"}, {"receiver", receiver}});
}

int reload_command(const CommandLine& line) { return simple(line, json{{"command", "reload"}}); }

}  // namespace vitald::daemon
