#include "config/schema.hpp"

#include <nlohmann/json.hpp>

namespace vitald::config {
namespace {

using nlohmann::ordered_json;

/// `| a | b |` would end the cell.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

void add_rows(const std::vector<Option>& options, const std::string& prefix, std::string& table) {
  for (const Option& option : options) {
    const std::string name = prefix + option.name;
    const std::string fallback = option.required           ? "required"
                                 : option.fallback.empty() ? ""
                                                           : "`" + option.fallback + "`";
    table += "| `" + name + "` | " + cell(option.type) + " | " + cell(fallback) + " | " + cell(option.help) + " |\n";
    add_rows(option.nested, name + ".", table);
  }
}

ordered_json default_of(const std::string& fallback) {
  const auto plain = ordered_json::parse(fallback, nullptr, false);
  return plain.is_discarded() || plain.is_string() ? ordered_json(fallback) : plain;
}

}  // namespace

std::string object_schema(const std::vector<Option>& options) {
  ordered_json properties = ordered_json::object();
  ordered_json required = ordered_json::array();
  for (const Option& option : options) {
    ordered_json fragment = ordered_json::parse(option.schema);
    fragment["description"] = option.help;
    if (!option.fallback.empty() && option.nested.empty()) fragment["default"] = default_of(option.fallback);
    properties[option.name] = std::move(fragment);
    if (option.required) required.push_back(option.name);
  }
  ordered_json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  schema["additionalProperties"] = false;
  return schema.dump();
}

std::string option_table(const std::vector<Option>& options) {
  std::string table = "| option | type | default | meaning |\n| --- | --- | --- | --- |\n";
  add_rows(options, "", table);
  return table;
}

}  // namespace vitald::config
