// Several values of one JSON text, asked for together and taken one after the other: what a probe reads out of an API's
// answer without building a tree of it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probes/json_path.hpp"

namespace vitald::probes {

/// The path of a value, for what is known when the program is written: json_path({"State", "Health", std::size_t{0}}).
JsonPath json_path(std::initializer_list<std::variant<std::string, std::size_t>> steps);

class JsonValues {
 public:
  JsonValues(std::string_view json, const std::vector<JsonPath>& paths) : found_(find_in_json(json, paths)) {}

  /// find_in_json()'s; then the values mean nothing.
  const std::string& error() const { return found_.error; }

  /// Each takes the next value, in the order in which the paths were given.
  const JsonValue& next() { return found_.values[at_++]; }
  /// "" where it is no text.
  std::string text();
  /// `otherwise` where it is no boolean.
  bool truth(bool otherwise = false);
  /// Nothing where it is no number, or less than zero.
  std::optional<double> number();
  /// Nothing where it is no number, less than zero, or more than a double counts exactly.
  std::optional<std::uint64_t> count();
  /// An exit code or the like: a small number of either sign, 0 where it is none.
  int code();

 private:
  JsonFindings found_;
  std::size_t at_ = 0;
};

}  // namespace vitald::probes
