#include "tests/sim/estate.hpp"

#include <algorithm>
#include <array>

#include "alerting/confirm.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

/// Most worlds are small, and either busy for an hour or two or calm for days; some are large.
Estate::Estate(Random& random) : random_(random) {
  const std::uint64_t kind = random_.below(100);
  int checks = random_.between(1, 6);
  longest_every_ = 60s;
  calm_between_ = 20min;
  lasts_ = random_.between(Duration(40min), Duration(2h));
  if (kind >= 98) {
    checks = random_.between(200, 1000);
    longest_every_ = 300s;
    calm_between_ = 6h;
  } else if (kind >= 70) {
    checks = random_.between(7, kind >= 92 ? 199 : 40);
    longest_every_ = 180s;
    calm_between_ = 6h;
    lasts_ = random_.between(Duration(1h), Duration(12h));
  } else if (kind >= 25) {
    calm_between_ = 12h;
    lasts_ = random_.between(Duration(12h), Duration(72h));
  }
  Rules rules;
  rules.instance = "sim";
  rules.unknown_after = random_.between(Duration(1min), Duration(10min));
  for (int left = random_.between(1, 3); left > 0; --left) {
    rules.receivers.push_back("r" + std::to_string(receivers_++));
  }
  for (Escalation& escalation : rules.escalations) escalation = make_escalation(rules.receivers);
  for (int left = checks; left > 0; --left) add_check(rules);
  if (random_.chance(400)) change_maintenance(rules);
  rules_ = std::make_shared<const Rules>(std::move(rules));
}

Escalation Estate::make_escalation(const std::vector<std::string>& receivers) {
  Escalation escalation;
  escalation.steps.push_back({{}, false, {receivers.front()}});
  if (random_.chance(600)) {
    escalation.steps.push_back(
        {random_.between(Duration(1min), Duration(15min)), random_.chance(500), {receivers.back()}});
  }
  if (random_.chance(600)) escalation.remind = random_.between(Duration(3min), Duration(30min));
  return escalation;
}

CheckRules Estate::make_check() {
  CheckRules rules;
  rules.name = new_name();
  rules.probe = "sim";
  rules.every = random_.between(Duration(10s), longest_every_);
  rules.confirm = *confirmation_preset(random_.chance(500) ? "calm" : "fast");
  rules.recover.successes = random_.between(1, 3);
  rules.critical = static_cast<Severity>(random_.between(0, 3));
  rules.warning = std::max(rules.critical, Severity::p2);
  rules.hold = random_.between(Duration(1min), Duration(10min));
  Limit slow;
  slow.sample = "duration";
  slow.warning = Threshold{0.2};
  if (random_.chance(300)) slow.hold_for = 1min;
  Limit jobs;
  jobs.sample = "failed_jobs";
  jobs.kind = SampleKind::event;
  jobs.critical = Threshold{1};
  rules.limits = {slow, jobs};
  return rules;
}

void Estate::add_check(Rules& rules) {
  CheckRules check = make_check();
  const int known = static_cast<int>(rules.checks.size());
  const int chance = known <= 6 ? 300 : 1500 / known;  // in all about the same number above each
  for (int above = 0; above < known; ++above) {
    if (random_.chance(chance)) check.depends_on.push_back(rules.checks[static_cast<std::size_t>(above)].name);
  }
  rules.checks.push_back(std::move(check));
}

void Estate::change() {
  Rules rules = *rules_;
  for (int left = random_.between(1, 3); left > 0; --left) {
    switch (random_.below(7)) {
      case 0:
        add_check(rules);
        break;
      case 1:
        remove_check(rules);
        break;
      case 2:
        rename_check(rules);
        break;
      case 3:
        change_receivers(rules);
        break;
      case 4:
        change_maintenance(rules);
        break;
      default:
        change_check(rules);
        break;
    }
  }
  rules_ = std::make_shared<const Rules>(std::move(rules));
}

void Estate::remove_check(Rules& rules) {
  if (rules.checks.size() < 2) return;
  const auto gone = rules.checks.begin() + static_cast<std::ptrdiff_t>(random_.below(rules.checks.size()));
  const std::string name = gone->name;
  rules.checks.erase(gone);
  for (CheckRules& check : rules.checks) std::erase(check.depends_on, name);
}

void Estate::rename_check(Rules& rules) {
  CheckRules& check = rules.checks[random_.below(rules.checks.size())];
  check.was = std::exchange(check.name, new_name());
  for (CheckRules& other : rules.checks) {
    std::replace(other.depends_on.begin(), other.depends_on.end(), check.was, check.name);
  }
}

void Estate::change_check(Rules& rules) {
  CheckRules& check = rules.checks[random_.below(rules.checks.size())];
  switch (random_.below(4)) {
    case 0:
      check.critical = static_cast<Severity>(random_.between(0, 3));
      check.warning = std::max(check.critical, Severity::p2);
      break;
    case 1:
      check.confirm = *confirmation_preset(random_.chance(500) ? "calm" : "fast");
      check.recover.successes = random_.between(1, 3);
      break;
    case 2:
      check.limits.front().warning = Threshold{random_.chance(500) ? 0.2 : 0.3};
      check.limits.front().hold_for = random_.chance(500) ? Duration(1min) : Duration::zero();
      break;
    default:
      check.every = random_.between(Duration(10s), longest_every_);
      break;
  }
}

void Estate::change_receivers(Rules& rules) {
  if (rules.receivers.size() > 1 && random_.chance(500)) {
    rules.receivers.erase(rules.receivers.begin() + static_cast<std::ptrdiff_t>(random_.below(rules.receivers.size())));
  } else {
    rules.receivers.push_back("r" + std::to_string(receivers_++));
  }
  for (Escalation& escalation : rules.escalations) escalation = make_escalation(rules.receivers);
}

/// One window less, or one more: every night, or every few hours, in a zone that changes its clocks.
void Estate::change_maintenance(Rules& rules) {
  if (rules.maintenance.size() > 1 || (!rules.maintenance.empty() && random_.chance(500))) {
    rules.maintenance.pop_back();
    return;
  }
  Maintenance& window = rules.maintenance.emplace_back();
  window.name = "window" + std::to_string(names_++);
  window.checks.names = {random_.chance(300) ? "c*" : rules.checks[random_.below(rules.checks.size())].name};
  const std::string minute = std::to_string(random_.below(60));
  window.when.cron = *Cron::parse(minute + (random_.chance(500) ? " */3 * * *" : " 2 * * *"));
  window.when.zone = *TimeZone::named("Europe/Berlin");
  window.when.length = random_.between(Duration(5min), Duration(2h));
}

}  // namespace vitald::sim
