#include "probes/http_options.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "config/units.hpp"

namespace vitald::probes::http {
namespace {

using config::Node;
using config::Problems;

constexpr std::size_t most_expectations = 64;

Failure expected(const std::string& what, const Node& node) {
  if (node.kind != Node::Kind::scalar) return {"", "expected " + what + ", found " + std::string(node.kind_name())};
  return {"", "expected " + what + ", found '" + node.scalar.substr(0, 80) + "'"};
}

/// "200" or "2xx".
std::optional<std::pair<int, int>> parse_statuses(std::string_view text) {
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return std::nullopt;
  if (text.substr(1) == "xx" || text.substr(1) == "XX")
    return std::pair((text[0] - '0') * 100, (text[0] - '0') * 100 + 99);
  int status = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return std::pair(status, status);
}

JsonValue literal(const Node& node) {
  if (node.kind == Node::Kind::null) return {.kind = JsonValue::Kind::null};
  if (!node.quoted) {
    if (node.scalar == "null" || node.scalar == "~") return {.kind = JsonValue::Kind::null};
    if (node.scalar == "true" || node.scalar == "false") {
      return {.kind = JsonValue::Kind::boolean, .truth = node.scalar == "true"};
    }
    if (const auto number = parse_number(node.scalar)) {
      const bool whole = node.scalar.find_first_not_of("-0123456789") == std::string::npos;
      return {.kind = JsonValue::Kind::number, .number = *number, .text = whole ? node.scalar : ""};
    }
  }
  return {.kind = JsonValue::Kind::text, .text = node.scalar};
}

/// { matches: … } or { present: … }
Result<Expectation> read_rule(Expectation expectation, const Node& node, Problems& problems) {
  const Failure wrong{"", "expected a value, { matches: pattern } or { present: true } for '" + expectation.name + "'"};
  if (node.kind != Node::Kind::mapping || node.members.size() != 1) return wrong;
  const auto& member = node.members.front();
  if (member.key == "matches") {
    auto pattern = Pattern{}.read(member.value, problems);
    if (!pattern) return Failure{"", "'matches' of '" + expectation.name + "': " + pattern.failure().what};
    expectation.rule = Expectation::Rule::matches;
    expectation.pattern = std::move(*pattern);
    return expectation;
  }
  if (member.key != "present") return wrong;
  const auto present = config::Boolean{}.read(member.value, problems);
  if (!present) return wrong;
  expectation.rule = *present ? Expectation::Rule::present : Expectation::Rule::absent;
  return expectation;
}

Result<Expectation> read_expectation(const Node::Member& member, bool json, Problems& problems) {
  Expectation expectation{.name = member.key};
  if (json) {
    auto path = parse_json_path(member.key);
    if (!path) return path.failure();
    expectation.path = std::move(*path);
  } else if (!is_header_name(member.key)) {
    return Failure{"", "'" + member.key.substr(0, 80) + "' is no name of a header"};
  }
  const bool scalar = member.value.kind == Node::Kind::scalar || (json && member.value.kind == Node::Kind::null);
  if (!scalar) return read_rule(std::move(expectation), member.value, problems);
  expectation.rule = Expectation::Rule::equals;
  expectation.value = literal(member.value);
  expectation.text = member.value.scalar;
  return expectation;
}

}  // namespace

bool is_header_name(std::string_view name) {
  return !name.empty() && name.find_first_of(" \t\r\n:()<>@,;\\\"/[]?={}") == std::string_view::npos;
}

bool StatusSet::holds(int status) const {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return range.first <= status && status <= range.second; });
}

std::string Statuses::type_name() const { return "status such as 200 or 2xx, or a list"; }
std::string Statuses::schema() const {
  const std::string number = R"({"type":"integer","minimum":100,"maximum":599})";
  const std::string word = R"x({"type":"string","pattern":"^[1-5]([0-9]{2}|xx|XX)$"})x";
  const std::string one = R"({"anyOf":[)" + number + "," + word + "]}";
  return R"({"anyOf":[)" + one + R"(,{"type":"array","minItems":1,"maxItems":32,"items":)" + one + "}]}";
}
Result<StatusSet> Statuses::read(const Node& node, Problems&) const {
  const bool list = node.kind == Node::Kind::sequence;
  if (list && (node.items.empty() || node.items.size() > 32)) return Failure{"", "expected 1 to 32 statuses"};
  StatusSet set{.ranges = {}, .text = ""};
  for (std::size_t i = 0; i < (list ? node.items.size() : 1); ++i) {
    const Node& item = list ? node.items[i] : node;
    const auto range = item.kind == Node::Kind::scalar ? parse_statuses(item.scalar) : std::nullopt;
    if (!range) return expected("a status such as 200 or 2xx", item);
    set.ranges.push_back(*range);
    set.text += (i == 0 ? "" : i + 1 == node.items.size() ? " or " : ", ") + item.scalar;
  }
  return set;
}
StatusSet Statuses::dummy() const { return {}; }
std::string Statuses::show(const StatusSet& value) const { return value.text; }

std::string Expectations::type_name() const { return json ? "mapping of path to value" : "mapping of header to value"; }
std::string Expectations::schema() const {
  const std::string value =
      json ? R"({"type":["string","number","boolean","null"]})" : R"({"type":["string","number","boolean"]})";
  return R"({"type":"object","maxProperties":64,"additionalProperties":{"anyOf":[)" + value +
         R"(,{"type":"object","properties":{"matches":)" + Pattern{}.schema() +
         R"(,"present":{"type":"boolean"}},"minProperties":1,"maxProperties":1,"additionalProperties":false}]}})";
}
Result<std::vector<Expectation>> Expectations::read(const Node& node, Problems& problems) const {
  if (node.kind != Node::Kind::mapping) return expected("a " + type_name(), node);
  if (node.members.size() > most_expectations) return Failure{"", "has more than 64 entries"};
  value_type all;
  for (const auto& member : node.members) {
    auto one = read_expectation(member, json, problems);
    if (one) {
      all.push_back(std::move(*one));
    } else {
      problems.error(member.at, one.failure().what);
    }
  }
  if (problems.any_error()) return Failure{"", "has wrong entries"};
  return all;
}
std::vector<Expectation> Expectations::dummy() const { return {}; }
std::string Expectations::show(const value_type&) const { return ""; }

std::string EvidenceName::type_name() const { return "json:PATH or header:NAME"; }
std::string EvidenceName::schema() const { return R"x({"type":"string","pattern":"^(json:\\$|header:.)"})x"; }
Result<EvidenceSource> EvidenceName::read(const Node& node, Problems&) const {
  const std::string_view text = node.scalar;
  if (node.kind == Node::Kind::scalar && text.starts_with("json:")) {
    auto path = parse_json_path(text.substr(5));
    if (!path) return path.failure();
    return EvidenceSource{.header = "", .path = std::move(*path)};
  }
  if (node.kind == Node::Kind::scalar && text.starts_with("header:") && is_header_name(text.substr(7))) {
    return EvidenceSource{.header = std::string(text.substr(7)), .path = {}};
  }
  return expected("json:PATH or header:NAME", node);
}
EvidenceSource EvidenceName::dummy() const { return {}; }
std::string EvidenceName::show(const value_type& value) const {
  return value.header.empty() ? "json:" + value.path.text : "header:" + value.header;
}

}  // namespace vitald::probes::http
