// Values out of a JSON text by path: $.a.b[0]['c d']. One pass over the text that keeps nothing but what was asked for,
// so a hostile body costs no memory and no stack.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/result.hpp"

namespace vitald::probes {

struct JsonPath {
  std::string text;                                           // as the user wrote it
  std::vector<std::variant<std::string, std::size_t>> steps;  // member or index; none: the whole document

  /// The last member's name, for labels: "request_id" of $.meta.request_id.
  std::string last_name() const;
};

/// The part of RFC 9535 that names one value: no wildcards, slices or filters.
Result<JsonPath> parse_json_path(std::string_view text);

struct JsonValue {
  enum class Kind { absent, null, boolean, number, text, object, array };
  Kind kind = Kind::absent;
  bool truth = false;
  double number = 0;
  std::string text = {};  // of a text (at most 8 KiB of it), or a whole number as written

  /// As JSON has it and bounded, for messages: 'degraded', 5, true, null, "an object", "nothing".
  std::string show() const;
};

/// Equal in kind and value; 5 and 5.0 are, 5 and "5" are not.
bool same_value(const JsonValue& a, const JsonValue& b);

struct JsonFindings {
  std::vector<JsonValue> values;  // one for each path, absent where there is none
  std::string error = {};         // "not valid JSON at byte 12", "nested more than 64 deep"; then values mean nothing
};

JsonFindings find_in_json(std::string_view text, std::span<const JsonPath> paths);

}  // namespace vitald::probes
