// `defaults:` and `checks:`.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "config/document.hpp"
#include "config/schema.hpp"
#include "config/shown.hpp"
#include "config/trend.hpp"
#include "config/units.hpp"
#include "daemon/configuration_matcher.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

using config::Length;
using config::Node;
using config::Problems;
using config::Reader;
using nlohmann::ordered_json;
using probes::ProbeKind;
using namespace std::chrono_literals;

constexpr std::size_t most_checks = 50'000;

/// What is worked out once for a kind and used by all of its checks.
struct KindFacts {
  std::vector<SampleSpec> samples;  // `duration` included
  std::vector<Limit> default_limits;
  bool always_free = false;  // every check of the kind may name samples of its own, besides those here
};

KindFacts facts_of(const ProbeKind& kind, Problems& problems) {
  KindFacts facts;
  facts.samples.push_back(probes::duration_sample);
  facts.samples.insert(facts.samples.end(), kind.samples.begin(), kind.samples.end());
  if (kind.default_limits.empty()) return facts;
  const auto options = kind_options(kind);
  facts.always_free = std::any_of(options.begin(), options.end(), [&](const config::Option& option) {
    return option.required && option.name == kind.free_samples;
  });
  Problems own;
  const Node node = config::parse_text(kind.default_limits, "default limits of " + std::string(kind.name), own);
  auto limits = config::Limits{facts.samples, false}.read(node, own);
  problems.append(own);
  if (limits) facts.default_limits = std::move(*limits);
  return facts;
}

std::vector<std::string> names_of(std::span<const ProbeKind> kinds) {
  std::vector<std::string> names;
  for (const ProbeKind& kind : kinds) names.emplace_back(kind.name);
  return names;
}

/// A pace needs six runs in its time to be known.
void warn_of_few_points(Reader& in, const alerting::CheckRules& rules) {
  for (const Limit& limit : rules.limits) {
    if (!limit.derived || limit.derived->how != Derived::How::trend) continue;
    if (limit.derived->over >= static_cast<int>(trend_points) * rules.every) continue;
    in.warn("limits", config::shown(limit.sample) + " judges the pace of " + config_duration(limit.derived->over) +
                          ", which needs at least " + std::to_string(trend_points) + " runs; with 'every' " +
                          config_duration(rules.every) + " it never says anything");
  }
}

/// The options that every check has, whatever its probe. `samples` says what its limits may name.
void read_rules(Reader& in, const Common& defaults, const config::Limits& samples, CheckDraft& draft) {
  const Common common = read_common(in, defaults);
  draft.plan.every = common.every;
  draft.plan.timeout = common.timeout;
  draft.plan.labels = common.labels;
  auto& rules = draft.rules;
  rules.labels = common.labels;
  draft.group_by = common.group_by;
  rules.critical = common.severity.critical;
  rules.warning = common.severity.warning;
  rules.confirm = common.confirm;
  rules.recover = common.recover;
  rules.every = common.every;
  rules.limits = in.optional("limits", samples, {}, "From where on a sample is bad");
  warn_of_few_points(in, rules);
  rules.hold = in.optional("hold", Length{1s, 24h * 31}, 15min, "How long an event keeps the check bad");
  draft.needs = in.optional("depends_on", CheckMatcher{}, {},
                            "Checks that it needs: while one of them is bad, it belongs to that one's incident");
  draft.remote = in.maybe("remote", config::Boolean{},
                          "Reached over the network, so that it cannot be measured while the uplink check is bad; left "
                          "out: unless its target is this host");
  rules.runbook = in.maybe("runbook", WebAddress{}, "What to do when it is bad").value_or("");
  rules.was = in.maybe("was", config::Text{}, "The name it had before, so that a new name keeps state and incident")
                  .value_or("");
}

void add_default_limits(const KindFacts& facts, std::vector<Limit>& limits) {
  const std::size_t given = limits.size();
  for (const Limit& fallback : facts.default_limits) {
    const bool said = std::any_of(limits.begin(), limits.begin() + static_cast<std::ptrdiff_t>(given),
                                  [&](const Limit& limit) { return limit.sample == fallback.sample; });
    if (!said) limits.push_back(fallback);
  }
  limits.shrink_to_fit();
}

/// Only of what a user wrote here: a pair that comes from `defaults:` was judged there, and ours is not theirs to mend.
void warn_of_odd_times(Reader& in, const Common& common) {
  const bool spread_said = in.has("timeout") || in.has("confirm");
  const bool both_theirs = !common.timeout_is_ours && !common.confirm_is_ours;
  const auto& spread = common.confirm.spread;
  if (spread_said && both_theirs && common.confirm.failures > 1 && !spread.empty() && common.timeout > spread.front()) {
    in.warn(in.has("timeout") ? "timeout" : "confirm",
            "'timeout' (" + config_duration(common.timeout) + ") is longer than the first distance of 'confirm' (" +
                config_duration(spread.front()) + "), so a hanging target takes longer to confirm");
  }
  if ((in.has("timeout") || in.has("every")) && common.timeout > common.every) {
    in.warn(in.has("timeout") ? "timeout" : "every", "'timeout' (" + config_duration(common.timeout) +
                                                         ") is longer than 'every' (" + config_duration(common.every) +
                                                         "), so runs of a hanging target are skipped");
  }
}

class CheckReader {
 public:
  CheckReader(const Common& defaults, const Tables& tables, Problems& problems)
      : defaults_(defaults), tables_(tables), names_(names_of(tables.probes)), problems_(problems) {}

  std::optional<CheckDraft> read(const Node::Member& member) {
    const auto& [name, at, node] = member;
    if (auto wrong = objection_to_name(name); !wrong.empty()) problems_.error(at, std::move(wrong));
    if (name == "vitald")
      problems_.error(at, "the name 'vitald' is taken by vitald's own troubles; choose another one");
    Reader in(node, "check " + config::shown(name), problems_);
    CheckDraft draft;
    draft.at = at;
    draft.plan.name = draft.rules.name = name;
    const ProbeKind* kind = find_kind(node);
    if (kind == nullptr) {
      read_without_kind(in, node, draft);
      return std::nullopt;
    }
    in.required("probe", config::OneOf{names_}, "Kind of probe");
    const KindFacts& facts = facts_for(*kind);
    const bool free_samples = !kind->free_samples.empty() && in.has(kind->free_samples);
    read_rules(in, defaults_, config::Limits{facts.samples, free_samples}, draft);
    draft.plan.probe = kind->make(in);
    in.finish();
    // With a query they would be on figures that it does not ask for.
    if (!free_samples || facts.always_free) add_default_limits(facts, draft.rules.limits);
    draft.plan.kind = kind;
    draft.rules.probe = kind->name;
    draft.rules.passive = kind->passive;
    draft.rules.group = group_of(draft.group_by, draft.plan.probe->target(), draft.rules.labels);
    draft.secrets = in.secrets();
    draft.plan.fingerprint = fingerprint_of(node, draft);
    return draft;
  }

 private:
  const ProbeKind* find_kind(const Node& node) const {
    const Node* probe = node.find("probe");
    if (probe == nullptr) return nullptr;
    const auto kind = std::find_if(tables_.probes.begin(), tables_.probes.end(),
                                   [&](const ProbeKind& row) { return row.name == probe->scalar; });
    return kind == tables_.probes.end() ? nullptr : &*kind;
  }

  /// Without a kind nobody can say which further keys are right, so they are left alone; the common ones are judged.
  void read_without_kind(Reader& in, const Node& node, CheckDraft& draft) {
    if (node.kind != Node::Kind::mapping && node.kind != Node::Kind::null) return;
    const auto misspelt = std::find_if(node.members.begin(), node.members.end(), [](const Node::Member& member) {
      return member.key != "probe" && !config::suggestion(member.key, {"probe"}).empty();
    });
    if (in.has("probe")) {
      in.required("probe", config::OneOf{names_}, "Kind of probe");
    } else if (misspelt != node.members.end()) {
      problems_.error(misspelt->at, "unknown key '" + config::shown(misspelt->key) + "' in " + in.where() +
                                        "; did you mean 'probe'?");
    } else {
      std::string known;
      for (const std::string& name : names_) known += (known.empty() ? "" : ", ") + name;
      problems_.error(draft.at, in.where() + " needs 'probe': one of " + known);
    }
    read_common(in, defaults_);
  }

  const KindFacts& facts_for(const ProbeKind& kind) {
    const auto known = facts_.find(&kind);
    if (known != facts_.end()) return known->second;
    return facts_.emplace(&kind, facts_of(kind, problems_)).first->second;
  }

  const Common& defaults_;
  const Tables& tables_;
  std::vector<std::string> names_;
  Problems& problems_;
  std::map<const ProbeKind*, KindFacts> facts_;
};

/// `was` must be free: two checks cannot carry on the same history.
void judge_former_names(const std::vector<CheckDraft>& drafts, Problems& problems) {
  std::map<std::string_view, const CheckDraft*> names;
  for (const CheckDraft& draft : drafts) names.emplace(draft.plan.name, &draft);
  std::map<std::string_view, const CheckDraft*> former;
  for (const CheckDraft& draft : drafts) {
    const std::string& was = draft.rules.was;
    if (was.empty()) continue;
    if (names.contains(was)) {
      problems.error(draft.at, "'was': '" + config::shown(was) + "' is the name of a check that still exists");
    } else if (!former.emplace(was, &draft).second) {
      problems.error(draft.at, "'was': two checks say that they were '" + config::shown(was) + "'");
    }
  }
}

}  // namespace

Common read_common(Reader& in, const Common& fallback) {
  Common common;
  common.every = in.optional("every", Length{100ms, 24h * 31}, fallback.every, "How often it runs");
  common.timeout = in.optional("timeout", Length{10ms, 10min}, fallback.timeout, "How long one run may take");
  common.confirm = in.optional("confirm", Confirm{}, fallback.confirm, "What it takes to believe a bad verdict");
  common.recover = fallback.recover;
  in.object("recover", "What it takes to believe a good verdict after a bad one", [&](Reader& recover) {
    const config::Integer range{1, 20};
    common.recover.successes = static_cast<int>(
        recover.optional("successes", range, fallback.recover.successes, "Good verdicts in a row that it takes"));
  });
  common.severity = in.optional("severity", SeverityPair{}, fallback.severity, "How bad it is when it is bad");
  common.labels = in.optional("labels", UserLabels{}, {}, "Labels for metrics, routing and messages");
  common.group_by =
      in.optional("group_by", config::ListOf<config::Text>{.kind = {}, .single = true, .most = 8}, fallback.group_by,
                  "What checks share that fail together when they cannot connect: `target`, `host` or "
                  "names of labels; [] for none");
  for (const auto& label : fallback.labels) {
    const bool said = std::any_of(common.labels.begin(), common.labels.end(),
                                  [&](const auto& own) { return own.first == label.first; });
    if (!said) common.labels.push_back(label);
  }
  std::sort(common.labels.begin(), common.labels.end());
  common.timeout_is_ours = fallback.timeout_is_ours && !in.has("timeout");
  common.confirm_is_ours = fallback.confirm_is_ours && !in.has("confirm");
  warn_of_odd_times(in, common);
  return common;
}

std::vector<CheckDraft> read_checks(const Node& checks, const Common& defaults, const Tables& tables,
                                    Problems& problems) {
  std::vector<CheckDraft> drafts;
  if (checks.kind == Node::Kind::null) return drafts;
  if (checks.kind != Node::Kind::mapping) {
    problems.error(checks.at,
                   "'checks': expected a mapping of name to check, found " + std::string(checks.kind_name()));
    return drafts;
  }
  if (checks.members.size() > most_checks) {
    problems.error(checks.at, "there are more than " + std::to_string(most_checks) + " checks");
    return drafts;
  }
  drafts.reserve(checks.members.size());
  CheckReader reader(defaults, tables, problems);
  for (const Node::Member& member : checks.members) {
    if (auto draft = reader.read(member)) drafts.push_back(std::move(*draft));
  }
  judge_former_names(drafts, problems);
  resolve_dependencies(drafts, problems);
  judge_dependencies(drafts, problems);
  return drafts;
}

std::vector<config::Option> check_options() {
  Reader in = Reader::describing();
  CheckDraft draft;
  in.required("probe", config::Text{}, "Kind of probe");
  read_rules(in, Common{}, config::Limits{}, draft);
  return in.options();
}

std::vector<config::Option> kind_options(const ProbeKind& kind) {
  Reader in = Reader::describing();
  kind.make(in);
  return in.options();
}

std::string checks_schema(const Tables& tables) {
  // What a row of for_each fills in is text in the file, whatever it is afterwards: only the loader can judge it.
  ordered_json check = {{"type", "object"}, {"required", {"probe"}}};
  check["if"]["required"] = {"for_each"};
  check["then"]["properties"]["for_each"] = {
      {"type", "array"},
      {"minItems", 1},
      {"items", {{"type", "object"}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}}}};
  ordered_json kinds = ordered_json::array();
  Problems ignored;
  for (const ProbeKind& kind : tables.probes) {
    Reader in = Reader::describing();
    CheckDraft draft;
    in.required("probe", config::OneOf{{std::string(kind.name)}}, std::string(kind.title));
    const KindFacts facts = facts_of(kind, ignored);
    read_rules(in, Common{}, config::Limits{facts.samples, !kind.free_samples.empty()}, draft);
    kind.make(in);
    ordered_json row;
    row["if"] = {{"properties", {{"probe", {{"const", std::string(kind.name)}}}}}, {"required", {"probe"}}};
    row["then"] = ordered_json::parse(config::object_schema(in.options()));
    kinds.push_back(std::move(row));
  }
  check["else"]["properties"]["probe"]["enum"] = names_of(tables.probes);
  if (!kinds.empty()) check["else"]["allOf"] = std::move(kinds);
  return ordered_json{{"type", {"object", "null"}},
                      {"propertyNames", {{"pattern", "^[A-Za-z0-9._{}-]+$"}}},  // braces: a template of for_each
                      {"additionalProperties", std::move(check)}}
      .dump();
}

}  // namespace vitald::daemon
