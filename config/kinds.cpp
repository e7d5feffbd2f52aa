#include "config/kinds.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "config/limit_grammar.hpp"
#include "config/reader.hpp"
#include "config/shown.hpp"

namespace vitald::config {
namespace {

using nlohmann::ordered_json;

/// "expected WHAT, found 'soon'" or "…, found a list".
Failure expected(const std::string& what, const Node& node) {
  if (node.kind == Node::Kind::scalar) return {"", "expected " + what + but_found(node.scalar)};
  return {"", "expected " + what + ", found " + std::string(node.kind_name())};
}

Failure adopted(const std::string& what, const Node& node, const Failure& failure) {
  return node.kind == Node::Kind::scalar ? failure : expected(what, node);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_text_control(char c) { return is_control(c) && c != '\n' && c != '\r' && c != '\t'; }

template <class Holds>
bool any(const std::string& text, Holds holds) {
  return std::any_of(text.begin(), text.end(), holds);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

Failure one_of(const std::vector<std::string>& words, const Node& node) {
  Failure failure = expected(joined(words), node);
  if (node.kind != Node::Kind::scalar) return failure;
  if (const std::string close = suggestion(node.scalar, words); !close.empty()) {
    failure.what += "; did you mean '" + close + "'?";
  }
  return failure;
}

/// What an unquoted word may be to YAML: an editor's parser sees 1.2 as a number and true as a boolean.
void add_word(ordered_json& list, const std::string& word) {
  list.push_back(word);
  const auto plain = ordered_json::parse(word, nullptr, false);
  if (plain.is_number() || plain.is_boolean()) list.push_back(plain);
}

}  // namespace

std::string Text::type_name() const { return "text"; }
std::string Text::schema() const {
  // YAML reads `app: 123` as a number; here it is the text "123".
  ordered_json schema = {{"type", {"string", "number", "boolean"}}, {"maxLength", longest}};
  if (!may_be_empty) schema["minLength"] = 1;
  return schema.dump();
}
Result<std::string> Text::read(const Node& node, Problems&) const {
  if (node.kind != Node::Kind::scalar) return expected(type_name(), node);
  if (node.scalar.empty() && !may_be_empty) return Failure{"", "expected text, found an empty one"};
  if (node.scalar.size() > longest) {
    return Failure{"", "expected text of at most " + std::to_string(longest) + " bytes, found " +
                           std::to_string(node.scalar.size())};
  }
  if (any(node.scalar, is_text_control)) return Failure{"", "control characters are not possible here"};
  return node.scalar;
}
std::string Text::dummy() const { return ""; }
std::string Text::show(const std::string& value) const { return value; }

std::string Boolean::type_name() const { return "true or false"; }
std::string Boolean::schema() const { return R"({"type":"boolean"})"; }
Result<bool> Boolean::read(const Node& node, Problems&) const {
  const bool plain = node.kind == Node::Kind::scalar && !node.quoted;
  if (plain && node.scalar == "true") return true;
  if (plain && node.scalar == "false") return false;
  return expected("true or false", node);
}
bool Boolean::dummy() const { return false; }
std::string Boolean::show(const bool& value) const { return value ? "true" : "false"; }

std::string Integer::type_name() const { return "number"; }
std::string Integer::schema() const {
  ordered_json schema = {{"type", "integer"}, {"minimum", smallest}};
  if (largest != INT64_MAX) schema["maximum"] = largest;
  return schema.dump();
}
Result<std::int64_t> Integer::read(const Node& node, Problems&) const {
  const std::string range = largest == INT64_MAX
                                ? "from " + std::to_string(smallest)
                                : "from " + std::to_string(smallest) + " to " + std::to_string(largest);
  const Failure wrong = expected("a whole number " + range, node);
  if (node.kind != Node::Kind::scalar) return wrong;
  if (node.quoted) return Failure{"", "expected a whole number " + range + " without quotes" + but_found(node.scalar)};
  std::int64_t value = 0;
  const char* end = node.scalar.data() + node.scalar.size();
  const auto parsed = std::from_chars(node.scalar.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value < smallest || value > largest) return wrong;
  return value;
}
std::int64_t Integer::dummy() const { return smallest; }
std::string Integer::show(const std::int64_t& value) const { return std::to_string(value); }

std::string Length::type_name() const { return "duration"; }
std::string Length::schema() const {
  return R"({"type":"string","pattern":"^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h|d|w))+$"})";
}
Result<Duration> Length::read(const Node& node, Problems&) const {
  auto value = parse_duration(node.scalar);
  if (!value) return adopted("a duration such as 30s", node, value.failure());
  if (*value < shortest || *value > longest) {
    return expected("a duration from " + config_duration(shortest) + " to " + config_duration(longest), node);
  }
  return value;
}
Duration Length::dummy() const { return shortest; }
std::string Length::show(const Duration& value) const { return config_duration(value); }

std::string Bytes::type_name() const { return "size"; }
std::string Bytes::schema() const {
  return R"({"type":"string","pattern":"^[0-9]+([.][0-9]+)?(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$"})";
}
Result<std::uint64_t> Bytes::read(const Node& node, Problems&) const {
  auto value = parse_bytes(node.scalar);
  if (!value) return adopted("a size such as 10GiB", node, value.failure());
  return value;
}
std::uint64_t Bytes::dummy() const { return 0; }
std::string Bytes::show(const std::uint64_t& value) const {
  constexpr std::string_view units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::uint64_t amount = value;
  std::size_t unit = 0;
  while (unit + 1 < std::size(units) && amount >= 1024 && amount % 1024 == 0) {
    amount /= 1024;
    ++unit;
  }
  return std::to_string(amount) + std::string(units[unit]);
}

std::string OneOf::type_name() const { return joined(words); }
std::string OneOf::schema() const {
  ordered_json list = ordered_json::array();
  for (const std::string& word : words) add_word(list, word);
  return ordered_json{{"enum", list}}.dump();
}
Result<std::string> OneOf::read(const Node& node, Problems&) const {
  const bool known =
      node.kind == Node::Kind::scalar && std::find(words.begin(), words.end(), node.scalar) != words.end();
  if (!known) return one_of(words, node);
  return node.scalar;
}
std::string OneOf::dummy() const { return words.front(); }
std::string OneOf::show(const std::string& value) const { return value; }

std::string TextMap::type_name() const { return "mapping of text"; }
std::string TextMap::schema() const {
  return R"({"type":"object","additionalProperties":{"type":["string","number","boolean"]},"maxProperties":)" +
         std::to_string(most) + "}";
}
Result<TextMap::value_type> TextMap::read(const Node& node, Problems& problems) const {
  if (node.kind != Node::Kind::mapping) return expected("a mapping of names to text", node);
  if (node.members.size() > most) return Failure{"", "has more than " + std::to_string(most) + " entries"};
  value_type values;
  for (const auto& [key, at, value] : node.members) {
    if (any(key, is_control)) problems.error(at, "control characters are not possible in a name");
    if (value.kind != Node::Kind::scalar) {
      problems.error(value.at, "'" + shown(key) + "': expected text, found " + std::string(value.kind_name()));
    } else if (any(value.scalar, is_control)) {
      problems.error(value.at, "'" + shown(key) + "': line breaks and control characters are not possible here");
    }
    values.emplace_back(key, value.scalar);
  }
  if (problems.any_error()) return Failure{"", "has wrong entries"};
  return values;
}
TextMap::value_type TextMap::dummy() const { return {}; }
std::string TextMap::show(const value_type& value) const {
  std::string text;
  for (const auto& [name, entry] : value) text += (text.empty() ? "{ " : ", ") + name + ": " + entry;
  return text.empty() ? "{}" : text + " }";
}

std::string SeverityWord::type_name() const { return "P0, P1, P2 or P3"; }
std::string SeverityWord::schema() const { return R"({"enum":["P0","P1","P2","P3"]})"; }
Result<Severity> SeverityWord::read(const Node& node, Problems&) const {
  for (const Severity severity : {Severity::p0, Severity::p1, Severity::p2, Severity::p3}) {
    if (node.kind == Node::Kind::scalar && node.scalar == to_string(severity)) return severity;
  }
  return one_of({"P0", "P1", "P2", "P3"}, node);
}
Severity SeverityWord::dummy() const { return Severity::p2; }
std::string SeverityWord::show(const Severity& value) const { return std::string(to_string(value)); }

std::string Limits::type_name() const { return "mapping of sample to limit"; }
std::string Limits::schema() const {
  ordered_json properties = ordered_json::object();
  for (const SampleSpec& sample : samples) {
    properties[std::string(sample.name)] = ordered_json::parse(limit_schema(sample));
  }
  ordered_json schema = {{"type", "object"}, {"properties", properties}};
  for (const auto& [pattern, how] : {std::pair(" / ", Derived::How::ratio), {" reaches ", Derived::How::trend}})
    schema["patternProperties"][pattern] = ordered_json::parse(limit_schema(spec_of({.how = how}, ""), how));
  const ordered_json column = ordered_json::parse(limit_schema(SampleSpec{"column"}));
  schema["additionalProperties"] = free_names ? column : ordered_json(false);
  return schema.dump();
}
Result<std::vector<Limit>> Limits::read(const Node& node, Problems& problems) const {
  if (node.kind != Node::Kind::mapping) return expected("a mapping such as { duration: { warning: 200ms } }", node);
  if (node.members.size() > most_limits)
    return Failure{"", "has more than " + std::to_string(most_limits) + " entries"};
  std::vector<Limit> limits;
  std::vector<std::string> names;
  for (const SampleSpec& sample : samples) names.emplace_back(sample.name);
  for (const Node::Member& member : node.members) {
    const auto& [key, at, value] = member;
    const auto spec =
        std::find_if(samples.begin(), samples.end(), [&](const SampleSpec& row) { return row.name == member.key; });
    if (spec != samples.end()) {
      limits.push_back(read_limit(value, *spec, problems));
    } else if (const auto derived = parse_derived(member, samples, free_names, problems)) {
      limits.push_back(read_limit(value, spec_of(*derived, key), *derived, problems));
    } else if (free_names) {
      limits.push_back(read_limit(value, SampleSpec{key}, problems));
    } else {
      const std::string close = suggestion(key, names);
      problems.error(at, "unknown sample '" + shown(key) + "'; " +
                             (close.empty() ? "possible are: " + joined(names) : "did you mean '" + close + "'?"));
    }
  }
  if (problems.any_error()) return Failure{"", "has wrong entries"};
  return limits;
}
std::vector<Limit> Limits::dummy() const { return {}; }
std::string Limits::show(const value_type& value) const {
  std::string text;
  for (const Limit& limit : value) text += (text.empty() ? "{ " : ", ") + limit.sample + ": " + show_limit(limit);
  return text.empty() ? "{}" : text + " }";
}

}  // namespace vitald::config
