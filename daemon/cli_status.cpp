#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "alerting/ids.hpp"
#include "config/units.hpp"
#include "daemon/cli_render.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 5> worst_first = {"critical", "unknown", "warning", "waiting", "ok"};
constexpr std::size_t state_width = 9;
constexpr std::size_t widest_name = 40;

std::size_t rank(const json& check) {
  const std::string standing = text_of(check, "standing");
  const auto found = std::find(worst_first.begin(), worst_first.end(), standing);
  return static_cast<std::size_t>(found - worst_first.begin());
}

std::string plural(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string headline(const json& daemon, const std::vector<const json*>& checks, const Terminal& terminal) {
  std::size_t bad = 0, waiting = 0;
  for (const json* check : checks) {
    bad += rank(*check) < 3 ? 1u : 0u;
    waiting += rank(*check) == 3 ? 1u : 0u;
  }
  const std::string worst(checks.empty() ? "ok" : worst_first[std::min<std::size_t>(rank(*checks.front()), 4)]);
  std::string text;
  if (checks.empty()) {
    text = "no checks are configured";
  } else if (bad > 0) {
    text =
        std::to_string(bad) + " of " + plural(checks.size(), "check") + (bad == 1 ? " needs" : " need") + " attention";
  } else if (waiting > 0) {
    text = "no trouble so far, " + std::to_string(waiting) + " of " + plural(checks.size(), "check") + " not yet run";
  } else {
    text = checks.size() == 1 ? "the one check is well" : "all " + std::to_string(checks.size()) + " checks are well";
  }
  return bold(terminal, text_of(daemon, "instance")) + ": " + coloured(terminal, worst, text) + "\n";
}

std::string own_troubles(const json& daemon, const Terminal& terminal) {
  std::string out;
  const auto say = [&](const std::string& text) {
    out += coloured(terminal, "warning", "vitald itself: " + text) + "\n";
  };
  if (daemon.value("store_degraded", false)) say("the store does not work: " + text_of(daemon, "store_problem"));
  if (!daemon.value("last_reload_worked", true))
    say("the last reload was refused: " + text_of(daemon, "last_reload_problem"));
  for (const json& receiver : daemon.value("receivers", json::array())) {
    if (!receiver.value("stopped", false)) continue;
    say("receiver " + text_of(receiver, "name") + " takes no messages: " + text_of(receiver, "why"));
  }
  return out;
}

std::string row(const json& check, std::size_t name_width, const Terminal& terminal) {
  const std::string standing = text_of(check, "standing");
  std::string why = text_of(check, "why");
  if (const auto confirming = check.find("confirming"); confirming != check.end()) {
    why += " (" + std::to_string(confirming->value("seen", 0)) + " of " +
           std::to_string(confirming->value("needed", 0)) + ")";
  }
  if (const std::string incident = text_of(check, "incident"); !incident.empty())
    why += "  [" + alerting::short_id(incident) + "]";
  const std::size_t used = state_width + name_width + 4;
  const std::size_t room = terminal.width > used + 20 ? terminal.width - used : 0;
  return coloured(terminal, standing, padded(standing, state_width)) + " " +
         padded(cut(text_of(check, "check"), widest_name), name_width) + "  " + cut(why, room) + "\n";
}

}  // namespace

std::string render_status(const json& result, const std::vector<json>& checks, const Terminal& terminal) {
  const json daemon = result.value("daemon", json::object());
  std::vector<const json*> ordered;
  std::size_t name_width = 0;
  for (const json& check : checks) {
    ordered.push_back(&check);
    name_width = std::max(name_width, std::min(columns(text_of(check, "check")), widest_name));
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const json* a, const json* b) { return rank(*a) < rank(*b); });
  std::string out = headline(daemon, ordered, terminal) + own_troubles(daemon, terminal);
  if (!ordered.empty()) out += "\n";
  for (const json* check : ordered) out += row(*check, name_width, terminal);
  const std::size_t open = result.value("incidents", json::array()).size();
  out += render_muted(result, terminal);
  if (open > 0) out += "\n" + plural(open, "open incident") + ", more with: vitald incidents\n";
  return out;
}

std::string render_incidents(const json& result, const Terminal& terminal) {
  const json incidents = result.value("incidents", json::array());
  std::string out;
  if (incidents.empty()) out = "no open incidents\n";
  for (const json& incident : incidents) {
    const std::string status = text_of(incident, "status");
    const std::string id = text_of(incident, "id");
    out += coloured(terminal, status, text_of(incident, "severity") + " " + status) + ": " +
           bold(terminal, text_of(incident, "check")) + " - " + text_of(incident, "summary") + "\n";
    const auto fact = [&](std::string_view name, const std::string& text) {
      if (!text.empty()) out += "  " + dim(terminal, padded(plain(name), 12)) + " " + hanging(text, 15) + "\n";
    };
    fact("since", time_of(incident, "opened"));
    fact("affected", names_in(incident, "affected"));
    if (text_of(incident, "now") != text_of(incident, "summary")) fact("now", text_of(incident, "now"));
    for (const json& piece : incident.value("evidence", json::array()))
      fact(text_of(piece, "label"), lines_of(piece, "text"));
    const json muted = incident.value("muted", json::object());
    if (!muted.empty()) {
      const std::string owner = text_of(muted, "owner");
      fact("muted", "by " + text_of(muted, "by") + " until " + time_of(muted, "until") +
                        (owner.empty() ? "" : ", " + owner) + ": " + text_of(muted, "reason"));
    }
    fact("what to do", text_of(incident, "remedy"));
    fact("runbook", text_of(incident, "runbook"));
    const std::string by = text_of(incident, "acknowledged_by");
    fact(by.empty() ? "acknowledge" : "taken by", by.empty() ? "vitald ack " + alerting::short_id(id) : by);
    out += "\n";
  }
  if (const auto closed = result.find("closed"); closed != result.end()) out += render_closed(*closed, terminal);
  return out;
}

}  // namespace vitald::daemon
