// The one way in which configuration becomes values, and at the same time the table that the JSON Schema and the option
// tables of the documentation are generated from.
//
// A parse function asks a Reader for every field that it knows, unconditionally and in a fixed order:
//
//   Config parse(Reader& in) {
//     Config config;
//     config.url    = in.required("url", Text{}, "Address to fetch, http:// or https://");
//     config.method = in.optional("method", OneOf{{"GET", "HEAD"}}, "GET", "Request method");
//     in.object("expect", "What the answer must look like", [&](Reader& expect) { ... });
//     return config;
//   }
//
// The Reader collects every problem instead of stopping at the first, reports keys that nobody asked for (with a
// suggestion) when it is finished, and, when it describes instead of reads (Schema::describe), hands out defaults and
// records what was asked. So a parse function must not branch on what it reads before it has asked for everything;
// checks between fields come last, and use problem().
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/kinds.hpp"
#include "config/node.hpp"

namespace vitald::config {

/// One option as it was asked for: a row of an option table, a property of the schema.
struct Option {
  std::string name;
  std::string type;      // for people: "duration", "text", "list of text", "mapping"
  std::string schema;    // JSON text: the type's fragment of the JSON Schema
  std::string help;      // one sentence
  std::string fallback;  // the default as one would write it; "" where there is none
  bool required = false;
  std::vector<Option> nested;  // the options of an object
};

struct FoundSecret {
  Position at;
  Secret secret;
};

class Reader {
 public:
  /// Reads the mapping `node`. `where` names it for people: "check api-health". All three must outlive the Reader.
  Reader(const Node& node, std::string where, Problems& problems);
  /// Describes: every field counts as absent, nothing is a problem, options() tells what was asked.
  static Reader describing();
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) = delete;

  /// The field's value, or K's dummy after recording a problem when it is absent or wrong.
  template <class K>
  typename K::value_type required(std::string_view key, const K& kind, std::string_view help) {
    if (describes()) note(key, kind.type_name(), kind.schema(), help, "", true);
    const Node* node = take(key, help, true);
    auto value = node == nullptr ? std::nullopt : convert(kind, *node, key);
    return value ? std::move(*value) : kind.dummy();
  }
  /// The field's value, or `fallback` when it is absent, or wrong (that is a problem then).
  template <class K>
  typename K::value_type optional(std::string_view key, const K& kind, typename K::value_type fallback,
                                  std::string_view help) {
    if (describes()) note(key, kind.type_name(), kind.schema(), help, kind.show(fallback), false);
    const Node* node = take(key, help, false);
    auto value = node == nullptr ? std::nullopt : convert(kind, *node, key);
    return value ? std::move(*value) : std::move(fallback);
  }
  /// The field's value, or nothing when it is absent or wrong.
  template <class K>
  std::optional<typename K::value_type> maybe(std::string_view key, const K& kind, std::string_view help) {
    if (describes()) note(key, kind.type_name(), kind.schema(), help, "", false);
    const Node* node = take(key, help, false);
    return node == nullptr ? std::nullopt : convert(kind, *node, key);
  }
  /// A nested mapping: `parse` gets a Reader of its own, which describes when this one does. True when it was there.
  bool object(std::string_view key, std::string_view help, const std::function<void(Reader&)>& parse);
  /// A list of mappings, `parse` once for each (once in all when describing).
  void objects(std::string_view key, std::string_view help, const std::function<void(Reader&)>& parse);

  bool has(std::string_view key) const;
  /// The keys of the mapping below `key`, for an option that has to fit what another one names; asks for nothing.
  std::vector<std::string> keys_below(std::string_view key) const;
  bool describes() const;
  /// Where `key`'s value stands, or this mapping when it is absent.
  Position position(std::string_view key = "") const;
  /// A problem between fields: "'headers' is not possible with 'send'".
  void problem(std::string_view key, std::string what);
  void warn(std::string_view key, std::string what);
  const std::string& where() const;

  /// Reports required keys that are absent and every key that was not asked for. Called once, by whoever made the
  /// Reader.
  void finish();
  /// What was asked, in order, when this one describes.
  const std::vector<Option>& options() const;
  /// The secrets that were read here and in nested mappings, for the service to load.
  const std::vector<FoundSecret>& secrets() const;

 private:
  struct State;
  explicit Reader(std::unique_ptr<State> state);
  void note(std::string_view key, std::string type, std::string schema, std::string_view help, std::string fallback,
            bool required);
  const Node* take(std::string_view key, std::string_view help, bool required);
  void reject(const Node& node, std::string_view key, const Failure& failure);
  void collect(const Problems& found);
  void remember(const Node& node, const Secret& secret);

  template <class K>
  std::optional<typename K::value_type> convert(const K& kind, const Node& node, std::string_view key) {
    Problems found;
    auto value = kind.read(node, found);
    collect(found);  // warnings, and errors of nested values, which know better where it hurts
    if (!value) {
      if (!found.any_error()) reject(node, key, value.failure());
      return std::nullopt;
    }
    if constexpr (std::is_same_v<typename K::value_type, Secret>) {
      remember(node, *value);
    } else if constexpr (std::is_same_v<typename K::value_type, std::vector<Secret>>) {
      for (const Secret& secret : *value) remember(node, secret);
    }
    return std::move(*value);
  }

  std::unique_ptr<State> state_;
};

/// The closest of `known` to `word` (edit distance <= 2 and <= a third of its length), or "".
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace vitald::config
