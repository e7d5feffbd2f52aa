#include "alerting/reasons.hpp"

#include "alerting/facts.hpp"
#include "alerting/ids.hpp"
#include "alerting/name_list.hpp"
#include "alerting/trace.hpp"
#include "config/units.hpp"

namespace vitald::alerting {
namespace {

std::string with(std::string words, const std::string& why) { return why.empty() ? words : words + ": " + why; }

std::string of(int seen, int needed) { return std::to_string(seen) + " of " + std::to_string(needed); }

/// "critical: connection refused (2 of 4)", or without the count where one run is enough.
std::string counted(const CheckState& check, std::string_view what) {
  const Progress now = progress(check.confirm, *check.rules);
  std::string words = with(std::string(what), check.why);
  if (now.needed > 1) words += " (" + of(now.seen, now.needed) + ")";
  return words;
}

std::string undone(std::string_view what, int seen, int needed, std::string_view then) {
  return std::string(what) + " after " + of(seen, needed) + std::string(then);
}

void explain_undecided(const Turn& turn, CheckState& check, const Confirming& before) {
  const Confirming& now = check.confirm;
  const CheckRules& rules = *check.rules;
  if (now.level == Status::ok) {
    if (now.bad > 0) return explain(turn, check, counted(check, to_string(check.verdict)));
    const int needed = progress(before, rules).needed;
    const std::string_view then = check.settled == Status::ok ? " bad runs: a glitch, nobody is told" : " bad runs";
    return explain(turn, check, undone("good again", before.bad, needed, then));
  }
  if (now.good > before.good) return explain(turn, check, counted(check, "good"));
  if (now.lower > before.lower) return explain(turn, check, counted(check, "no longer critical"));
  if (now.critical > before.critical) return explain(turn, check, counted(check, "critical"));
  const Progress was = progress(before, rules);
  if (before.good + before.lower > 0)
    return explain(turn, check, with(undone("bad again", was.seen, was.needed, " good runs"), check.why));
  explain(turn, check, undone("not critical any more", was.seen, was.needed, " critical runs"));
}

std::string joined(const std::vector<std::string>& names) { return name_list(names, 12); }

}  // namespace

void explain_count(const Turn& turn, CheckState& check, const Confirming& before, const ConfirmStep& step) {
  if (!step.decided) return explain_undecided(turn, check, before);
  std::string words = check.confirm.level == Status::ok ? "confirmed good" : "confirmed ";
  if (check.confirm.level != Status::ok) words += to_string(check.confirm.level);
  if (!step.by.empty()) words += " by " + step.by;
  explain(turn, check, with(words, check.why));
}

void explain_wait(const Turn& turn, CheckState& check, const std::vector<const CheckState*>& causes) {
  std::vector<std::string> names;
  for (const CheckState* above : causes) names.push_back(above->name);
  explain(turn, check, "people are not told yet: it waits for " + joined(names) + ", which may be the cause");
}

void explain_settled(const Turn& turn, CheckState& check, bool by_event, const std::string& why) {
  if (check.settled == Status::ok) return explain(turn, check, "recovered");
  if (!by_event) return;  // explain_count has said it
  std::string words = std::string(to_string(check.settled)) + " by an event: " + why;
  if (const auto until = next_release(check.limits, turn.now.steady)) {
    words += "; it stays so until " + say_time(turn.now.wall + (*until - turn.now.steady)) + " at least";
  }
  explain(turn, check, words);
}

void explain_opened(const Turn& turn, Incident& incident) {
  const Notification& facts = incident.facts;
  std::string words =
      "opened as " + std::string(to_string(facts.severity)) + " " + std::string(to_string(facts.status));
  explain(turn, incident, with(words, facts.check + " - " + facts.summary));
  if (!facts.cause.empty()) explain(turn, incident, "cause: " + facts.cause);
  if (!facts.affected.empty()) explain_affected(turn, incident);
}

void explain_muted(const Turn& turn, Incident& incident) {
  const Muting& muting = *incident.muted;
  const std::string owner = muting.owner.empty() ? "" : " of " + muting.owner;
  explain(turn, incident,
          with("muted by " + muting.by + owner + " until " + say_time(muting.until, true), muting.reason));
}

void explain_change(const Turn& turn, Incident& incident, const Notification& before) {
  const Notification& now = incident.facts;
  if (now.severity != before.severity) {
    explain(turn, incident,
            "severity changed from " + std::string(to_string(before.severity)) + " to " +
                std::string(to_string(now.severity)));
  }
  if (before.acknowledged_by && !now.acknowledged_by)
    explain(turn, incident, "the acknowledgement no longer counts: it was given for something less severe");
  if (now.status != before.status || now.summary != before.summary)
    explain(turn, incident, with(std::string(to_string(now.status)), now.summary));
  if (now.cause != before.cause && !now.cause.empty()) explain(turn, incident, "cause: " + now.cause);
  if (now.affected != before.affected) explain_affected(turn, incident);
}

void explain_affected(const Turn& turn, Incident& incident) {
  const auto& names = incident.facts.affected;
  explain(turn, incident, names.empty() ? "nothing else is affected any more" : "also affected: " + joined(names));
}

void explain_told(const Turn& turn, Incident& incident, const Notification& message) {
  std::string words = message.id.receiver + " is told: " + std::string(to_string(message.kind));
  if (message.reminder > 0) words += " " + std::to_string(message.reminder);
  explain(turn, incident, words);
}

void explain_delivered(const Turn& turn, Incident& incident, const Delivered& event) {
  if (event.accepted) return explain(turn, incident, event.id.receiver + " took it");
  explain(turn, incident, with(event.id.receiver + " refused it for good", event.why));
}

std::string words_of_opening(const Incident& incident) {
  std::vector<std::string> names;
  for (const auto& [receiver, told] : incident.told) names.push_back(receiver);
  return "incident " + short_id(incident.facts.id.incident) + " is opened as " +
         std::string(to_string(incident.facts.severity)) +
         (names.empty() ? ", nobody is told yet" : ", told: " + joined(names));
}

std::string name_of(const Incident& incident) {
  return incident.facts.check + " (" + short_id(incident.facts.id.incident) + ")";
}

}  // namespace vitald::alerting
