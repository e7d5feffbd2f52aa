// `receivers:`.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/schema.hpp"
#include "config/shown.hpp"
#include "daemon/configuration_parts.hpp"

namespace vitald::daemon {
namespace {

using alerting::NotifierKind;
using config::Length;
using config::Node;
using config::Problems;
using config::Reader;
using nlohmann::ordered_json;
using namespace std::chrono_literals;

constexpr std::size_t most_receivers = 1000;

std::vector<std::string> names_of(std::span<const NotifierKind> kinds) {
  std::vector<std::string> names;
  for (const NotifierKind& kind : kinds) names.emplace_back(kind.name);
  return names;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

/// How the queue of the receiver behaves, whatever its kind.
alerting::RetryPolicy read_policy(Reader& in) {
  alerting::RetryPolicy policy;
  policy.between = in.optional("pace", Length{0s, 1h}, policy.between, "At most one message in this time");
  policy.keep =
      in.optional("keep", Length{1min, 24h * 31}, policy.keep, "How long a message that is never taken is tried");
  in.object("retry", "How to try again", [&](Reader& retry) {
    policy.first = retry.optional("first", Length{100ms, 1h}, policy.first, "Pause before the second try");
    policy.longest = retry.optional("longest", Length{100ms, 24h}, policy.longest, "The pause doubles up to this");
    if (policy.longest < policy.first) retry.problem("longest", "'longest' is shorter than 'first'");
  });
  return policy;
}

/// True when a key of `node` looks like the name of a kind; finish() says so then, and once is enough.
bool misspelt_kind(const Node& node, const std::vector<std::string>& kinds) {
  return std::any_of(node.members.begin(), node.members.end(),
                     [&](const Node::Member& member) { return !config::suggestion(member.key, kinds).empty(); });
}

std::optional<ReceiverDraft> read_receiver(const Node::Member& member, const Tables& tables, Problems& problems) {
  const auto& [name, at, node] = member;
  if (auto wrong = objection_to_name(name); !wrong.empty()) problems.error(at, std::move(wrong));
  Reader in(node, "receiver " + config::shown(name), problems);
  ReceiverDraft draft;
  draft.at = at;
  draft.plan.name = name;
  draft.plan.policy = read_policy(in);
  int kinds = 0;
  for (const NotifierKind& kind : tables.notifiers) {
    const bool there =
        in.object(kind.name, kind.title, [&](Reader& settings) { draft.plan.notifier = kind.parse(settings); });
    if (!there) continue;
    draft.plan.kind = &kind;
    ++kinds;
  }
  in.finish();
  const auto names = names_of(tables.notifiers);
  if (kinds > 1) problems.error(at, in.where() + " has several kinds; make one receiver for each");
  if (kinds == 0 && !misspelt_kind(node, names) &&
      (node.kind == Node::Kind::mapping || node.kind == Node::Kind::null)) {
    problems.error(at, in.where() + " needs one of " + joined(names));
  }
  if (kinds != 1) return std::nullopt;
  draft.secrets = in.secrets();
  return draft;
}

/// A first run shows its alerts at once.
ReceiverDraft console(const Tables& tables) {
  ReceiverDraft draft;
  draft.plan.name = "console";
  const Node nothing;
  Problems none;
  for (const NotifierKind& kind : tables.notifiers) {
    if (kind.name != "console") continue;
    Reader in(nothing, "receiver console", none);
    draft.plan.kind = &kind;
    draft.plan.notifier = kind.parse(in);
  }
  return draft;
}

}  // namespace

std::vector<ReceiverDraft> read_receivers(const Node* receivers, const Tables& tables, Problems& problems) {
  std::vector<ReceiverDraft> drafts;
  if (receivers == nullptr || receivers->kind == Node::Kind::null ||
      (receivers->kind == Node::Kind::mapping && receivers->members.empty())) {
    drafts.push_back(console(tables));
    return drafts;
  }
  if (receivers->kind != Node::Kind::mapping) {
    problems.error(receivers->at,
                   "'receivers': expected a mapping of name to receiver, found " + std::string(receivers->kind_name()));
    return drafts;
  }
  if (receivers->members.size() > most_receivers) {
    problems.error(receivers->at, "there are more than " + std::to_string(most_receivers) + " receivers");
    return drafts;
  }
  for (const Node::Member& member : receivers->members) {
    if (auto draft = read_receiver(member, tables, problems)) drafts.push_back(std::move(*draft));
  }
  return drafts;
}

std::vector<config::Option> receiver_options() {
  Reader in = Reader::describing();
  read_policy(in);
  return in.options();
}

std::vector<config::Option> kind_options(const NotifierKind& kind) {
  Reader in = Reader::describing();
  kind.parse(in);
  return in.options();
}

std::string receivers_schema(const Tables& tables) {
  Reader in = Reader::describing();
  read_policy(in);
  for (const NotifierKind& kind : tables.notifiers) {
    in.object(kind.name, kind.title, [&](Reader& settings) { kind.parse(settings); });
  }
  ordered_json receiver = ordered_json::parse(config::object_schema(in.options()));
  for (const NotifierKind& kind : tables.notifiers) {
    ordered_json& settings = receiver["properties"][std::string(kind.name)];
    if (!settings.contains("required")) settings["type"] = {"object", "null"};  // `console:` says it all
    receiver["oneOf"].push_back({{"required", {std::string(kind.name)}}});
  }
  return ordered_json{{"type", {"object", "null"}}, {"additionalProperties", std::move(receiver)}}.dump();
}

}  // namespace vitald::daemon
