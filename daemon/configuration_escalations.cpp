// `escalations:`, and whether every severity that a check uses reaches somebody.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "config/calendar_kinds.hpp"
#include "config/schema.hpp"
#include "config/shown.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

using alerting::Escalation;
using config::Length;
using config::Node;
using config::Problems;
using config::Reader;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr std::array severities = {Severity::p0, Severity::p1, Severity::p2, Severity::p3};
constexpr std::size_t most_steps = 20;

/// The name of a receiver that is there; the nearest one is suggested otherwise.
struct ReceiverName {
  using value_type = std::string;
  const std::vector<std::string>* known = nullptr;
  std::string type_name() const { return "receiver"; }
  std::string schema() const { return config::Text{}.schema(); }
  Result<std::string> read(const Node& node, Problems& problems) const {
    auto name = config::Text{}.read(node, problems);
    if (!name || std::find(known->begin(), known->end(), *name) != known->end()) return name;
    const std::string close = config::suggestion(*name, *known);
    return Failure{"", "there is no receiver '" + config::shown(*name) + "'" +
                           (close.empty() ? "" : "; did you mean '" + close + "'?")};
  }
  std::string dummy() const { return ""; }
  std::string show(const std::string& name) const { return name; }
};

/// The name of hours that are there.
struct HoursName {
  using value_type = std::optional<Hours>;
  const NamedHours* known = nullptr;
  std::string type_name() const { return "name of hours"; }
  std::string schema() const { return config::Text{}.schema(); }
  Result<value_type> read(const Node& node, Problems& problems) const {
    const auto name = config::Text{}.read(node, problems);
    if (!name) return name.failure();
    const auto found = known->find(*name);
    if (found != known->end()) return value_type(found->second);
    std::vector<std::string> names;
    for (const auto& [other, hours] : *known) names.push_back(other);
    const std::string close = config::suggestion(*name, names);
    return Failure{"", "there are no hours '" + config::shown(*name) + "'" +
                           (close.empty() ? "" : "; did you mean '" + close + "'?")};
  }
  value_type dummy() const { return std::nullopt; }
  std::string show(const value_type&) const { return ""; }
};

/// `daily`, which is at nine in the morning, or a calendar.
struct DigestTime {
  using value_type = Cron;
  static Cron daily() { return *Cron::parse("0 9 * * *"); }
  std::string type_name() const { return "`daily` or cron expression"; }
  std::string schema() const { return R"({"anyOf":[{"const":"daily"},)" + config::CronText{}.schema() + "]}"; }
  Result<Cron> read(const Node& node, Problems& problems) const {
    if (node.kind == Node::Kind::scalar && node.scalar == "daily") return daily();
    auto when = config::CronText{}.read(node, problems);
    if (when) return when;
    return Failure{"", when.failure().what + "; or write 'daily' for nine in the morning"};
  }
  Cron dummy() const { return daily(); }
  std::string show(const Cron& when) const { return when.text(); }
};

struct Step {
  std::vector<std::string> notify;
  std::optional<Duration> after;
  bool unless_acknowledged = false;
  std::optional<Duration> remind;
  int at_most = Escalation::reminders_most;
  std::optional<Hours> during, outside;
  std::optional<Cron> digest;
  TimeZone zone;
};

Step parse_step(Reader& in, const std::vector<std::string>& receivers, const NamedHours& hours) {
  const config::ListOf<ReceiverName> names{{&receivers}, true};
  Step step;
  step.notify = in.optional("notify", names, {}, "Receivers to tell");
  step.after = in.maybe("after", Length{1s, 24h * 31}, "Only when it is still open then; left out: at once");
  step.unless_acknowledged =
      in.maybe("unless", config::OneOf{{"acknowledged"}}, "Not when somebody took it").has_value();
  step.remind =
      in.maybe("remind", Length{1s, 24h * 31}, "Tell everybody again this often, until it is acknowledged or over");
  step.at_most = static_cast<int>(in.optional("at_most", config::Integer{1, 10'000}, Escalation::reminders_most,
                                              "With 'remind': no more often than this"));
  step.during = in.optional("during", HoursName{&hours}, std::nullopt,
                            "Only in these hours: a step waits until they begin, a reminder is left out");
  step.outside =
      in.optional("outside", HoursName{&hours}, std::nullopt, "Only outside of these hours, in the same way");
  step.digest = in.maybe("digest", DigestTime{},
                         "One message then for all that is open and all that came and went, instead of one for each");
  step.zone = in.maybe("timezone", config::ZoneName{}, "Time zone of 'digest'; left out: UTC").value_or(TimeZone());
  return step;
}

std::optional<alerting::StepHours> hours_of(const Step& step, Reader& in) {
  if (in.has("during") && in.has("outside")) in.problem("outside", "'during' and 'outside' exclude each other");
  if (step.during) return alerting::StepHours{*step.during, false};
  if (step.outside) return alerting::StepHours{*step.outside, true};
  return std::nullopt;
}

/// A step with `digest` has receivers and nothing else.
void add_digest(const Step& step, Reader& in, Escalation& escalation) {
  if (in.has("after") || in.has("unless") || in.has("remind") || in.has("during") || in.has("outside"))
    in.problem("", "'digest' stands in a step of its own: { digest: daily, notify: [ … ] }");
  if (!in.has("notify")) in.problem("", "'digest' needs 'notify': the receivers of it");
  if (!step.notify.empty()) escalation.digests.push_back({*step.digest, step.zone, step.notify});
}

void add_step(const Step& step, Reader& in, Escalation& escalation) {
  const bool tells = in.has("notify");
  const auto hours = hours_of(step, in);
  if (in.has("at_most") && !in.has("remind")) in.problem("at_most", "'at_most' is possible with 'remind' only");
  if (step.remind) {
    if (tells || in.has("after") || in.has("unless") || in.has("digest"))
      in.problem("", "'remind' stands in a step of its own: { remind: 30m }");
    if (escalation.remind) in.problem("remind", "'remind' stands twice");
    escalation.remind = step.remind;
    escalation.remind_at_most = step.at_most;
    escalation.remind_hours = hours;
    return;
  }
  if (std::set(step.notify.begin(), step.notify.end()).size() < step.notify.size()) {
    in.problem("notify", "'notify': the same receiver stands twice");
  }
  if (step.digest) return add_digest(step, in, escalation);
  if (in.has("digest")) return;  // wrong, and named
  if (in.has("timezone")) in.problem("timezone", "'timezone' is that of a 'digest', and there is none in this step");
  if (!tells && !in.has("remind")) in.problem("", "a step needs 'notify: [ … ]' or 'remind: 30m'");
  if (step.unless_acknowledged && !in.has("after")) {
    in.problem("unless", "'unless' needs 'after': at once nobody can have acknowledged it");
  }
  const Duration after = step.after.value_or(Duration::zero());
  if (!escalation.steps.empty() && after < escalation.steps.back().after) {
    in.problem("after", "the steps have to stand in the order of their time");
  }
  if (!step.notify.empty()) escalation.steps.push_back({after, step.unless_acknowledged, step.notify, hours});
}

std::array<bool, 4> mentioned(const Node* escalations) {
  std::array<bool, 4> there{};
  for (std::size_t i = 0; i < there.size() && escalations != nullptr; ++i) {
    there[i] = escalations->find(to_string(severities[i])) != nullptr;
  }
  return there;
}

bool can_warn(const alerting::CheckRules& rules) {
  return std::any_of(rules.limits.begin(), rules.limits.end(),
                     [](const Limit& limit) { return limit.warning || limit.missing == Status::warning; });
}

/// Whether some route tells somebody of it.
bool routed(const EscalationNeeds& needs, std::string_view check, const Labels& labels, std::size_t severity) {
  return std::any_of(needs.routes.begin(), needs.routes.end(), [&](const alerting::Route& route) {
    return route.escalations[severity] && route.checks.fits(check, labels);
  });
}

/// Every severity in use has to reach somebody.
void judge_coverage(const std::array<bool, 4>& covered, const EscalationNeeds& needs, const config::Position& at,
                    Problems& problems) {
  std::array<bool, 4> used{};
  const auto judge = [&](Severity severity, std::string_view verdict, const CheckDraft& draft) {
    const auto index = static_cast<std::size_t>(severity);
    const std::string word(to_string(severity));
    if (covered[index] || routed(needs, draft.rules.name, draft.rules.labels, index)) return;
    if (!used[index]) {
      problems.error(draft.at, "a " + std::string(verdict) + " verdict of check " + config::shown(draft.plan.name) +
                                   " is " + word + ", which no escalation covers; add '" + word + ": [ { notify: [ " +
                                   needs.receivers.front() + " ] } ]' to 'escalations'");
    }
    used[index] = true;
  };
  for (const CheckDraft& draft : needs.checks) {
    judge(draft.rules.critical, "critical", draft);
    if (can_warn(draft.rules)) judge(draft.rules.warning, "warning", draft);
  }
  if (!covered[2] && !used[2] && !routed(needs, "vitald", {}, 2)) {
    problems.warn(at, "no escalation covers P2, so nobody is told when vitald itself cannot measure");
  }
}

void judge_use(const std::array<Escalation, 4>& all, const EscalationNeeds& needs, const config::Position& at,
               Problems& problems) {
  std::set<std::string> used;
  const auto use = [&](const Escalation& escalation) {
    for (const auto& step : escalation.steps) used.insert(step.notify.begin(), step.notify.end());
    for (const auto& step : escalation.digests) used.insert(step.notify.begin(), step.notify.end());
  };
  for (const Escalation& escalation : all) use(escalation);
  for (const alerting::Route& route : needs.routes) {
    for (const auto& escalation : route.escalations) {
      if (escalation) use(*escalation);
    }
  }
  for (const std::string& name : needs.receivers) {
    if (!used.contains(name)) problems.warn(at, "no escalation uses the receiver '" + name + "'");
  }
}

void explain_missing(const EscalationNeeds& needs, Problems& problems) {
  const std::string step = "[ { notify: [ " + needs.receivers.front() + " ] } ]";
  problems.error(needs.at,
                 "there are receivers, but no 'escalations' say who is told of what; write for example: "
                 "escalations: { P0: " +
                     step + ", P1: " + step + ", P2: " + step + ", P3: " + step + " }");
}

}  // namespace

Escalation read_steps(const Node& steps, const std::string& severity, const EscalationNeeds& needs,
                      Problems& problems) {
  Escalation escalation;
  if (steps.kind != Node::Kind::sequence) {
    problems.error(steps.at, "'" + severity + "': expected a list of steps such as [ { notify: [ ops ] } ], found " +
                                 std::string(steps.kind_name()));
    return escalation;
  }
  if (steps.items.size() > most_steps) problems.error(steps.at, "'" + severity + "' has more than 20 steps");
  for (const Node& item : steps.items) {
    Reader in(item, "escalation " + severity, problems);
    const Step step = parse_step(in, needs.receivers, needs.hours);
    in.finish();
    if (item.kind == Node::Kind::mapping) add_step(step, in, escalation);
  }
  return escalation;
}

std::array<Escalation, 4> read_escalations(const Node* escalations, const EscalationNeeds& needs, Problems& problems) {
  std::array<Escalation, 4> all;
  const bool absent = escalations == nullptr || escalations->kind == Node::Kind::null;
  if (!absent && escalations->kind != Node::Kind::mapping) {
    problems.error(escalations->at,
                   "'escalations': expected a mapping of P0 to P3, found " + std::string(escalations->kind_name()));
    return all;
  }
  if (needs.receivers.empty()) return all;  // they are wrong, and have been named
  if (!absent) {
    Reader in(*escalations, "escalations", problems);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string severity(to_string(severities[i]));
      const Node* steps = in.maybe(severity, Raw{"list of steps", {}}, "Who is told of it").value_or(nullptr);
      if (steps != nullptr) all[i] = read_steps(*steps, severity, needs, problems);
    }
    in.finish();
  }
  if (needs.from_file) {
    if (absent && needs.routes.empty()) {
      explain_missing(needs, problems);
    } else {
      const config::Position& at = absent ? needs.at : escalations->at;
      judge_coverage(absent ? std::array<bool, 4>{} : mentioned(escalations), needs, at, problems);
      judge_use(all, needs, at, problems);
    }
    return all;
  }
  for (Escalation& escalation : all) {
    if (escalation.steps.empty()) escalation.steps.push_back({Duration::zero(), false, needs.receivers});
  }
  return all;
}

std::vector<config::Option> escalation_options() {
  Reader in = Reader::describing();
  parse_step(in, {}, {});
  return in.options();
}

std::string escalations_schema() {
  ordered_json schema = {{"type", {"object", "null"}}, {"additionalProperties", false}};
  const ordered_json step = ordered_json::parse(config::object_schema(escalation_options()));
  for (const Severity severity : severities) {
    schema["properties"][std::string(to_string(severity))] = {
        {"type", "array"}, {"maxItems", most_steps}, {"items", step}};
  }
  return schema.dump();
}

}  // namespace vitald::daemon
