// `silence` and `maintenance`: what is muted, by whom, why and until when.
#include <nlohmann/json.hpp>
#include <ostream>

#include "alerting/ids.hpp"
#include "config/units.hpp"
#include "daemon/api.hpp"
#include "daemon/cli_commands.hpp"
#include "daemon/cli_render.hpp"
#include "daemon/control_client.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t id_width = 6;
constexpr int exit_usage = 64;  // sysexits.h: EX_USAGE, as for any other wrong argument

int misused(const CommandLine& line, const std::string& what) {
  line.err << "vitald: " << what << "\n";
  return exit_usage;
}

int end_one(const CommandLine& line, const std::vector<std::string>& words) {
  if (words.size() != 2) return misused(line, "which one is to end? vitald silence list shows their ids");
  return simple(line, json{{"command", "end-silence"}, {"silence", words[1]}, {"by", own_name(line.sudo_user)}});
}

int add_one(const CommandLine& line, const SilenceWords& said, std::vector<std::string> checks) {
  if (said.reason.empty()) return misused(line, "a silence needs a reason: --reason \"new release\"");
  json request = {{"command", "silence"},
                  {"checks", std::move(checks)},
                  {"reason", said.reason},
                  {"until_recovered", said.until_recovered},
                  {"by", own_name(line.sudo_user)}};
  if (!said.lasts.empty()) {
    const auto length = parse_duration(said.lasts);
    if (!length) return misused(line, "--for: " + length.failure().what);
    request["seconds"] = std::chrono::ceil<std::chrono::seconds>(*length).count();
  }
  const auto made = line.ask(request, {});
  if (!made) return unavailable(line, made.failure());
  if (line.json) {
    line.out << dump(*made) << "\n";
  } else {
    const std::string id = alerting::short_id(text_of(*made, "id"));
    line.out << "silence " << id << " of " << text_of(*made, "checks") << " until " << time_of(*made, "until")
             << (said.until_recovered ? ", or until it has recovered" : "") << "; ends with: vitald silence end " << id
             << "\n";
  }
  return 0;
}

int list(const CommandLine& line, std::string (*render)(const json&, const Terminal&)) {
  const auto result = line.ask(json{{"command", "silences"}}, {});
  if (!result) return unavailable(line, result.failure());
  line.out << (line.json ? dump(*result) + "\n" : render(*result, line.terminal));
  return 0;
}

std::string why_of(const json& silence) { return text_of(silence, "owner") + ": " + text_of(silence, "reason"); }

}  // namespace

int silence_command(const CommandLine& line, const SilenceWords& said) {
  if (said.words.empty())
    return misused(line, "say what is to be silent: names of checks, also with '*', or labels such as team=web");
  if (said.words.front() == "list") return list(line, render_silences);
  if (said.words.front() == "end") return end_one(line, said.words);
  return add_one(line, said, said.words);
}

int maintenance_command(const CommandLine& line, const SilenceWords& said) {
  if (said.words.empty() || said.words.front() == "list") return list(line, render_maintenance);
  if (said.words.front() == "end") return end_one(line, said.words);
  if (said.words.front() != "start") return misused(line, "maintenance takes: nothing, start …, or end ID");
  return add_one(line, said, {said.words.begin() + 1, said.words.end()});
}

std::string render_silences(const json& result, const Terminal& terminal) {
  std::string out;
  for (const json& silence : result.value("silences", json::array())) {
    out += bold(terminal, padded(alerting::short_id(text_of(silence, "id")), id_width)) + text_of(silence, "checks") +
           "\n";
    out += "      until " + time_of(silence, "until") +
           (silence.value("until_recovered", false) ? ", or until it has recovered" : "") + "\n";
    out += "      " + why_of(silence) + "\n";
  }
  return out.empty() ? "no silences\n" : out;
}

std::string render_maintenance(const json& result, const Terminal& terminal) {
  std::string out;
  for (const json& window : result.value("maintenance", json::array())) {
    const json next = window.value("next", json::object());
    out += bold(terminal, text_of(window, "name")) + ": " + text_of(window, "checks") + "\n";
    if (window.value("active", false))
      out += "      " + coloured(terminal, "warning", "now") + "  until " + time_of(window, "until") + "\n";
    out += "      next " + time_of(next, "from") + " until " + time_of(next, "until") + "\n";
  }
  const json silences = result.value("silences", json::array());
  if (out.empty()) out = "no maintenance windows are configured\n";
  if (!silences.empty()) out += "and by hand:\n" + render_silences(result, terminal);
  return out;
}

std::string render_muted(const json& result, const Terminal& terminal) {
  std::string out;
  for (const json& window : result.value("maintenance", json::array())) {
    if (!window.value("active", false)) continue;
    out += "muted: " + text_of(window, "checks") + " until " + time_of(window, "until") + ", maintenance " +
           text_of(window, "name") + "\n";
  }
  for (const json& silence : result.value("silences", json::array())) {
    out += "muted: " + text_of(silence, "checks") + " until " + time_of(silence, "until") + ", " + why_of(silence) +
           dim(terminal, "  vitald silence end " + alerting::short_id(text_of(silence, "id"))) + "\n";
  }
  return out.empty() ? out : "\n" + out;
}

}  // namespace vitald::daemon
