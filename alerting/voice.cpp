#include "alerting/voice.hpp"

#include <algorithm>
#include <utility>

#include "alerting/ids.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

// In characters. What does not fit on two screens of a phone helps nobody at 3 a.m.
constexpr std::size_t longest_name = 120;
constexpr std::size_t longest_sentence = 500;
constexpr std::size_t longest_proof = 1600;
constexpr std::size_t most_proofs = 20;
constexpr std::size_t most_affected = 10;
constexpr std::size_t longest_address = 2000;

/// http and https only, and nothing in it that could end a link or a line early (docs/guarantees.md R18).
std::string link(const std::string& address) {
  if (!address.starts_with("https://") && !address.starts_with("http://")) return "";
  if (address.size() > longest_address) return "";
  const bool plain = std::all_of(address.begin(), address.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != '"' && c != '<' && c != '>' && c != '|' &&
           c != '\\' && c != '`';
  });
  return plain && clean(address, longest_address) == address ? address : "";
}

bool same_day(Wall a, Wall b) {
  return std::chrono::floor<std::chrono::days>(a) == std::chrono::floor<std::chrono::days>(b);
}

std::string without_zone(std::string time) {
  if (time.ends_with(" UTC")) time.resize(time.size() - 4);
  return time;
}

/// "P0 critical", and what kind of message about it this is.
std::string how_bad(const Notification& note) {
  std::string words(to_string(note.severity));
  words.append(" ").append(to_string(note.status));
  switch (note.kind) {
    case NotificationKind::update:
      return words +
             (note.acknowledged_by ? ", acknowledged by " + clean(*note.acknowledged_by, longest_name) : ", changed");
    case NotificationKind::reminder:
      return words + ", still open";
    case NotificationKind::escalation:
      return words + ", escalated";
    case NotificationKind::problem:
    case NotificationKind::recovery:
    case NotificationKind::digest:
      break;
  }
  return words;
}

std::string what_and_where(const Notification& note) {
  const std::string what = clean(note.summary, longest_sentence);
  return clean(note.check, longest_name) + " on " + clean(note.instance, longest_name) +
         (what.empty() ? "" : " - " + what);
}

/// ", after 6 min 12 s (02:13:56 to 02:20:08 UTC)"; nothing where the clock was set back meanwhile.
std::string how_long(const Notification& note) {
  if (note.at <= note.opened) return "";
  const bool dates = !same_day(note.opened, note.at);
  return ", after " + say_duration(note.at - note.opened) + " (" + without_zone(say_time(note.opened, dates)) + " to " +
         say_time(note.at, dates) + ")";
}

std::string headline(const Notification& note) {
  if (note.kind == NotificationKind::digest)
    return clean(note.instance, longest_name) + ": " + clean(note.summary, longest_sentence);
  if (note.kind != NotificationKind::recovery) return how_bad(note) + ": " + what_and_where(note);
  std::string line = "Recovered: " + what_and_where(note) + how_long(note) + ".";
  if (!note.cause.empty()) line += " Cause was " + clean(note.cause, longest_sentence) + ".";
  return line;
}

std::string affected(const Notification& note) {
  std::string line = "Also affected: ";
  const std::size_t shown = std::min(note.affected.size(), most_affected);
  for (std::size_t i = 0; i < shown; ++i) line += (i == 0 ? "" : ", ") + clean(note.affected[i], longest_name);
  return line + (shown < note.affected.size() ? ", …" : "") + " (" + std::to_string(note.affected.size()) + ")";
}

/// "Since 02:13:56 UTC, 4 min 4 s ago, confirmed by 4 probes over 30 s".
std::string since(const Notification& note) {
  std::string line = "Since " + say_time(note.opened, !same_day(note.opened, note.at));
  if (note.at - note.opened >= std::chrono::seconds(1)) line += ", " + say_duration(note.at - note.opened) + " ago";
  if (!note.confirmed_by.empty()) line += ", confirmed by " + clean(note.confirmed_by, longest_sentence);
  return line;
}

std::vector<std::string> facts(const Notification& note) {
  std::vector<std::string> lines;
  const bool over = note.kind == NotificationKind::recovery;
  if (!over && !note.cause.empty()) lines.push_back("Cause: " + clean(note.cause, longest_sentence));
  if (note.status == Status::unknown && note.check != "vitald") {
    lines.push_back("vitald could not measure this, so nobody knows whether it works");
  }
  if (!note.affected.empty()) lines.push_back(affected(note));
  if (over || note.kind == NotificationKind::digest) return lines;
  lines.push_back(since(note));
  if (note.kind == NotificationKind::reminder && note.reminder > 0)
    lines.push_back("Reminder " + std::to_string(note.reminder));
  if (note.acknowledged_by) {
    if (note.kind != NotificationKind::update)
      lines.push_back("Acknowledged by " + clean(*note.acknowledged_by, longest_name));
  } else if (note.kind == NotificationKind::reminder || note.kind == NotificationKind::escalation) {
    lines.push_back("Nobody has acknowledged it yet");
  }
  return lines;
}

/// "label: text", or the label and below it the lines.
std::string evidence_lines(const Evidence& proof) {
  if (proof.text.find('\n') == std::string::npos)
    return (proof.label.empty() ? "" : proof.label + ": ") + proof.text + "\n";
  std::string text = proof.label.empty() ? "" : proof.label + ":\n";
  for (std::string_view rest = proof.text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    text.append("  ").append(line).append("\n");
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
  return text;
}

std::string notes(const Notification& note) {
  std::string text;
  if (note.unsaved)
    text = "vitald could not save this to its disk; if it restarts now, you may get this message again.";
  if (note.may_repeat) text += std::string(text.empty() ? "" : " ") + "You may have had this message before.";
  return text;
}

}  // namespace

Message compose(const Notification& note) {
  Message message;
  message.headline = headline(note);
  message.facts = facts(note);
  for (const Evidence& proof : note.evidence) {
    if (message.evidence.size() == most_proofs) break;
    message.evidence.push_back({clean(proof.label, longest_name), clean_lines(proof.text, longest_proof)});
  }
  message.runbook = link(note.runbook);
  message.notes = notes(note);
  if (note.kind == NotificationKind::recovery) return message;
  message.remedy = clean(note.remedy, longest_sentence);
  if (note.kind == NotificationKind::digest) return message;
  if (!note.acknowledged_by) message.acknowledge = "vitald ack " + short_id(note.id.incident);
  return message;
}

std::string plain_text(const Message& message) {
  std::string text = message.headline + "\n";
  for (const std::string& fact : message.facts) text += fact + "\n";
  for (const Evidence& proof : message.evidence) text += evidence_lines(proof);
  if (!message.remedy.empty()) text += "What to do: " + message.remedy + "\n";
  std::string last;
  if (!message.runbook.empty()) last = "Runbook: " + message.runbook;
  if (!message.acknowledge.empty()) last += (last.empty() ? "" : "   ") + ("Acknowledge: " + message.acknowledge);
  if (!last.empty()) text += last + "\n";
  if (!message.notes.empty()) text += message.notes + "\n";
  return text;
}

}  // namespace vitald::alerting
