#include "rehearsal/scenario.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "alerting/confirm.hpp"
#include "alerting/engine.hpp"
#include "alerting/story.hpp"
#include "config/units.hpp"
#include "rehearsal/memory_store.hpp"
#include "rehearsal/scenario_lines.hpp"
#include "rehearsal/scenario_rules.hpp"
#include "rehearsal/scenario_tally.hpp"
#include "rehearsal/scenario_words.hpp"

namespace vitald::rehearsal {
namespace {

using namespace alerting;

class Scenario {
 public:
  explicit Scenario(std::optional<Setting> setting) : setting_(std::move(setting)) {
    if (setting_) draft_ = setting_->rules;
  }

  std::string run(const std::string& text) {
    auto lines = split(text, '\n');
    if (lines.back().empty()) lines.pop_back();
    for (const std::string& line : lines) {
      if (line.starts_with(">")) continue;
      out_ += line + "\n";
      if (line.empty() || line.starts_with("#")) continue;
      try {
        for (const std::string& one : expanded(line)) understand(one);
      } catch (const std::exception& error) {
        out_ += std::string("> error: ") + error.what() + "\n";
      }
    }
    return out_;
  }

 private:
  void understand(const std::string& line) {
    Words words(line);
    if (setting_) refuse_declarations(line);
    if (words.skip("receivers")) return receivers(words);
    if (words.skip("begins")) {
      epoch_ = moment(words);
      return;
    }
    if (words.skip("hours")) return named_hours(words, hours_);
    if (words.skip("window")) return planned(line.substr(7), draft_);
    if (words.skip("route")) return route(line.substr(6), hours_, draft_);
    if (words.skip("escalation")) return escalation(line.substr(11));
    if (words.skip("check")) return check(line.substr(6));
    if (words.skip("limits")) return limits_of(line.substr(7));
    if (words.skip("hide")) {
      hide_runs_ = words.skip("runs");
      return;
    }
    if (words.skip("unknown_after")) {
      draft_.unknown_after = words.length();
      return;
    }
    happen(words);
  }

  // ---- declarations
  void receivers(Words& words) {
    draft_.receivers.clear();
    while (!words.done()) draft_.receivers.push_back(words.take("a receiver"));
  }

  void escalation(const std::string& text) {
    const std::size_t colon = text.find(':');
    draft_.escalations[static_cast<std::size_t>(severity(text.substr(0, colon)))] =
        escalation_of(text.substr(colon + 1), hours_);
  }

  CheckRules& rules_of(const std::string& name) {
    for (CheckRules& known : draft_.checks) {
      if (known.name == name) return known;
    }
    CheckRules& made = draft_.checks.emplace_back();
    made.name = name;
    made.probe = "http";
    made.confirm = *confirmation_preset("calm");
    made.every = std::chrono::seconds(30);
    made.hold = std::chrono::minutes(15);
    return made;
  }

  void check(const std::string& text) {
    const std::size_t colon = std::min(text.find(':'), text.size());
    CheckRules& rules = rules_of(text.substr(0, colon));
    if (colon == text.size()) return;
    for (const std::string& part : split(text.substr(colon + 1), ',')) setting(rules, Words(part));
  }

  void setting(CheckRules& rules, Words words) {
    if (words.skip("severity")) {
      rules.critical = severity(words.take("a severity"));
      rules.warning = std::max(rules.critical, Severity::p2);
    } else if (words.skip("warning")) {
      rules.warning = severity(words.take("a severity"));
    } else if (words.skip("confirm")) {
      const std::string plan = words.take("a plan");
      if (const auto preset = confirmation_preset(plan)) {
        rules.confirm = *preset;
        return;
      }
      rules.confirm = {static_cast<int>(number(plan)), {}};
      while (!words.done()) rules.confirm.spread.push_back(words.length());
    } else if (words.skip("recover")) {
      rules.recover.successes = static_cast<int>(number(words.take("a number")));
    } else if (words.skip("passive")) {
      rules.passive = true;
    } else if (words.skip("remote")) {
      rules.remote = true;
    } else if (words.skip("near")) {
      rules.remote = rules.near = true;
    } else if (words.skip("uplink")) {
      rules.probe = "uplink";
      draft_.uplink = rules.name;
    } else if (words.skip("every")) {
      rules.every = words.length();
    } else if (words.skip("hold")) {
      rules.hold = words.length();
    } else if (words.skip("needs")) {
      while (!words.done()) rules.depends_on.push_back(words.take("a check"));
    } else if (words.skip("labels")) {
      rules.labels = matcher(words).labels;
    } else if (words.skip("group")) {
      rules.group = words.take("a group");
    } else if (words.skip("was")) {
      rules.was = words.take("a name");
    } else {
      throw Misunderstood("no setting of a check: " + words.take("a setting"));
    }
  }

  void limits_of(const std::string& text) {
    const std::size_t colon = text.find(": ");
    if (colon == std::string::npos) throw Misunderstood("expected limits CHECK: { … }");
    rules_of(text.substr(0, colon)).limits = limits(text.substr(colon + 2));
  }

  // ---- what happens
  void happen(Words& words) {
    advance(words.length());
    const std::string what = words.take("what happens");
    if (what == "elapsed") return;
    if (what == "reload") return reload();
    if (what == "remove") {
      const std::string name = words.take("a check");
      std::erase_if(draft_.checks, [&](const CheckRules& rules) { return rules.name == name; });
    } else if (what == "rename") {
      CheckRules& rules = rules_of(words.take("a check"));
      rules.was = rules.name;
      words.skip("to");
      rules.name = words.take("a name");
    } else if (what == "restart") {
      restart(words);
    } else if (what == "clock") {
      jump_ += jump(words);
      step(Elapsed{});
    } else if (what == "close_window") {
      const std::string name = words.take("a window");
      std::erase_if(draft_.maintenance, [&](const Maintenance& window) { return window.name == name; });
    } else if (what == "silence") {
      step(silence(words));
    } else if (what == "unsilence") {
      unsilence(matcher(words).text());
    } else if (what == "silences") {
      show_silences();
    } else if (what == "ack") {
      acknowledge(words);
    } else if (what == "unack") {
      acknowledge(words, true);
    } else if (what == "trouble") {
      trouble(words);
    } else if (what == "recovered") {
      const std::string key = words.take("a key");
      step(SelfRecovered{key, words.take("a summary")});
    } else if (what == "stop") {
      step(Stopping{});
    } else if (what == "receiver") {
      receiver(words);
    } else if (what == "count") {
      const std::string name = words.take("a receiver");
      const Duration from = words.length(), to = words.length();
      out_ += "> " + tally_.between(name, from, to) + "; " + tally_.most(name) + "\n";
    } else if (what == "list") {
      list();
    } else if (what == "show") {
      show(words.take("a check"));
    } else if (what == "explain") {
      explain(words.take("a check"));
    } else if (what == "report") {
      report(words.take("a check"));
    } else {
      observe(what, words);
    }
  }

  void observe(const std::string& name, Words& words) {
    if (!engine_) start({});
    if (!engine_->view(name)) throw Misunderstood("no check is called " + name);
    Observed event;
    event.check = name;
    event.started = now();
    const std::string outcome = words.take("an outcome");
    if (outcome == "alternates") return alternate(name, words);
    Observation& observation = event.observation;
    if (outcome == "ok") {
      observation.summary = "fine";
      while (!words.done()) observation.samples.push_back(known(setting_, name, sample(words.take("a sample"))));
    } else {
      observation.outcome = outcome == "refused"      ? Outcome::refused
                            : outcome == "silent"     ? Outcome::refused
                            : outcome == "wrong"      ? Outcome::wrong
                            : outcome == "unmeasured" ? Outcome::unmeasured
                                                      : throw Misunderstood("no outcome: " + outcome);
      if (outcome == "silent") observation.reason = "timeout";
      if (observation.outcome == Outcome::unmeasured) observation.reason = words.take("a reason");
      observation.summary = words.done() ? outcome : words.take("a summary");
      if (words.skip("because")) observation.reason = words.take("a reason");
      if (!words.done()) observation.remedy = words.take("a remedy");
    }
    step(event);
  }

  /// NAME alternates bad 20s good 10s until 24h "summary": run as the daemon would, re-probes included, without a word.
  void alternate(const std::string& name, Words& words) {
    words.skip("bad");
    const Duration bad = words.length();
    words.skip("good");
    const Duration period = bad + words.length();
    words.skip("until");
    const Duration until = words.length();
    const std::string summary = words.take("a summary");
    const Duration begun = time_;
    reprobed_ = name;
    reprobes_ = {};
    for (Duration regular = time_; std::min(regular, next_reprobe()) < until;) {
      const Duration at = std::min(regular, next_reprobe());
      advance(at);
      if (at == regular) regular += rules_of(name).every;
      reprobes_.erase(reprobes_.begin(), reprobes_.upper_bound(at));
      Observed event;
      event.check = name;
      event.started = now();
      const bool fails = (at - begun) % period < bad;
      event.observation.outcome = fails ? Outcome::refused : Outcome::answered;
      event.observation.summary = fails ? summary : "fine";
      step(event);
    }
    reprobed_.clear();
    advance(until);
  }

  Duration next_reprobe() const { return reprobes_.empty() ? Duration::max() : *reprobes_.begin(); }

  void restart(Words& words) {
    if (words.skip("clock")) jump_ += jump(words);
    if (words.skip("after")) time_ += words.length();
    start(store_.load());
    step(Elapsed{});
  }

  void acknowledge(Words& words, bool undo = false) {
    const std::string which = words.take("a check");
    words.skip("by");
    for (const IncidentView& incident : engine_->open_incidents()) {
      if (incident.record.check == which)
        return step(Acknowledged{incident.record.id.substr(0, 6), undo ? "" : words.take("a name"), undo});
    }
    throw Misunderstood("no open incident of " + which);
  }

  void unsilence(const std::string& checks) {
    for (const SilenceView& one : engine_->silences()) {
      if (one.checks == checks) return step(SilenceRemoved{one.id.substr(0, 6)});
    }
    throw Misunderstood("no silence of " + checks);
  }

  /// What is muted, and until when, in seconds of the scenario.
  void show_silences() {
    const auto at = [&](Wall wall) { return config_duration(wall - now().wall + time_); };
    for (const SilenceView& one : engine_->silences())
      out_ += "> silence of " + one.checks + " until " + at(one.until) + " by " + one.owner + ": " + one.reason + "\n";
    for (const MaintenanceView& one : engine_->maintenance(now().wall)) {
      const std::string until = one.active ? " is on until " + at(one.active->end) : " is off";
      out_ += "> window " + one.name + until + ", next " + rfc3339(one.next.begin) + "\n";
    }
    for (const IncidentView& one : engine_->open_incidents()) {
      if (one.muted)
        out_ += "> " + one.record.check + " is muted by " + one.muted->by.substr(0, one.muted->by.find(' ')) +
                " until " + at(one.muted->until) + "\n";
    }
  }

  void trouble(Words& words) {
    SelfTrouble event;
    event.key = words.take("a key");
    event.severity = severity(words.take("a severity"));
    event.summary = words.take("a summary");
    if (words.skip("except")) event.except = words.take("a receiver");
    step(event);
  }

  /// receiver NAME takes|silent|refuses: what it does from now on.
  void receiver(Words& words) {
    const std::string name = words.take("a receiver");
    const std::string mood = words.take("takes, silent or refuses");
    silent_.erase(name);
    refusing_.erase(name);
    if (mood == "silent") silent_.insert(name);
    if (mood == "refuses") refusing_.insert(name);
    deliver();
  }

  void reload() {
    rules_ = std::make_shared<const Rules>(draft_);
    if (engine_) step(Reconfigured{rules_});
  }

  void show(const std::string& name) {
    if (!engine_) start({});
    const auto view = engine_->view(name);
    if (!view) {
      out_ += "> " + name + " does not exist\n";
      return;
    }
    out_ += "> " + name + " is " + std::string(to_string(view->verdict)) + ", settled " +
            std::string(to_string(view->settled));
    if (view->needed > 0) out_ += ", " + std::to_string(view->seen) + " of " + std::to_string(view->needed);
    out_ += ", " + std::string(view->incident.empty() ? "no incident" : "in an incident") + ": " + view->why + "\n";
  }

  void explain(const std::string& name) {
    if (!engine_) start({});
    const auto explanation = engine_->explanation(now(), name);
    if (!explanation) throw Misunderstood(explanation.failure().what);
    out_ += lines_of(*explanation);
  }

  void list() {
    for (const IncidentView& incident : engine_->open_incidents()) {
      out_ += "> open: " + std::string(to_string(incident.record.severity)) + " " + incident.record.check + ": " +
              incident.record.summary + (incident.acknowledged_by ? " (" + *incident.acknowledged_by + ")" : "") + "\n";
    }
  }

  /// The post-mortem of the latest incident of the check.
  void report(const std::string& name) {
    const IncidentRecord* latest = nullptr;
    for (const auto& [id, record] : store_.incidents()) {
      if (record.check == name && (latest == nullptr || record.opened >= latest->opened)) latest = &record;
    }
    if (latest == nullptr) throw Misunderstood(name + " has had no incident");
    const auto story = story_of(*latest, now());
    for (const std::string& line : split(report_of(*story, now().wall), '\n')) {
      if (!line.empty()) out_ += "> " + line + "\n";
    }
  }

  // ---- the shell
  Now now() const { return {Steady(std::chrono::hours(100) + time_), epoch_ + time_ + jump_}; }

  void start(Snapshot snapshot) {
    rules_ = std::make_shared<const Rules>(draft_);
    waiting_.assign(snapshot.outbox.begin(), snapshot.outbox.end());
    engine_ =
        std::make_unique<Engine>(rules_, std::move(snapshot), now(), std::array<std::uint64_t, 4>{1, 2, 3, ++starts_});
    wake_at_.reset();
  }

  /// Lets time pass as the shell would: Elapsed whenever the engine asked for it.
  void advance(Duration to) {
    if (to < time_) throw Misunderstood("time runs forward only");
    int same = 0;  // many records are written in several steps of one time
    while (engine_ && wake_at_ && *wake_at_ - Steady(std::chrono::hours(100)) <= to) {
      const Duration due = *wake_at_ - Steady(std::chrono::hours(100));
      time_ = std::max(time_, due);
      const auto before = wake_at_;
      step(Elapsed{});
      same = wake_at_ == before ? same + 1 : 0;
      if (same > 1000) throw Misunderstood("the engine asks to be woken at the same time for ever");
    }
    time_ = to;
  }

  void step(const Event& event) {
    if (!engine_) start({});
    const Effects effects = engine_->step(now(), event);
    store_.commit(effects);
    wake_at_ = effects.wake_at;
    for (const RunCheck& request : effects.requests) {
      if (request.check == reprobed_) {
        reprobes_.insert(std::max(time_, request.at - Steady(std::chrono::hours(100))));
        continue;
      }
      if (hide_runs_ || setting_) break;  // who asks what people are told does not ask when a check runs
      out_ += "> " + when() + " run " + request.check + " at " +
              config_duration(request.at - Steady(std::chrono::hours(100))) + "\n";
    }
    for (const Notification& message : effects.outbox) {
      print(message);
      tally_.note(message, time_);
      waiting_.push_back(message);
    }
    deliver();
  }

  void deliver() {
    std::vector<Notification> waiting = std::exchange(waiting_, {});
    for (const Notification& message : waiting) {
      if (withdraw(message, waiting)) continue;
      if (silent_.contains(message.id.receiver)) {
        waiting_.push_back(message);
        continue;
      }
      const bool refused = refusing_.contains(message.id.receiver);
      const Effects effects = engine_->step(now(), Delivered{message.id, !refused, refused ? "gone" : "", ""});
      store_.commit(effects);
      wake_at_ = effects.wake_at;
    }
  }

  /// As the queue does: a digest of the same incident takes the place of what has not been delivered.
  bool withdraw(const Notification& message, const std::vector<Notification>& waiting) {
    const bool gone = std::any_of(waiting.begin(), waiting.end(), [&](const Notification& later) {
      return later.kind == NotificationKind::digest && later.id.incident == message.id.incident &&
             later.id.receiver == message.id.receiver && later.id.sequence > message.id.sequence;
    });
    if (!gone) return false;
    out_ += "> " + when() + " withdrawn: " + std::string(to_string(message.kind)) + " of " + message.check + " to " +
            message.id.receiver + "\n";
    const Effects effects = engine_->step(now(), Delivered{message.id, true, "superseded", ""});
    store_.commit(effects);
    wake_at_ = effects.wake_at;
    return true;
  }

  std::string when() const { return time_ == Duration::zero() ? "0s" : config_duration(time_); }

  void print(const Notification& message) { out_ += lines_of(message, when()); }

  bool hide_runs_ = false;
  Tally tally_;
  std::optional<Setting> setting_;
  Rules draft_{.instance = "web-1", .checks = {}, .escalations = {}, .receivers = {}};
  std::shared_ptr<const Rules> rules_;
  std::unique_ptr<Engine> engine_;
  MemoryStore store_;
  std::vector<Notification> waiting_;
  std::set<std::string> silent_, refusing_;
  std::optional<Steady> wake_at_;
  std::string reprobed_;         // the check that alternates
  std::set<Duration> reprobes_;  // of it, that the engine has asked for
  Duration time_{}, jump_{};
  Wall epoch_{std::chrono::hours(24 * 365 * 55)};
  NamedHours hours_;
  std::uint64_t starts_ = 0;
  std::string out_;
};

}  // namespace

std::string run_scenario(const std::string& text, std::optional<Setting> setting) {
  return Scenario(std::move(setting)).run(text);
}

}  // namespace vitald::rehearsal
