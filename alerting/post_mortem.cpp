// report_of(): an incident as a post-mortem in Markdown.
#include <algorithm>

#include "alerting/story.hpp"
#include "alerting/voice.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

constexpr std::size_t longest = 500;

/// Foreign text on one line: what Markdown or HTML would take for its own stands as it is written.
std::string plain(std::string_view foreign) {
  std::string text;
  for (const char c : clean(foreign, longest)) {
    constexpr std::string_view special = "\\`*_[]<>|#~";
    if (special.find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

std::string row(std::string_view name, const std::string& value) {
  return value.empty() ? "" : "| " + std::string(name) + " | " + value + " |\n";
}

std::string names(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& name : all) text += (text.empty() ? "" : ", ") + plain(name);
  return text;
}

std::string head(const Story& story, Wall now) {
  const Notification& facts = story.facts;
  const bool over = story.record.closed.has_value();
  const Wall end = over ? *story.record.closed : now;
  const Duration lasted = std::chrono::floor<std::chrono::seconds>(std::max(end - facts.opened, Duration::zero()));
  std::string text = "# Post-mortem: " + plain(facts.check) + " on " + plain(facts.instance) + ", " +
                     say_time(facts.opened, true).substr(0, 10) + "\n\n";
  text += plain(facts.summary) + "\n\n| | |\n| --- | --- |\n";
  text += row("Incident", plain(story.record.id));
  text += row("Severity", std::string(to_string(facts.severity)) + " " + std::string(to_string(facts.status)));
  text += row("Affected from", say_time(facts.opened, true));
  text += row("Affected to", over ? say_time(end, true) : "still open at " + say_time(now, true));
  text += row("Duration", say_duration(lasted));
  text += row("Confirmed by", plain(facts.confirmed_by));
  text += row("Cause", plain(facts.cause));
  text += row("Also affected", names(facts.affected));
  text += row("Acknowledged by", facts.acknowledged_by ? plain(*facts.acknowledged_by) : "nobody");
  if (facts.runbook.starts_with("http")) text += row("Runbook", "<" + clean(facts.runbook, longest) + ">");
  return text;
}

std::string timeline(const Story& story) {
  std::string text = "\n## Timeline (UTC)\n\n| when | what |\n| --- | --- |\n";
  for (const Reason& reason : story.timeline) {
    text += "| " + say_time(reason.at, true) + " | " + plain(reason.text);
    if (reason.times > 1)
      text += " (" + std::to_string(reason.times) + " times since " + say_time(reason.first, true) + ")";
    text += " |\n";
  }
  return story.timeline.empty() ? "\n## Timeline (UTC)\n\nNone was kept.\n" : text;
}

std::string proof(std::string_view title, const Sighting& seen) {
  if (seen.at == Wall{}) return "";
  std::string text =
      "\n### " + std::string(title) + ", " + say_time(seen.at, true) + "\n\n" + plain(seen.summary) + "\n";
  for (const Evidence& piece : seen.evidence) {
    // An indented block ends with its indentation, so that no text can close it early.
    text += "\n" + plain(piece.label) + ":\n\n";
    const std::string lines = clean_lines(piece.text, 2000);
    for (std::size_t at = 0; at < lines.size();) {
      const std::size_t end = std::min(lines.find('\n', at), lines.size());
      text += "    " + lines.substr(at, end - at) + "\n";
      at = end + 1;
    }
  }
  return text;
}

std::string evidence(const Story& story) {
  std::string text = "\n## Evidence\n";
  if (story.first_bad.at == Wall{}) {
    Sighting told{story.facts.opened, story.facts.summary, story.facts.evidence};
    return text + proof("When people were told", told);
  }
  return text + proof("First bad observation", story.first_bad) + proof("Last bad observation", story.last_bad);
}

std::string told(const Story& story) {
  std::string text = "\n## Who was told\n\n";
  if (story.record.told.empty()) return text + "Nobody.\n";
  text += "| receiver | first | last | messages | outcome |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& [receiver, how] : story.record.told) {
    const std::string outcome = how.refused                        ? "refused"
                                : story.reached.contains(receiver) ? "delivered"
                                                                   : "not known to be delivered";
    const bool known = how.messages > 0;
    text += "| " + plain(receiver) + " | " + (known ? say_time(how.first, true) : "") + " | " +
            (known ? say_time(how.last, true) : "") + " | " + std::to_string(how.messages) + " | " + outcome + " |\n";
  }
  return text;
}

}  // namespace

std::string report_of(const Story& story, Wall now) {
  std::string text = head(story, now) + timeline(story) + evidence(story) + told(story);
  for (const char* section : {"Root cause", "Impact", "Prevention", "Follow-ups"})
    text += "\n## " + std::string(section) + "\n\n_To be filled in._\n";
  return text;
}

}  // namespace vitald::alerting
