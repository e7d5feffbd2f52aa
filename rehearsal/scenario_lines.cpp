#include "rehearsal/scenario_lines.hpp"

#include "config/units.hpp"
#include "rehearsal/scenario_words.hpp"

namespace vitald::rehearsal {

using alerting::NotificationKind;

std::string lines_of(const alerting::Notification& message, const std::string& when) {
  std::string out = "> " + when + " " + std::string(to_string(message.kind)) + " " +
                    std::string(to_string(message.severity)) + " " + std::string(to_string(message.status)) + " " +
                    message.check + " to " + message.id.receiver + ": " + message.summary;
  if (message.reminder > 0) out += " (reminder " + std::to_string(message.reminder) + ")";
  if (!message.confirmed_by.empty()) out += " (" + message.confirmed_by + ")";
  if (message.kind == NotificationKind::recovery) out += " (after " + say_duration(message.at - message.opened) + ")";
  if (!message.cause.empty()) out += " (cause: " + message.cause + ")";
  if (!message.affected.empty()) {
    std::string names;
    for (const std::string& name : message.affected) names += (names.empty() ? "" : ", ") + name;
    out += " (affected: " + names + ")";
  }
  if (message.acknowledged_by) out += " (acknowledged by " + *message.acknowledged_by + ")";
  if (!message.remedy.empty()) out += " (remedy: " + message.remedy + ")";
  out += "\n";
  for (const Evidence& proof : message.evidence) {
    if (message.probe != "vitald") continue;  // timings of a check
    for (const std::string& text : split(proof.text, '\n')) out += ">   " + proof.label + ": " + text + "\n";
  }
  return out;
}

std::string lines_of(const alerting::Explanation& explanation) {
  std::string out;
  for (const alerting::Paragraph& paragraph : explanation.paragraphs) {
    for (const std::string& sentence : paragraph.says) out += "> " + paragraph.about + ": " + sentence + "\n";
  }
  for (const alerting::Reason& reason : explanation.reasons) {
    out += "> - " + say_time(reason.at) + " " + reason.text;
    if (reason.times > 1) out += " (" + std::to_string(reason.times) + " times since " + say_time(reason.first) + ")";
    out += "\n";
  }
  return out;
}

void refuse_declarations(const std::string& line) {
  Words words(line);
  for (const char* word : {"receivers", "hours", "window", "route", "escalation", "check", "limits", "unknown_after"}) {
    if (words.skip(word)) throw Misunderstood(std::string("'") + word + "' is what the configuration says already");
  }
}

Sample known(const std::optional<Setting>& setting, const std::string& check, Sample measured) {
  if (!setting) return measured;
  const auto found = setting->samples.find(check);
  if (found == setting->samples.end()) return measured;
  std::string all;
  for (const std::string& name : found->second) {
    if (name == measured.name) return measured;
    all += (all.empty() ? "" : ", ") + name;
  }
  throw Misunderstood(check + " measures no '" + measured.name + "'; it measures " + all);
}

}  // namespace vitald::rehearsal
