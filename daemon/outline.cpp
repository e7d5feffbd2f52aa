#include "daemon/outline.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <tuple>

#include "config/units.hpp"
#include "daemon/api.hpp"
#include "daemon/configuration_kinds.hpp"

namespace vitald::daemon {
namespace {

using config::Node;
using nlohmann::json;

constexpr std::size_t largest = 256u << 20;
constexpr std::string_view hidden = "(a secret)";

/// Where secrets stand that are written out; a reference such as {file: …} may be seen. They are found by place: a row
/// of for_each is a copy that stands where its template does.
using Places = std::set<std::tuple<std::string, int, int>>;

std::tuple<std::string, int, int> place(const config::Position& at) {
  return {at.file ? *at.file : std::string(), at.line, at.column};
}

template <class Drafts>
void add_secrets(Places& places, const Drafts& drafts) {
  for (const auto& draft : drafts) {
    for (const auto& [at, secret] : draft.secrets) {
      if (secret.source() == Secret::Source::plain) places.insert(place(at));
    }
  }
}

/// A header that people write into the file although it is a secret: no kind of value knows that it is one.
bool looks_secret(std::string_view header) {
  constexpr std::array<std::string_view, 6> words = {"auth", "cookie", "key", "password", "secret", "token"};
  std::string lower(header);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::any_of(words.begin(), words.end(), [&](auto word) { return lower.find(word) != std::string::npos; });
}

/// As one would write it on one line. Quotes and the order of keys mean nothing, so they make no difference here.
class Flow {
 public:
  explicit Flow(const Places& secrets) : secrets_(secrets) {}

  std::string text(const Node& node, std::string_view key) const {
    if (node.kind != Node::Kind::scalar) return collection(node, key == "headers");
    return secrets_.contains(place(node.at)) ? std::string(hidden) : node.scalar;
  }

 private:
  std::string collection(const Node& node, bool headers) const {
    std::vector<std::string> parts;
    for (const Node& item : node.items) parts.push_back(inner(item, ""));
    const bool variables = secrets_.contains(place(node.at));  // the environment of a program
    for (const auto& [key, at, value] : node.members) {
      const bool hide = value.kind == Node::Kind::scalar && (variables || (headers && looks_secret(key)));
      parts.push_back(atom(key) + ": " + (hide ? std::string(hidden) : inner(value, key)));
    }
    if (node.kind == Node::Kind::mapping) std::sort(parts.begin(), parts.end());
    std::string text;
    for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
    if (node.kind == Node::Kind::sequence) return "[" + text + "]";
    return node.kind == Node::Kind::mapping ? "{" + text + "}" : "";
  }

  std::string inner(const Node& node, std::string_view key) const {
    const std::string said = text(node, key);
    return node.kind == Node::Kind::scalar && said != hidden ? atom(said) : said;
  }

  /// In quotes where it could be taken for several things.
  static std::string atom(const std::string& text) {
    return text.empty() || text.find_first_of(",[]{}\"\n") != std::string::npos ? dump(text) : text;
  }

  const Places& secrets_;
};

using Options = std::map<std::string, std::string>;

Options options_of(const Node& node, const Flow& flow) {
  Options options;
  for (const auto& [key, at, value] : node.members) options[key] = flow.text(value, key);
  return options;
}

void add_effective(Options& options, const CheckDraft& draft) {
  const alerting::CheckRules& rules = draft.rules;
  options["every"] = config_duration(draft.plan.every);
  options["timeout"] = config_duration(draft.plan.timeout);
  options["confirm"] = Confirm{}.show(rules.confirm);
  options["recover"] = "{ successes: " + std::to_string(rules.recover.successes) + " }";
  options["severity"] = SeverityPair{}.show({rules.critical, rules.warning});
  if (!rules.limits.empty()) options["limits"] = config::Limits{}.show(rules.limits);
  Labels labels = rules.labels;
  std::sort(labels.begin(), labels.end());
  if (!labels.empty()) options["labels"] = config::TextMap{}.show(labels);
  std::string groups;
  for (const std::string& group : draft.group_by) groups += (groups.empty() ? "" : ", ") + group;
  options["group_by"] = "[" + groups + "]";
  if (!rules.was.empty()) options["was"] = rules.was;
}

/// What one line is called in a list of mappings: its name, or its number.
std::string entry_name(const Node& entry, std::size_t number) {
  const Node* name = entry.find("name");
  return name != nullptr && name->kind == Node::Kind::scalar ? name->scalar : std::to_string(number + 1);
}

/// All but the parts that have lines of their own, and `defaults`, which every check shows that they apply to.
Options settings_of(const Node& root, const Flow& flow) {
  constexpr std::array<std::string_view, 5> apart = {"checks", "defaults", "escalations", "include", "receivers"};
  Options settings;
  for (const auto& [key, at, value] : root.members) {
    if (std::find(apart.begin(), apart.end(), key) != apart.end()) continue;
    const bool entries =
        !value.items.empty() && std::all_of(value.items.begin(), value.items.end(),
                                            [](const Node& item) { return item.kind == Node::Kind::mapping; });
    if (value.kind == Node::Kind::mapping) {
      for (const auto& [name, option] : options_of(value, flow)) settings[std::string(key).append(".") + name] = option;
    } else if (entries) {
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        const std::string name = entry_name(value.items[i], i);
        settings[std::string(key).append(" ") + name] = flow.text(value.items[i], "");
      }
    } else {
      settings[key] = flow.text(value, key);
    }
  }
  return settings;
}

/// Written piece by piece: a tree of it would leave holes in the heap of a daemon that runs for months.
void put(std::string& out, std::string_view part, const std::string& name, const Options& options) {
  out += R"({"part":")" + std::string(part) + R"(","name":)" + dump(name) + R"(,"options":{)";
  for (const auto& [key, text] : options) out += (out.back() == '{' ? "" : ",") + dump(key) + ":" + dump(text);
  out += "}}\n";
}

const Node& part(const Node& root, std::string_view key, const Node& nothing) {
  const Node* found = root.find(key);
  return found == nullptr ? nothing : *found;
}

using Written = std::map<std::string_view, const Node*>;

Written written(const Node& node) {
  Written members;
  for (const auto& [key, at, value] : node.members) members[key] = &value;
  return members;
}

/// One line for each draft, whether or not it stands in the file: without `receivers` there is `console`.
template <class Drafts, class Finish>
void put_drafts(std::string& out, std::string_view name, const Written& members, const Flow& flow, const Drafts& drafts,
                Finish finish) {
  for (const auto& draft : drafts) {
    const auto found = members.find(draft.plan.name);
    Options options = found == members.end() ? Options{} : options_of(*found->second, flow);
    finish(options, draft);
    put(out, name, draft.plan.name, options);
  }
}

}  // namespace

std::string outline_of(const Node& root, std::span<const CheckDraft> checks, std::span<const ReceiverDraft> receivers) {
  Places secrets;
  add_secrets(secrets, checks);
  add_secrets(secrets, receivers);
  const Flow flow(secrets);
  const Node nothing;
  std::string out;
  put_drafts(out, "checks", written(part(root, "checks", nothing)), flow, checks, add_effective);
  put_drafts(out, "receivers", written(part(root, "receivers", nothing)), flow, receivers,
             [](Options&, const ReceiverDraft&) {});
  put(out, "general", "escalations", options_of(part(root, "escalations", nothing), flow));
  put(out, "general", "settings", settings_of(root, flow));
  return out;
}

void add_to_outline(json& outline, const json& line) {
  if (!line.is_object()) return;
  const auto part = line.find("part"), name = line.find("name"), options = line.find("options");
  if (part == line.end() || name == line.end() || options == line.end()) return;
  if (part->is_string() && name->is_string() && options->is_object())
    outline[part->get_ref<const std::string&>()][name->get_ref<const std::string&>()] = *options;
}

json parse_outline(const std::string& lines) {
  json outline = json::object();
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    add_to_outline(outline, json::parse(lines.substr(at, end - at), nullptr, false));
    at = end + 1;
  }
  return outline;
}

std::string pack_outline(const std::string& lines) {
  uLongf length = compressBound(static_cast<uLong>(lines.size()));
  std::string packed(sizeof(std::uint64_t) + length, '\0');
  const std::uint64_t whole = lines.size();
  std::memcpy(packed.data(), &whole, sizeof(whole));
  auto* to = reinterpret_cast<Bytef*>(packed.data() + sizeof(whole));
  const auto* from = reinterpret_cast<const Bytef*>(lines.data());
  if (compress2(to, &length, from, static_cast<uLong>(whole), Z_BEST_SPEED) != Z_OK) return "";
  packed.resize(sizeof(whole) + length);
  packed.shrink_to_fit();
  return packed;
}

std::string unpack_outline(const std::string& packed) {
  std::uint64_t whole = 0;
  if (packed.size() < sizeof(whole)) return "";
  std::memcpy(&whole, packed.data(), sizeof(whole));
  if (whole > largest) return "";
  std::string lines(whole, '\0');
  uLongf length = static_cast<uLongf>(whole);
  const auto* from = reinterpret_cast<const Bytef*>(packed.data() + sizeof(whole));
  const auto left = static_cast<uLong>(packed.size() - sizeof(whole));
  const int how = uncompress(reinterpret_cast<Bytef*>(lines.data()), &length, from, left);
  return how == Z_OK && length == whole ? lines : "";
}

}  // namespace vitald::daemon
