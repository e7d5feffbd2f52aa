#include "alerting/escalate.hpp"

#include <algorithm>

namespace vitald::alerting {
namespace {

std::size_t step_count(const Escalation& escalation) { return std::min<std::size_t>(escalation.steps.size(), 64); }
bool taken(const Course& course, std::size_t index) { return (course.done >> index & 1) != 0; }
bool reminds(const Escalation& escalation) { return escalation.remind && *escalation.remind > Duration::zero(); }

}  // namespace

Course begin_course(Steady now) {
  Course course;
  course.begun = course.reminded = now;
  return course;
}

DueSteps take_due(const Escalation& escalation, Course& course, bool acknowledged, Steady now) {
  DueSteps due;
  for (std::size_t index = 0; index < step_count(escalation); ++index) {
    const EscalationStep& step = escalation.steps[index];
    if (taken(course, index) || course.begun + step.after > now) continue;
    course.done |= std::uint64_t{1} << index;
    if (!(acknowledged && step.unless_acknowledged)) due.steps.push_back(&step);
  }
  if (!reminds(escalation) || acknowledged || now < course.reminded + *escalation.remind) return due;
  // Whole intervals, so that lateness does not add up; several that were slept through are one reminder.
  course.reminded += (now - course.reminded) / *escalation.remind * *escalation.remind;
  ++course.reminders;
  due.remind = true;
  return due;
}

std::optional<Steady> next_due(const Escalation& escalation, const Course& course, bool acknowledged) {
  std::optional<Steady> next;
  const auto consider = [&](Steady at) {
    if (!next || at < *next) next = at;
  };
  for (std::size_t index = 0; index < step_count(escalation); ++index) {
    const EscalationStep& step = escalation.steps[index];
    if (taken(course, index) || (acknowledged && step.unless_acknowledged)) continue;
    consider(course.begun + step.after);
  }
  if (reminds(escalation) && !acknowledged) consider(course.reminded + *escalation.remind);
  return next;
}

}  // namespace vitald::alerting
