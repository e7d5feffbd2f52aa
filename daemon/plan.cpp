#include "daemon/plan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace vitald::daemon {
namespace {

using nlohmann::json;

/// What the running daemon does not take over (App::take_over).
constexpr std::array<std::string_view, 5> takes_a_restart = {"instance", "listen", "log", "runtime", "state"};

const json& member(const json& object, const char* name) {
  static const json nothing = json::object();
  const auto found = object.find(name);
  return found == object.end() ? nothing : *found;
}

/// The options that differ, by name.
json differences(const json& before, const json& after) {
  std::set<std::string> names;
  for (const auto& entry : before.items()) names.insert(entry.key());
  for (const auto& entry : after.items()) names.insert(entry.key());
  json list = json::array();
  for (const std::string& name : names) {
    const auto was = before.find(name), is = after.find(name);
    if (was != before.end() && is != after.end() && *was == *is) continue;
    json one = {{"option", name}};
    if (was != before.end()) one["before"] = *was;
    if (is != after.end()) one["after"] = *is;
    list.push_back(std::move(one));
  }
  return list;
}

/// As Checks::adopt decides: a former name counts where it is no check's name any more, and the new one none's yet.
std::string former_name(const json& check, const json& before, const json& after) {
  const std::string was = check.value("was", "");
  return !was.empty() && before.contains(was) && !after.contains(was) ? was : "";
}

/// `was` itself changes nothing: once the name is known it may go.
json changes_of(json before, json after) {
  before.erase("was");
  after.erase("was");
  return differences(before, after);
}

json parts(const json& before, const json& after, bool renames) {
  json added = json::array(), removed = json::array(), renamed = json::array(), changed = json::array();
  std::set<std::string> carried;  // names of before that live on under another one
  for (const auto& [name, options] : after.items()) {
    std::string from = name;
    if (!before.contains(name)) {
      from = renames ? former_name(options, before, after) : "";
      if (from.empty()) {
        added.push_back(name);
        continue;
      }
      carried.insert(from);
      renamed.push_back({{"from", from}, {"to", name}});
    }
    json changes = changes_of(before[from], options);
    if (!changes.empty()) changed.push_back({{"name", name}, {"options", std::move(changes)}});
  }
  for (const auto& entry : before.items()) {
    if (!after.contains(entry.key()) && !carried.contains(entry.key())) removed.push_back(entry.key());
  }
  json all = {{"added", std::move(added)}, {"removed", std::move(removed)}, {"changed", std::move(changed)}};
  if (renames) all["renamed"] = std::move(renamed);
  return all;
}

json settings(const json& before, const json& after) {
  json list = differences(before, after);
  for (json& one : list) {
    const std::string option = one["option"];
    const std::string_view whole = std::string_view(option).substr(0, option.find('.'));
    one["restart"] = std::find(takes_a_restart.begin(), takes_a_restart.end(), whole) != takes_a_restart.end();
  }
  return list;
}

// --- words ---

std::string value(const json& one, const char* side) { return one.contains(side) ? text_of(one, side) : "(nothing)"; }

/// On one line where there is room for it.
std::string change(const json& one, const std::string& indent) {
  constexpr std::size_t room = 80;
  const std::string option = text_of(one, "option") + ":";
  const std::string before = value(one, "before"), after = value(one, "after");
  if (columns(option) + columns(before) + columns(after) < room) return option + " " + before + " -> " + after;
  return option + "\n" + indent + "   " + before + "\n" + indent + "-> " + after;
}

/// "checks a, b and 3 more"
std::string named(const std::string& noun, const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  std::string text = noun + (names.size() == 1 ? " " : "s ");
  const std::size_t shown = names.size() == most + 1 ? names.size() : std::min(names.size(), most);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + plain(names[i]);
  return shown == names.size() ? text : text + " and " + std::to_string(names.size() - shown) + " more";
}

/// Those that change alike stand together: a default that changes says so once, not a thousand times.
std::string render_changed(const json& changed, const std::string& noun, std::string_view keeps,
                           const Terminal& terminal) {
  std::vector<std::pair<json, std::vector<std::string>>> alike;
  std::map<std::string, std::size_t> known;
  for (const json& one : changed) {
    const auto [place, fresh] =
        known.try_emplace(one["options"].dump(-1, ' ', false, json::error_handler_t::replace), alike.size());
    if (fresh) alike.emplace_back(one["options"], std::vector<std::string>());
    alike[place->second].second.push_back(one["name"]);
  }
  std::string out;
  for (const auto& [options, names] : alike) {
    out += coloured(terminal, "warning", "~ " + named(noun, names)) + std::string(keeps) + "\n";
    for (const json& one : options) out += "    " + change(one, "      ") + "\n";
  }
  return out;
}

std::string render_checks(const json& checks, const Terminal& terminal) {
  std::string out;
  for (const json& name : checks["added"])
    out += coloured(terminal, "ok", "+ check " + plain(name.get<std::string>())) + ": it starts anew\n";
  for (const json& name : checks["removed"]) {
    out += coloured(terminal, "critical", "- check " + plain(name.get<std::string>())) +
           ": it is not run any more, and what is known of it is dropped\n";
  }
  for (const json& moved : checks["renamed"]) {
    out += coloured(terminal, "warning", "~ check " + text_of(moved, "from") + " is called " + text_of(moved, "to")) +
           ": it keeps what is known of it, and its incident\n";
  }
  return out + render_changed(checks["changed"], "check", ": what is known so far stays, incidents too", terminal);
}

std::string render_receivers(const json& receivers, const Terminal& terminal) {
  std::string out;
  for (const json& name : receivers["added"])
    out += coloured(terminal, "ok", "+ receiver " + plain(name.get<std::string>())) + "\n";
  for (const json& name : receivers["removed"]) {
    out += coloured(terminal, "critical", "- receiver " + plain(name.get<std::string>())) +
           ": what it has not taken yet is dropped, and it gets no end of what it was told\n";
  }
  return out + render_changed(receivers["changed"], "receiver", "", terminal);
}

}  // namespace

json plan_of(const json& before, const json& after) {
  const json &general_before = member(before, "general"), &general_after = member(after, "general");
  json plan = {
      {"checks", parts(member(before, "checks"), member(after, "checks"), true)},
      {"receivers", parts(member(before, "receivers"), member(after, "receivers"), false)},
      {"escalations", differences(member(general_before, "escalations"), member(general_after, "escalations"))},
      {"settings", settings(member(general_before, "settings"), member(general_after, "settings"))}};
  bool changes = !plan["escalations"].empty() || !plan["settings"].empty();
  for (const char* part : {"checks", "receivers"}) {
    for (const json& list : plan[part]) changes = changes || !list.empty();
  }
  plan["changes"] = changes;
  return plan;
}

std::string render_plan(const json& plan, const Terminal& terminal) {
  if (!plan["changes"].get<bool>()) return "nothing would change (the values of secrets are not compared)\n";
  std::string out = render_checks(plan["checks"], terminal) + render_receivers(plan["receivers"], terminal);
  for (const json& one : plan["escalations"])
    out += coloured(terminal, "warning", "~ who is told of " + change(one, "  ")) + "\n";
  for (const json& one : plan["settings"]) {
    out += coloured(terminal, "warning", "~ " + change(one, "  "));
    out += one["restart"].get<bool>() ? "\n    this takes a restart: systemctl restart vitald\n" : "\n";
  }
  return out;
}

}  // namespace vitald::daemon
