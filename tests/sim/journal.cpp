#include "tests/sim/journal.hpp"

#include <nlohmann/json.hpp>

namespace vitald::sim {

using nlohmann::json;

namespace {

double seconds(Duration length) { return std::chrono::duration<double>(length).count(); }
double seconds(Wall at) { return seconds(at.time_since_epoch()); }

json check_json(const alerting::CheckRules& check) {
  json spread = json::array();
  for (const Duration distance : check.confirm.spread) spread.push_back(seconds(distance));
  return {{"name", check.name},
          {"was", check.was},
          {"every", seconds(check.every)},
          {"failures", check.confirm.failures},
          {"spread", spread},
          {"critical", to_string(check.critical)},
          {"warning", to_string(check.warning)},
          {"hold", seconds(check.hold)},
          {"depends_on", check.depends_on}};
}

}  // namespace

Journal::Journal(const std::string& path) {
  if (!path.empty()) file_.open(path, std::ios::trunc);
}

void Journal::note(Duration at, const char* kind, json what) {
  if (!open()) return;
  what["kind"] = kind;
  what["t"] = seconds(at);
  file_ << what.dump() << "\n";
}

void Journal::note_rules(Duration at, const alerting::Rules& rules, Wall wall) {
  if (!open()) return;
  json checks = json::array(), routes = json::array();
  for (const alerting::CheckRules& check : rules.checks) checks.push_back(check_json(check));
  for (const alerting::Escalation& escalation : rules.escalations) routes.push_back(escalation.steps.front().notify);
  json windows = json::array();
  for (const alerting::Maintenance& window : rules.maintenance) {
    json spans = json::array();
    const auto add = [&](const Span& span) {
      spans.push_back(json::array({seconds(span.begin - wall + at), seconds(span.end - wall + at)}));
    };
    if (const auto first = window.when.at(wall)) add(*first);
    for (Span next = window.when.next(wall); next.begin < wall + std::chrono::hours(80);
         next = window.when.next(next.begin)) {
      add(next);
    }
    windows.push_back({{"checks", window.checks.names.front()}, {"spans", spans}});
  }
  note(at, "config", {{"checks", checks}, {"receivers", rules.receivers}, {"routes", routes}, {"windows", windows}});
}

void Journal::note_taken(Duration at, const alerting::Notification& message) {
  if (!open()) return;
  note(at, "taken",
       {{"receiver", message.id.receiver},
        {"incident", message.id.incident},
        {"sequence", message.id.sequence},
        {"message", to_string(message.kind)},
        {"check", message.check},
        {"severity", to_string(message.severity)},
        {"status", to_string(message.status)},
        {"summary", message.summary},
        {"affected", message.affected},
        {"opened", seconds(message.opened)},
        {"decided", seconds(message.at)}});
}

}  // namespace vitald::sim
