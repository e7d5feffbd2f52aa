#include "probes/json_values.hpp"

#include <cmath>

namespace vitald::probes {
namespace {

using Kind = JsonValue::Kind;

constexpr double most_exact = 9007199254740992.0;  // 2^53

}  // namespace

JsonPath json_path(std::initializer_list<std::variant<std::string, std::size_t>> steps) {
  return {.text = "", .steps = steps};
}

std::string JsonValues::text() {
  const JsonValue& value = next();
  return value.kind == Kind::text ? value.text : "";
}

bool JsonValues::truth(bool otherwise) {
  const JsonValue& value = next();
  return value.kind == Kind::boolean ? value.truth : otherwise;
}

std::optional<double> JsonValues::number() {
  const JsonValue& value = next();
  if (value.kind != Kind::number || !std::isfinite(value.number) || value.number < 0) return std::nullopt;
  return value.number;
}

std::optional<std::uint64_t> JsonValues::count() {
  const auto value = number();
  if (!value || *value > most_exact) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

int JsonValues::code() {
  const JsonValue& value = next();
  return value.kind == Kind::number && std::fabs(value.number) < 1e6 ? static_cast<int>(value.number) : 0;
}

}  // namespace vitald::probes
