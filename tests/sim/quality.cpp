#include "tests/sim/quality.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "alerting/confirm.hpp"
#include "alerting/engine.hpp"
#include "tests/sim/random.hpp"

namespace vitald::sim {

using namespace std::chrono_literals;
using namespace alerting;

namespace {

constexpr Steady begin{1000h};
constexpr Duration probe_time = 500ms;  // until the answer, or until it is given up

struct Span {
  Steady from, until;
};

/// Evenly drawn in (0, 1).
double unit(Random& random) { return (double(random.draw() >> 11) + 0.5) * 0x1p-53; }

Duration exponential(Random& random, Duration mean) {
  return Duration(static_cast<Duration::rep>(-std::log(unit(random)) * double(mean.count())));
}

/// What becomes of one check's target over the whole time.
struct Trace {
  std::vector<Span> outages;   // what a page is right about
  std::vector<Span> troubled;  // bursts, flaps, cuts: when `lost` decides
  Trouble trouble = Trouble::nothing;

  Trace(Random& random, Trouble kind, const Extent& extent) : trouble(kind) {
    const Steady end = begin + extent.lasts;
    // About twelve outages a month, of 30 s and then 5 min on average.
    for (Steady at = begin + exponential(random, 60h); at < end; at = outages.back().until + exponential(random, 60h)) {
      outages.push_back({at, at + 30s + exponential(random, 5min)});
    }
    const Duration mean = trouble == Trouble::bursts ? Duration(10min) : Duration(24h);
    if (trouble == Trouble::nothing || trouble == Trouble::independent) return;
    for (Steady at = begin + exponential(random, mean); at < end; at += exponential(random, mean)) {
      Duration lasts = 3s;
      if (trouble == Trouble::flaps) lasts = random.between(Duration(5min), Duration(30min));
      if (trouble == Trouble::partial) lasts = random.between(Duration(5s), Duration(25s));
      troubled.push_back({at, at + lasts});
    }
  }

  static bool within(const std::vector<Span>& spans, Steady at) {
    const auto after = std::upper_bound(spans.begin(), spans.end(), at,
                                        [](Steady when, const Span& span) { return when < span.from; });
    return after != spans.begin() && at < std::prev(after)->until;
  }

  bool lost(Random& random, Steady at) const {
    switch (trouble) {
      case Trouble::nothing:
        return false;
      case Trouble::independent:
        return random.chance(10);
      case Trouble::bursts:
        return within(troubled, at) && random.chance(600);
      case Trouble::flaps:
        return within(troubled, at) && at.time_since_epoch() / 4s % 2 == 0;
      case Trouble::partial:
        return within(troubled, at);
    }
    return false;
  }
};

Rules rules_for(const Plan& plan, const Extent& extent) {
  Rules rules;
  rules.instance = "trace";
  rules.receivers = {"ops"};
  for (Escalation& escalation : rules.escalations) escalation.steps.push_back({{}, false, {"ops"}});
  for (int number = 0; number < extent.checks; ++number) {
    CheckRules& check = rules.checks.emplace_back();
    check.name = std::to_string(number);
    check.confirm = plan.confirm;
    check.every = extent.every;
  }
  return rules;
}

/// One check alone with an engine of its own: checks that do not depend on each other do not touch each other.
class OneCheck {
 public:
  OneCheck(std::shared_ptr<const Rules> rules, Trace trace, Random& random)
      : rules_(std::move(rules)),
        trace_(std::move(trace)),
        random_(random),
        engine_(rules_, {}, at(begin), {random.draw(), random.draw(), random.draw(), random.draw()}) {}

  void run(Duration lasts, Quality& quality) {
    const Duration every = rules_->checks.front().every;
    Steady regular = begin + random_.between(Duration(0s), every);
    while (regular < begin + lasts) {
      if (again_ && *again_ < regular) {
        probe(*std::exchange(again_, std::nullopt));
      } else {
        probe(regular);
        regular += every;
      }
    }
    judge(quality, begin + lasts);
  }

 private:
  static Now at(Steady time) { return {time, Wall(time.time_since_epoch())}; }

  void probe(Steady started) {
    event_.check = rules_->checks.front().name;
    event_.started = at(started);
    const bool bad = Trace::within(trace_.outages, started) || trace_.lost(random_, started);
    event_.observation.outcome = bad ? Outcome::refused : Outcome::answered;
    event_.observation.summary = bad ? "timed out" : "200 OK";
    const Effects effects = engine_.step(at(started + probe_time), event_);
    for (const RunCheck& request : effects.requests) again_ = std::max(request.at, started + probe_time);
    for (const Notification& message : effects.outbox) {
      if (message.kind == NotificationKind::problem) pages_.push_back(started + probe_time);
      engine_.step(at(started + probe_time), Delivered{message.id, true, "", ""});
    }
  }

  /// A page says what a probe saw that began a moment before.
  static bool covers(const std::vector<Span>& spans, Steady page) {
    return std::any_of(spans.begin(), spans.end(),
                       [&](const Span& span) { return page >= span.from && page <= span.until + probe_time; });
  }

  void judge(Quality& quality, Steady end) {
    const CheckRules& check = rules_->checks.front();
    const Duration bound = check.every + confirmation_span(check) + probe_time + 1s;
    quality.pages += static_cast<int>(pages_.size());
    for (const Steady page : pages_) {
      const bool flaps = trace_.trouble == Trouble::flaps && covers(trace_.troubled, page);
      if (!flaps && !covers(trace_.outages, page)) ++quality.false_pages;
    }
    for (const Span& outage : trace_.outages) {
      if (outage.until - outage.from < bound || outage.from + bound > end) continue;
      ++quality.outages;
      // An incident that was open already needs no page of its own.
      const auto page = std::find_if(pages_.begin(), pages_.end(),
                                     [&](Steady time) { return time >= outage.from && time <= outage.from + bound; });
      if (page == pages_.end()) continue;
      ++quality.found;
      quality.delays.push_back(std::chrono::duration<double>(*page - outage.from).count());
    }
  }

  std::shared_ptr<const Rules> rules_;
  Trace trace_;
  Random& random_;
  Engine engine_;
  Observed event_;
  std::optional<Steady> again_;
  std::vector<Steady> pages_;
};

}  // namespace

std::string_view to_string(Trouble trouble) {
  switch (trouble) {
    case Trouble::nothing:
      return "outages only";
    case Trouble::independent:
      return "1 % loss";
    case Trouble::bursts:
      return "bursts of loss";
    case Trouble::flaps:
      return "flapping";
    case Trouble::partial:
      return "partial network";
  }
  return "";
}

std::vector<Plan> plans() {
  return {{"1 failure", {.failures = 1, .spread = {}}},
          {"3 failures, 2 s apart", {.failures = 3, .spread = {2s}}},
          {"4 failures, 2 s apart", {.failures = 4, .spread = {2s}}},
          {"`fast`: 4 over 14 s", *confirmation_preset("fast")},
          {"`calm`: 4 over 30 s", *confirmation_preset("calm")}};
}

double Quality::delay(double share) const {
  if (delays.empty()) return 0;
  return delays[std::min(static_cast<std::size_t>(share * double(delays.size())), delays.size() - 1)];
}

Quality measure(Trouble trouble, const Plan& plan, const Extent& extent, std::uint64_t seed) {
  Extent one = extent;
  one.checks = 1;
  const auto rules = std::make_shared<const Rules>(rules_for(plan, one));
  Quality quality;
  for (int number = 0; number < extent.checks; ++number) {
    Random trace_random(seed * 1'000'003 + static_cast<std::uint64_t>(number));
    Trace trace(trace_random, trouble, extent);
    OneCheck(rules, std::move(trace), trace_random).run(extent.lasts, quality);
  }
  quality.check_months = extent.checks * std::chrono::duration<double>(extent.lasts).count() / (30 * 86400.0);
  std::sort(quality.delays.begin(), quality.delays.end());
  return quality;
}

}  // namespace vitald::sim
