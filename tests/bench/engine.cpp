// How many observations the engine judges in a second on one core, beside a bare loop that only finds each check by its
// name and keeps its latest summary. Prints one JSON object; tests/bench/run shows it.
//
//   bench_engine CHECKS SECONDS
#include "alerting/engine.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "alerting/confirm.hpp"

namespace {

using namespace std::chrono_literals;
using namespace vitald;
using namespace vitald::alerting;

/// What a web check of the manual has: two limits, labels, the calm confirmation.
CheckRules check_rules(std::size_t number) {
  CheckRules rules;
  rules.name = "service-" + std::to_string(number) + "-health";
  rules.probe = "http";
  rules.labels = {{"site", "site-" + std::to_string(number % 12)}, {"team", "web"}};
  Limit duration;
  duration.sample = "duration";
  duration.warning = Threshold{0.2};
  duration.critical = Threshold{2};
  duration.clear = Threshold{0.15};
  Limit expiry;
  expiry.sample = "certificate_expires_in";
  expiry.below = true;
  expiry.warning = Threshold{86400.0 * 14};
  rules.limits = {duration, expiry};
  rules.confirm = *confirmation_preset("calm");
  rules.every = 10s;
  rules.hold = 15min;
  return rules;
}

std::shared_ptr<Rules> rules_for(std::size_t checks) {
  auto rules = std::make_shared<Rules>();
  rules->instance = "bench";
  rules->receivers = {"ops"};
  for (Escalation& escalation : rules->escalations) escalation.steps.push_back({{}, false, {"ops"}});
  for (std::size_t number = 0; number < checks; ++number) rules->checks.push_back(check_rules(number));
  return rules;
}

Observed observed(const CheckRules& rules, bool bad) {
  Observed event;
  event.check = rules.name;
  Observation& observation = event.observation;
  observation.outcome = bad ? Outcome::wrong : Outcome::answered;
  observation.summary = bad ? "502 Bad Gateway instead of 200" : "200 in 38 ms";
  if (bad) observation.reason = "status";
  observation.samples = {{"duration", 0.038}, {"body_size", 5120}, {"certificate_expires_in", 86400.0 * 60}};
  observation.evidence = {{"first byte", "12 ms"}, {"request_id", "7f3c91d2"}};
  event.took = 38ms;
  return event;
}

/// Both loops judge the same events at the same virtual times: one check after the other, so far `apart`.
class Round {
 public:
  Round(const Rules& rules, Duration apart) : apart_(apart) {
    for (const CheckRules& check : rules.checks) {
      good_.emplace_back(observed(check, false));
      bad_.emplace_back(observed(check, true));
    }
  }
  void sweep(bool bad, const std::function<void(const Now&, const Event&)>& judge) {
    for (Event& event : bad ? bad_ : good_) {
      now_.steady += apart_;
      now_.wall += apart_;
      std::get<Observed>(event).started = {now_.steady - 38ms, now_.wall - 38ms};
      judge(now_, event);
    }
  }
  std::size_t size() const { return good_.size(); }
  const Now& now() const { return now_; }

 private:
  Duration apart_;
  std::vector<Event> good_, bad_;
  Now now_{Steady(1000h), Wall(std::chrono::hours(24 * 365 * 50))};
};

/// Observations in a second of processor time, so that a busy host does not count; `sweep` is called with its number
/// until the time is over.
double rate(const Round& round, double seconds, const std::function<void(std::size_t)>& sweep) {
  for (std::size_t number = 0; number < 4; ++number) sweep(number);
  const std::clock_t begun = std::clock();
  std::size_t number = 4;
  double passed = 0;
  while (passed < seconds) {
    sweep(number++);
    passed = static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC;
  }
  return static_cast<double>((number - 4) * round.size()) / passed;
}

double bare(const Rules& rules, double seconds) {
  struct Latest {
    std::string summary;
    Steady at{};
  };
  std::unordered_map<std::string, Latest> latest;
  for (const CheckRules& check : rules.checks) latest[check.name];
  Round round(rules, Duration(10s) / static_cast<Duration::rep>(rules.checks.size()));
  return rate(round, seconds, [&](std::size_t number) {
    round.sweep(number % 2 == 1, [&](const Now& now, const Event& event) {
      const Observed& happened = std::get<Observed>(event);
      Latest& one = latest.find(happened.check)->second;
      one.summary = happened.observation.summary;
      one.at = now.steady;
    });
  });
}

/// What is fed to the engine.
struct Course {
  Duration apart;          // from one check to the next
  std::size_t bad_one_of;  // one sweep of so many is bad; 0: none is
};

/// Feeds the engine, and tells it that each message was taken.
double judged(const std::shared_ptr<Rules>& rules, double seconds, const Course& course, std::size_t& messages) {
  Round round(*rules, course.apart);
  Engine engine(rules, {}, round.now(), {1, 2, 3, 4});
  return rate(round, seconds, [&](std::size_t number) {
    const bool bad = course.bad_one_of > 0 && number % course.bad_one_of == 1;
    round.sweep(bad, [&](const Now& now, const Event& event) {
      const Effects effects = engine.step(now, event);
      messages += effects.outbox.size();
      for (const Notification& message : effects.outbox) engine.step(now, Delivered{message.id, true, "", "handle"});
    });
  });
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return std::fputs("usage: bench_engine CHECKS SECONDS\n", stderr), 2;
  const std::size_t checks = std::strtoul(arguments[1], nullptr, 10);
  const double seconds = std::strtod(arguments[2], nullptr);
  if (checks == 0 || seconds <= 0) return std::fputs("bench_engine: both numbers must be above zero\n", stderr), 2;
  const auto rules = rules_for(checks);
  std::size_t messages = 0;
  const double bare_rate = bare(*rules, seconds);
  const Duration often = Duration(10s) / static_cast<Duration::rep>(checks);
  const double quiet = judged(rules, seconds, {often, 0}, messages);
  if (messages != 0) return std::fputs("bench_engine: what should change nothing sent messages\n", stderr), 1;
  // One bad run of five, which is not yet what counts as unstable: it and the good one behind it change a count. All of
  // the time is charged to those two.
  const double counts = judged(rules, seconds, {often, 5}, messages) * 2 / 5;
  if (messages != 0) return std::fputs("bench_engine: what should only be counted sent messages\n", stderr), 1;
  const auto at_once = std::make_shared<Rules>(*rules);
  for (CheckRules& check : at_once->checks) {
    check.confirm.failures = 1;
    check.recover.successes = 1;
  }
  // So far apart that neither the bound of messages nor damping has a say: each is told, and each end as well.
  const double incidents = judged(at_once, seconds, {20min, 2}, messages);
  std::printf("{\"checks\": %zu, \"bare\": %.0f, \"quiet\": %.0f, \"counts\": %.0f, \"incidents\": %.0f}\n", checks,
              bare_rate, quiet, counts, incidents);
  return 0;
}
