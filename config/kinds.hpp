// The kinds of value that a field can have. Each is a small struct with
//
//   using value_type = …;
//   std::string type_name() const;                        // for people: "duration"
//   std::string schema() const;                           // JSON Schema fragment, as JSON text
//   // failure().what: "expected a duration such as 30s, found 'soon'"
//   Result<value_type> read(const Node&, Problems&) const;
//   value_type dummy() const;                             // harmless stand-in after an error, and when describing
//   std::string show(const value_type&) const;            // as one would write it
//
// so that one call in a parse function gives parsing, the message, the schema and the documentation.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/labels.hpp"
#include "config/limit.hpp"
#include "config/node.hpp"
#include "config/observation.hpp"
#include "config/result.hpp"
#include "config/secret.hpp"
#include "config/units.hpp"

namespace vitald::config {

struct Text {
  using value_type = std::string;
  std::size_t longest = 4096;
  bool may_be_empty = false;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

struct Boolean {
  using value_type = bool;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

struct Integer {
  using value_type = std::int64_t;
  std::int64_t smallest = 0;
  std::int64_t largest = INT64_MAX;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// `30s`, `5m`: the unit is part of it.
struct Length {
  using value_type = Duration;
  Duration shortest = Duration::zero();
  Duration longest = std::chrono::hours(24 * 366);
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// `10GiB`.
struct Bytes {
  using value_type = std::uint64_t;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// One word out of a list; a near miss is suggested.
struct OneOf {
  using value_type = std::string;
  std::vector<std::string> words;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// A plain string (with a warning), or { file: … } | { env: … } | { credential: … }.
struct SecretText {
  using value_type = Secret;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// A mapping of name to text: headers, labels.
struct TextMap {
  using value_type = std::vector<std::pair<std::string, std::string>>;  // in file order
  std::size_t most = 64;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// P0 … P3.
struct SeverityWord {
  using value_type = Severity;
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// The `limits:` mapping of a check: sample name to limit, judged against the probe kind's own table.
struct Limits {
  using value_type = std::vector<Limit>;
  std::span<const SampleSpec> samples;
  bool free_names = false;  // a query's columns are samples too
  std::string type_name() const;
  std::string schema() const;
  Result<value_type> read(const Node&, Problems&) const;
  value_type dummy() const;
  std::string show(const value_type&) const;
};

/// A list of any of the above; a single value counts as a list of one where `single` is set.
template <class K>
struct ListOf {
  using value_type = std::vector<typename K::value_type>;
  K kind;
  bool single = false;
  std::size_t most = 256;

  std::string type_name() const { return "list of " + kind.type_name(); }
  std::string schema() const {
    const std::string list = R"({"type":"array","items":)" + kind.schema() + "}";
    return single ? R"({"anyOf":[)" + kind.schema() + "," + list + "]}" : list;
  }
  Result<value_type> read(const Node& node, Problems& problems) const {
    value_type values;
    if (single && node.kind != Node::Kind::sequence) {
      auto value = kind.read(node, problems);
      if (!value) return value.failure();
      values.push_back(std::move(*value));
      return values;
    }
    if (node.kind != Node::Kind::sequence) {
      return Failure{"", "expected a list of " + kind.type_name() + ", found " + std::string(node.kind_name())};
    }
    if (node.items.size() > most) return Failure{"", "has more than " + std::to_string(most) + " entries"};
    for (const Node& item : node.items) {
      auto value = kind.read(item, problems);
      if (value) {
        values.push_back(std::move(*value));
      } else {
        problems.error(item.at, value.failure().what);
      }
    }
    if (problems.any_error()) return Failure{"", "has wrong entries"};
    return values;
  }
  value_type dummy() const { return {}; }
  std::string show(const value_type& values) const {
    std::string text = "[";
    for (const auto& value : values) text += (text.size() > 1 ? ", " : "") + kind.show(value);
    return text + "]";
  }
};

}  // namespace vitald::config
