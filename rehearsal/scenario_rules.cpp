#include "rehearsal/scenario_rules.hpp"

#include <optional>

namespace vitald::rehearsal {
namespace {

using namespace alerting;

std::optional<StepHours> step_hours(Words& words, const NamedHours& hours) {
  const bool during = words.skip("during");
  if (!during && !words.skip("outside")) return std::nullopt;
  const std::string name = words.take("the name of hours");
  const auto found = hours.find(name);
  if (found == hours.end()) throw Misunderstood("no hours are called " + name);
  return StepHours{found->second, !during};
}

}  // namespace

Matcher matcher(Words& words) {
  Matcher made;
  while (!words.done()) {
    const std::string word = words.take("a check or a label");
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      made.names.push_back(word);
    } else {
      made.labels.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  return made;
}

Wall moment(Words& words) {
  const auto date = split(words.take("a date such as 2026-03-29"), '-');
  const auto time = split(words.take("a time such as 00:30"), ':');
  if (date.size() != 3 || time.size() != 2) throw Misunderstood("expected a moment such as 2026-03-29 00:30");
  const auto part = [](const std::string& text) { return static_cast<unsigned>(number(text)); };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(date.at(0)))),
                                        std::chrono::month(part(date.at(1))), std::chrono::day(part(date.at(2)))};
  return Wall(std::chrono::sys_days(day)) + std::chrono::hours(part(time.at(0))) +
         std::chrono::minutes(part(time.at(1)));
}

Duration jump(Words& words) {
  const std::string text = words.take("a jump such as -1h");
  const Duration length = wanted(parse_duration(text.substr(1)));
  return text.front() == '-' ? -length : length;
}

void named_hours(Words& words, NamedHours& all) {
  std::string name = words.take("a name");
  name.pop_back();
  const std::string days = words.take("days"), from = words.take("a time"), to = words.take("a time");
  all[name] = wanted(Hours::parse(days, from, to, wanted(TimeZone::named(words.take("a time zone")))));
}

Escalation escalation_of(const std::string& text, const NamedHours& hours) {
  Escalation made;
  for (const std::string& part : split(text, ';')) {
    Words words(part);
    if (words.skip("remind")) {
      made.remind = words.length();
      if (words.skip("at") && words.skip("most"))
        made.remind_at_most = static_cast<int>(number(words.take("a number")));
      made.remind_hours = step_hours(words, hours);
      continue;
    }
    if (words.skip("digest")) {
      DigestStep digest;
      digest.when = wanted(Cron::parse(words.take("a calendar")));
      while (!words.done()) digest.notify.push_back(words.take("a receiver"));
      made.digests.push_back(std::move(digest));
      continue;
    }
    EscalationStep step;
    if (words.skip("after")) step.after = words.length();
    if (words.skip("unless")) step.unless_acknowledged = words.skip("acknowledged");
    step.hours = step_hours(words, hours);
    while (!words.done()) step.notify.push_back(words.take("a receiver"));
    made.steps.push_back(std::move(step));
  }
  return made;
}

void route(const std::string& text, const NamedHours& hours, Rules& rules) {
  const std::size_t colon = text.find(':');
  const std::size_t last = text.rfind(' ', colon);
  Words checks(std::string_view(text).substr(0, last));
  Route made;
  made.checks = matcher(checks);
  made.escalations[static_cast<std::size_t>(severity(text.substr(last + 1, colon - last - 1)))] =
      escalation_of(text.substr(colon + 1), hours);
  rules.routes.push_back(std::move(made));
}

void planned(const std::string& text, Rules& rules) {
  const std::size_t colon = text.find(':');
  Maintenance made;
  made.name = text.substr(0, colon);
  for (const std::string& part : split(text.substr(colon + 1), ',')) {
    Words words(part);
    if (words.skip("cron")) {
      made.when.cron = wanted(Cron::parse(part.substr(part.find("cron ") + 5)));
    } else if (words.skip("for")) {
      made.when.length = words.length();
    } else if (words.skip("zone")) {
      made.when.zone = wanted(TimeZone::named(words.take("a time zone")));
    } else {
      made.checks = matcher(words);
    }
  }
  rules.maintenance.push_back(std::move(made));
}

SilenceAdded silence(Words& words) {
  SilenceAdded event;
  words.skip("for");
  event.lasts = words.length();
  words.skip("by");
  event.owner = words.take("a name");
  event.reason = words.take("a reason");
  if (words.skip("until") && words.skip("recovered")) event.until_recovered = true;
  event.checks = matcher(words);
  return event;
}

}  // namespace vitald::rehearsal
