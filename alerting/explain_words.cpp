#include "alerting/explain_words.hpp"

#include <algorithm>

#include "alerting/confirm.hpp"
#include "alerting/escalate.hpp"
#include "alerting/name_list.hpp"
#include "config/units.hpp"

namespace vitald::alerting::words {
namespace {

std::string clock(Wall at, const Now& now) {
  const bool today = std::chrono::floor<std::chrono::days>(at) == std::chrono::floor<std::chrono::days>(now.wall);
  return say_time(at, !today);
}

std::string length(Duration time) { return say_duration(std::chrono::floor<std::chrono::seconds>(time)); }

bool is_in(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool waits(const Incident& incident, const std::string& receiver) {
  return std::any_of(incident.out.begin(), incident.out.end(), [&](const auto& row) { return row.second == receiver; });
}

const Escalation& escalation_of(const Incident& incident, const Rules& rules) {
  const Notification& facts = incident.facts;
  return escalation_for(rules, facts.check, facts.labels, facts.severity);
}

/// ", within its hours only"
std::string within_hours(const std::optional<StepHours>& hours) { return hours ? ", within its hours only" : ""; }

/// Why the steps of the escalation have not reached it.
std::string why_not(const Incident& incident, const Rules& rules, const std::string& receiver, const Now& now) {
  if (receiver == incident.except) return "it is what the trouble is with";
  if (incident.muted) return "muted by " + incident.muted->by + " until " + clock(incident.muted->until, now);
  if (incident.storms.contains(receiver))
    return "it has had as many messages as it may get, and hears of this one together with others";
  const Escalation& escalation = escalation_of(incident, rules);
  const std::string severity(to_string(incident.facts.severity));
  for (std::size_t index = 0; index < escalation.steps.size() && index < 64; ++index) {
    const EscalationStep& step = escalation.steps[index];
    if (!is_in(step.notify, receiver)) continue;
    const std::string after = step.after > Duration::zero() ? "told after " + say_duration(step.after) : "told at once";
    if (step.unless_acknowledged && incident.facts.acknowledged_by)
      return "it is " + after + " unless somebody has acknowledged, and " + *incident.facts.acknowledged_by + " has";
    if ((incident.course.done >> index & 1) != 0)
      return "the step that names it was taken before it was there, or was held back: see the reasons";
    return "its step of " + severity + " is due " + due(incident.course.begun + step.after, now) +
           within_hours(step.hours) + (step.unless_acknowledged ? ", unless somebody acknowledges" : "");
  }
  return "the escalation of " + severity + " does not name it";
}

}  // namespace

std::string when(Wall at, const Now& now) {
  const Duration ago = now.wall - at;
  return clock(at, now) + (ago >= std::chrono::seconds(1) ? ", " + length(ago) + " ago" : "");
}

std::string due(Steady at, const Now& now) {
  if (at <= now.steady) return "now";
  const Duration left = at - now.steady;
  return "at " + clock(now.wall + left, now) +
         (left >= std::chrono::seconds(1) ? ", in " + length(left) : std::string());
}

std::string list(const std::vector<std::string>& names) { return name_list(names, 20); }

std::string takes(const CheckRules& rules) {
  if (rules.passive) return "One bad run counts at once, and so does one good run";
  const Duration span = confirmation_span(rules);
  std::string bad = rules.confirm.failures <= 1 ? "One bad run counts at once"
                                                : std::to_string(rules.confirm.failures) + " bad runs in a row";
  if (rules.confirm.failures > 1) bad += " over " + say_duration(span) + " are needed until it counts as bad";
  if (rules.recover.successes <= 1) return bad + "; one good run ends it";
  return bad + "; " + std::to_string(rules.recover.successes) + " good ones in a row end it";
}

std::vector<std::string> state(const Incident& incident, const Now& now) {
  const Notification& facts = incident.facts;
  std::vector<std::string> says;
  says.push_back(std::string(to_string(facts.severity)) + " " + std::string(to_string(facts.status)) + ": " +
                 facts.check + " - " + facts.summary);
  if (incident.closed) {
    const Duration lasted = std::max(*incident.closed - facts.opened, Duration::zero());
    says.push_back("It is over since " + when(*incident.closed, now) + ", after " + length(lasted));
  } else {
    says.push_back("Open since " + when(facts.opened, now));
  }
  if (!facts.confirmed_by.empty()) says.push_back("Confirmed by " + facts.confirmed_by);
  says.push_back(facts.acknowledged_by ? "Acknowledged by " + *facts.acknowledged_by : "Nobody has acknowledged it");
  return says;
}

std::vector<std::string> told(const Incident& incident, const Now& now) {
  std::vector<std::string> says;
  for (const auto& [receiver, how] : incident.told) {
    std::string words = receiver;
    if (how.messages > 0) words += " was told at " + clock(how.first, now);
    if (how.messages > 1)
      words += ", " + std::to_string(how.messages) + " messages, the latest at " + clock(how.last, now);
    if (how.refused) {
      words += "; it refused for good";
    } else if (waits(incident, receiver)) {
      words += "; not all of it is delivered yet";
    } else {
      words += incident.reached.contains(receiver) ? "; it took it" : "; whether it took it is not known";
    }
    says.push_back(std::move(words));
  }
  return says;
}

std::vector<std::string> not_told(const Incident& incident, const Rules& rules, const Now& now) {
  std::vector<std::string> says;
  for (const std::string& receiver : rules.receivers) {
    const auto known = incident.told.find(receiver);
    if (known != incident.told.end() && known->second.messages > 0) continue;
    says.push_back(receiver + ": " + why_not(incident, rules, receiver, now));
  }
  return says;
}

std::vector<std::string> next(const Incident& incident, const Rules& rules, const Now& now) {
  if (incident.muted) {
    return {"Nothing goes out while it is muted, until " + clock(incident.muted->until, now) +
            " at the latest; if it is still bad then, people are told"};
  }
  std::vector<std::string> says;
  const Escalation& escalation = escalation_of(incident, rules);
  const bool acknowledged = incident.facts.acknowledged_by.has_value();
  for (std::size_t index = 0; index < escalation.steps.size() && index < 64; ++index) {
    const EscalationStep& step = escalation.steps[index];
    if ((incident.course.done >> index & 1) != 0 || (acknowledged && step.unless_acknowledged)) continue;
    says.push_back("Then " + list(step.notify) + (step.notify.size() == 1 ? " is" : " are") + " told, " +
                   due(incident.course.begun + step.after, now) + within_hours(step.hours) +
                   (step.unless_acknowledged ? ", unless somebody acknowledges" : ""));
  }
  if (escalation.remind && *escalation.remind > Duration::zero()) {
    if (acknowledged) {
      says.emplace_back("No reminders, since it is acknowledged");
    } else if (incident.course.reminders >= escalation.remind_at_most) {
      says.push_back("No more reminders: it has had the " + std::to_string(incident.course.reminders) +
                     " that it may have");
    } else {
      says.push_back("The next reminder is due " + due(incident.course.reminded + *escalation.remind, now) +
                     within_hours(escalation.remind_hours));
    }
  }
  if (says.empty()) says.push_back("Nothing until it changes or ends");
  says.push_back(incident.told.empty() ? "Its end is told to nobody, since nobody was told of it"
                                       : "Its end is told to everyone who was told of it");
  return says;
}

}  // namespace vitald::alerting::words
