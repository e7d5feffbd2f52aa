// What the pings so far mean at a moment.
#include <algorithm>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/heartbeat.hpp"

namespace vitald::probes::heartbeat {
namespace {

using namespace std::chrono_literals;

/// A ping that comes so much before its time is taken for the one that is due: two hosts' clocks are never equal.
constexpr Duration early = 10s;
constexpr const char* look_for_job =
    "see whether the job was started: journalctl -t CRON --since yesterday, or systemctl list-timers";

/// When pings are due that follow on one at `base`: the first, and the last one before a moment or the first one from
/// it on, none of them earlier than the first.
class Dues {
 public:
  Dues(const Config& config, Wall base, bool pinged) : config_(config), base_(base) {
    first_ = config.cron ? config.cron->next(config.zone, pinged ? base + early : base) : base + every();
  }
  Wall first() const { return first_; }
  Wall last_until(Wall moment) const {
    if (moment <= first_) return first_;
    if (config_.cron) return std::max(first_, config_.cron->previous(config_.zone, moment + 1ns));
    return base_ + (moment - base_) / every() * every();
  }
  Wall next_from(Wall moment) const {
    if (moment <= first_) return first_;
    if (config_.cron) return config_.cron->next(config_.zone, moment - 1ns);
    return base_ + ((moment - base_ - 1ns) / every() + 1) * every();
  }

 private:
  Duration every() const { return config_.expect_every.value_or(1h); }
  const Config& config_;
  Wall base_, first_;
};

std::string ending(const History& history) {
  if (!history.failed) return "success";
  return history.exit_code ? "failed with exit code " + std::to_string(*history.exit_code) : "failed";
}

std::string ago(Wall then, Wall now) {
  return say_duration(std::max<Duration>(1s, floor<std::chrono::seconds>(now - then)));
}

class Judging {
 public:
  Judging(const Config& config, const Facts& facts)
      : config_(config), history_(facts.history), now_(facts.now), listening_since_(facts.listening_since) {}

  Observation judge() {
    const bool changed = !pinged() && !history_.known_since;
    if (changed) history_.known_since = now_;
    const bool missed_before = history_.missed;
    if (history_.unfinished && config_.max_run) {
      judge_run_time();
    } else {
      judge_lateness();
    }
    if (history_.failed) {
      add(wrong("failed", history_.exit_code ? "the job failed with exit code " + std::to_string(*history_.exit_code)
                                             : "the job reported a failure"));
    }
    if (unheard_) faults_.push_back(*unheard_);
    measure();
    blame(faults_, seen_, 4);
    if (changed || history_.missed != missed_before) seen_.memory = written(history_);
    return std::move(seen_);
  }

 private:
  bool pinged() const { return history_.ended || history_.unfinished; }
  void add(ProbeFailure fault) { faults_.push_back(std::move(fault)); }

  void judge_run_time() {
    const Wall limit = *history_.unfinished + *config_.max_run;
    if (now_ < limit) {
      seen_.summary = "running for " + ago(*history_.unfinished, now_);
      seen_.look_again = limit;
      return;
    }
    add(wrong("overrun",
              "started " + ago(*history_.unfinished, now_) + " ago and not finished, its limit is " +
                  say_duration(*config_.max_run),
              "see whether it still runs and what holds it up: ps -ef; or why it ended without a word"));
  }

  void judge_lateness() {
    Wall base =
        history_.unfinished ? *history_.unfinished : history_.ended.value_or(history_.known_since.value_or(now_));
    // The clock was set back since.
    if (base > now_) base = std::min(now_, listening_since_);
    const Dues dues(config_, base, pinged());
    if (now_ < dues.first() + config_.grace) {
      say_on_time(dues.first() + config_.grace);
      return;
    }
    // Whoever was not there from the moment at which the last one was due cannot say that it did not come; what was
    // missed earlier, and seen to be, stays missed.
    const Wall last = dues.last_until(now_ - config_.grace);
    if (!history_.missed && listening_since_ > last) {
      const Wall next = dues.next_from(listening_since_);
      unheard_ =
          unmeasured("not_heard",
                     "nobody listened all the time when a ping was due at " + say_time(last, true) +
                         ": vitald was not running, or the clock was set",
                     "if the job ran, ping once by hand; or wait for the next one, due at " + say_time(next, true));
      seen_.look_again = next + config_.grace;
      return;
    }
    history_.missed = true;
    add(lateness(dues.first()));
  }

  void say_on_time(Wall latest) {
    seen_.look_again = latest;
    const std::string next = say_time(latest, true);
    if (!pinged()) {
      seen_.summary = "waiting for the first ping, which must come by " + next;
    } else if (history_.unfinished) {
      seen_.summary = "running for " + ago(*history_.unfinished, now_);
    } else {
      seen_.summary = "pinged " + ago(*history_.ended, now_) + " ago, next by " + next;
      if (history_.took) seen_.summary = "finished in " + say_duration(*history_.took) + ", " + seen_.summary;
    }
  }

  ProbeFailure lateness(Wall due) const {
    if (history_.unfinished) {
      return wrong(
          "unfinished",
          "started " + ago(*history_.unfinished, now_) + " ago and not finished, due again at " + say_time(due, true),
          "see whether it still runs and what holds it up: ps -ef; or why it ended without a word");
    }
    if (!history_.ended)
      return wrong("never", "no ping ever came, the first was due at " + say_time(due, true), look_for_job);
    if (config_.cron) {
      return wrong("late", "no ping for " + ago(*history_.ended, now_) + ", one was due at " + say_time(due, true),
                   look_for_job);
    }
    return wrong("late",
                 "no ping for " + ago(*history_.ended, now_) + ", expected every " +
                     say_duration(config_.expect_every.value_or(1h)),
                 look_for_job);
  }

  void measure() {
    const auto seconds = [](Duration length) { return std::max(0.0, std::chrono::duration<double>(length).count()); };
    const auto latest = std::max(history_.ended, history_.started);
    if (latest) seen_.samples.push_back({.name = "since_ping", .value = seconds(now_ - *latest)});
    if (history_.took) seen_.samples.push_back({.name = "run_time", .value = seconds(*history_.took)});
    seen_.samples.push_back({.name = "failures", .value = history_.failures});
    if (history_.started) seen_.evidence.push_back({"started", say_time(*history_.started, true)});
    if (history_.ended) {
      std::string text = say_time(*history_.ended, true) + ", " + ending(history_);
      if (history_.took) text += ", after " + say_duration(*history_.took);
      seen_.evidence.push_back({"last ping", std::move(text)});
    }
    if (!history_.output.empty()) seen_.evidence.push_back({"its last output", history_.output});
  }

  const Config& config_;
  History history_;
  Wall now_, listening_since_;
  Observation seen_;
  Faults faults_;
  std::optional<ProbeFailure> unheard_;
};

}  // namespace

Observation judge(const Config& config, const Facts& facts) { return Judging(config, facts).judge(); }

}  // namespace vitald::probes::heartbeat
