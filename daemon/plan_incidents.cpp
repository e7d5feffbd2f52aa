// What a reload does to the open incidents.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>

#include "alerting/escalate.hpp"
#include "alerting/ids.hpp"
#include "daemon/plan.hpp"

namespace vitald::daemon {
namespace {

using nlohmann::json;
using Names = std::set<std::string>;

constexpr std::string_view of_a_check = "check:", of_unknown = "unknown:", of_a_storm = "storm:",
                           of_a_receiver = "self:receiver:", of_a_reload = "self:reload";

Names names_of(const json& list) {
  Names names;
  for (const json& name : list) {
    if (name.is_string()) names.insert(name.get<std::string>());
  }
  return names;
}

/// Of what rfc3339() writes; parts of a second do not matter.
std::optional<Wall> time_of(const std::string& text) {
  int year = 0;
  std::array<unsigned, 5> part = {};
  if (std::sscanf(text.c_str(), "%d-%u-%uT%u:%u:%u", &year, &part[0], &part[1], &part[2], &part[3], &part[4]) != 6)
    return std::nullopt;
  const auto day = std::chrono::year{year} / std::chrono::month{part[0]} / std::chrono::day{part[1]};
  if (!day.ok()) return std::nullopt;
  const std::chrono::seconds of_day = std::chrono::hours(part[2]) + std::chrono::minutes(part[3]);
  return Wall(std::chrono::sys_days(day).time_since_epoch() + of_day + std::chrono::seconds(part[4]));
}

/// The receivers that the incident's messages went to, but for those that refused them.
Names told_of(const json& incident) {
  Names told;
  for (const json& one : incident.value("told", json::array())) {
    if (!one.value("refused", false)) told.insert(one.value("receiver", ""));
  }
  return told;
}

class Fates {
 public:
  Fates(const json& plan, const json& incidents, const std::string& now, const alerting::Rules& after)
      : removed_(names_of(plan["checks"]["removed"])),
        gone_(names_of(plan["receivers"]["removed"])),
        renamed_(plan["checks"]["renamed"]),
        storm_(std::any_of(incidents.begin(), incidents.end(),
                           [](const json& one) { return one.value("subject", "").starts_with(of_a_storm); })),
        now_(time_of(now)),
        after_(after) {}

  /// Nothing where the reload does not concern it.
  std::optional<json> of(const json& incident) const {
    const std::string subject = incident.value("subject", "");
    const Names told = told_of(incident);
    Names left, lost;
    for (const std::string& receiver : told) (alerting::is_configured(after_, receiver) ? left : lost).insert(receiver);
    json fate = {{"id", incident.value("id", "")},
                 {"check", incident.value("check", "")},
                 {"summary", incident.value("summary", "")},
                 {"severity", incident.value("severity", "")},
                 {"fate", "goes on"},
                 {"why", ""},
                 {"told", json::array()},
                 {"not_told", lost}};
    if (const std::string why = end_of(subject, incident); !why.empty()) {
      fate.update({{"fate", "ends"}, {"why", why}, {"told", left}});
      if (told.empty() && storm_) fate["in_a_storm"] = true;
      if (const Names again = looked_at(incident); !again.empty()) fate["looked_at"] = again;
      return fate;
    }
    const std::string name = new_name(subject);
    if (!name.empty()) fate.update({{"fate", "renamed"}, {"why", name}});
    if (lost.empty()) return name.empty() ? std::nullopt : std::optional(std::move(fate));
    if (left.empty() && !incident.contains("muted")) fate["told"] = told_anew(name, incident);
    return fate;
  }

 private:
  /// In the words that the engine will find for it; "" where it goes on.
  std::string end_of(std::string_view subject, const json& incident) const {
    constexpr const char* removed = "check removed from the configuration";
    if (subject.starts_with(of_a_check)) {
      return removed_.contains(std::string(subject.substr(of_a_check.size()))) ? removed : "";
    }
    if (subject.starts_with(of_unknown)) {
      const Names affected = names_of(incident.value("affected", json::array()));
      const bool all =
          std::all_of(affected.begin(), affected.end(), [&](const auto& n) { return removed_.contains(n); });
      return all && !affected.empty() ? removed : "";
    }
    if (subject.starts_with(of_a_receiver)) {
      const std::string receiver(subject.substr(of_a_receiver.size()));
      return gone_.contains(receiver) ? "receiver " + receiver + " was removed" : "";
    }
    if (subject.starts_with(of_a_storm)) {
      const std::string_view rest = subject.substr(of_a_storm.size());
      return gone_.contains(std::string(rest.substr(0, rest.rfind(':'))))
                 ? "the receiver was removed from the configuration"
                 : "";
    }
    return subject == of_a_reload ? "the configuration was loaded" : "";
  }

  std::string new_name(std::string_view subject) const {
    if (!subject.starts_with(of_a_check)) return "";
    for (const json& moved : renamed_) {
      if (moved["from"] == subject.substr(of_a_check.size())) return moved["to"];
    }
    return "";
  }

  Names looked_at(const json& incident) const {
    Names again = names_of(incident.value("affected", json::array()));
    std::erase_if(again, [&](const std::string& check) { return removed_.contains(check); });
    return incident.value("subject", "").starts_with(of_a_check) ? again : Names();
  }

  /// Whom the steps name that were due by now.
  Names told_anew(const std::string& name, const json& incident) const {
    const std::string check = name.empty() ? incident.value("check", "") : name;
    Labels labels;
    for (const alerting::CheckRules& rules : after_.checks) {
      if (rules.name == check) labels = rules.labels;
    }
    const std::string severity = incident.value("severity", "");
    const auto index = severity.size() == 2 && severity[1] >= '0' && severity[1] <= '3' ? severity[1] - '0' : 2;
    const auto opened = time_of(incident.value("opened", ""));
    const Duration open_for = opened && now_ ? *now_ - *opened : Duration::zero();
    Names names;
    for (const auto& step : alerting::escalation_for(after_, check, labels, static_cast<Severity>(index)).steps) {
      if (step.after <= std::max(open_for, Duration::zero())) names.insert(step.notify.begin(), step.notify.end());
    }
    return names;
  }

  Names removed_, gone_;
  const json& renamed_;
  bool storm_;  // some incident may be told of by it
  std::optional<Wall> now_;
  const alerting::Rules& after_;
};

std::string list(const json& names) {
  std::string text;
  for (const json& name : names) text += (text.empty() ? "" : ", ") + plain(name.get<std::string>());
  return text;
}

std::string what_happens(const json& incident) {
  const json &told = incident["told"], &lost = incident["not_told"];
  const std::string fate = incident["fate"], gets_no_end = lost.empty() ? "" : "; no end for " + list(lost);
  std::string text;
  if (fate == "ends") {
    text = "ends: " + text_of(incident, "why") + "; ";
    if (incident.contains("in_a_storm")) {
      text += "nobody was told of it by itself, a storm that it belongs to says how many are over";
    } else {
      text += told.empty() ? "nobody gets a message of its end" : "its end is told to " + list(told);
    }
    text += gets_no_end;
    if (incident.contains("looked_at")) text += "; looked at again: " + list(incident["looked_at"]);
    return text;
  }
  text = fate == "renamed" ? "stays open as that of " + text_of(incident, "why") : "stays open";
  text += gets_no_end;
  if (!told.empty()) text += "; told anew, since nobody else knows of it: " + list(told);
  return text;
}

}  // namespace

json incidents_of_plan(const json& plan, const json& incidents, const std::string& now, const alerting::Rules& after) {
  const Fates fates(plan, incidents, now, after);
  json list = json::array();
  for (const json& incident : incidents) {
    if (auto fate = fates.of(incident)) list.push_back(std::move(*fate));
  }
  return list;
}

std::string render_incidents_of_plan(const json& incidents, const Terminal& terminal) {
  std::string out;
  for (const json& incident : incidents) {
    out += bold(terminal,
                "! incident " + alerting::short_id(text_of(incident, "id")) + " of " + text_of(incident, "check")) +
           " " + what_happens(incident) + "\n";
  }
  return out;
}

}  // namespace vitald::daemon
