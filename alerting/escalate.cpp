#include "alerting/escalate.hpp"

#include <algorithm>

namespace vitald::alerting {
namespace {

std::size_t step_count(const Escalation& escalation) { return std::min<std::size_t>(escalation.steps.size(), 64); }
bool taken(const Course& course, std::size_t index) { return (course.done >> index & 1) != 0; }
bool reminds(const Escalation& escalation, const Course& course) {
  return escalation.remind && *escalation.remind > Duration::zero() && course.reminders < escalation.remind_at_most;
}
bool open(const std::optional<StepHours>& hours, Wall now) { return !hours || hours->at(now); }

/// How long until the hours begin; nothing where they never do.
std::optional<Duration> until_open(const std::optional<StepHours>& hours, Wall now) {
  if (open(hours, now)) return Duration::zero();
  const Wall begins = hours->hours.next_change(now);
  if (begins == Wall::max()) return std::nullopt;
  return begins - now;
}

}  // namespace

bool is_configured(const Rules& rules, const std::string& receiver) {
  return std::find(rules.receivers.begin(), rules.receivers.end(), receiver) != rules.receivers.end();
}

const Escalation& escalation_for(const Rules& rules, std::string_view check, const Labels& labels, Severity severity) {
  const auto index = static_cast<std::size_t>(severity);
  for (const Route& route : rules.routes) {
    const std::optional<Escalation>& own = route.escalations[index];
    if (own && route.checks.fits(check, labels)) return *own;
  }
  return rules.escalations[index];
}

Course begin_course(Steady now) {
  Course course;
  course.begun = course.reminded = now;
  return course;
}

DueSteps take_due(const Escalation& escalation, Course& course, bool acknowledged, const Now& now) {
  DueSteps due;
  for (std::size_t index = 0; index < step_count(escalation); ++index) {
    const EscalationStep& step = escalation.steps[index];
    if (taken(course, index) || course.begun + step.after > now.steady) continue;
    if (!(acknowledged && step.unless_acknowledged) && !open(step.hours, now.wall)) continue;
    // While the first of them waits for its hours nobody knows of it, so the others count from when it is taken.
    if (course.done == 0 && step.hours) course.begun = now.steady - step.after;
    course.done |= std::uint64_t{1} << index;
    if (!(acknowledged && step.unless_acknowledged)) due.steps.push_back(&step);
  }
  if (!reminds(escalation, course) || acknowledged || now.steady < course.reminded + *escalation.remind) return due;
  // Whole intervals, so that lateness does not add up; several that were slept through are one reminder.
  course.reminded += (now.steady - course.reminded) / *escalation.remind * *escalation.remind;
  due.remind = open(escalation.remind_hours, now.wall);
  return due;
}

std::optional<Steady> next_due(const Escalation& escalation, const Course& course, bool acknowledged, const Now& now) {
  std::optional<Steady> next;
  const auto consider = [&](Steady at) {
    if (!next || at < *next) next = at;
  };
  for (std::size_t index = 0; index < step_count(escalation); ++index) {
    const EscalationStep& step = escalation.steps[index];
    if (taken(course, index) || (acknowledged && step.unless_acknowledged)) continue;
    Steady due = course.begun + step.after;
    if (step.hours) due = std::max(due, now.steady);
    const auto waits = until_open(step.hours, now.wall + (due - now.steady));
    if (waits) consider(due + *waits);
  }
  if (reminds(escalation, course) && !acknowledged) consider(course.reminded + *escalation.remind);
  return next;
}

}  // namespace vitald::alerting
