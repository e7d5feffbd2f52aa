#include "probes/json_path.hpp"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_depth = 64;
constexpr std::size_t most_text = 8 * 1024;

/// ['name'] or ["name"]; a backslash takes the next character as it is.
std::optional<std::string> take_quoted(std::string_view& rest) {
  const char quote = rest[1];
  std::string name;
  for (std::size_t i = 2; i + 1 < rest.size(); ++i) {
    if (rest[i] == quote) {
      if (rest[i + 1] != ']') return std::nullopt;
      rest.remove_prefix(i + 2);
      return name;
    }
    if (rest[i] == '\\') ++i;
    name += rest[i];
  }
  return std::nullopt;
}

std::optional<std::size_t> take_index(std::string_view& rest) {
  std::size_t index = 0;
  const char* const end = rest.data() + rest.size();
  const auto [stop, error] = std::from_chars(rest.data() + 1, end, index);
  if (error != std::errc{} || stop == end || *stop != ']') return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()) + 1);
  return index;
}

/// Takes one step off the front of `rest`; false where it begins with none.
bool take_step(std::string_view& rest, JsonPath& path) {
  if (rest.front() == '.') {
    const auto end = std::min(rest.find_first_of(".[", 1), rest.size());
    if (end == 1) return false;
    path.steps.emplace_back(std::string(rest.substr(1, end - 1)));
    rest.remove_prefix(end);
    return true;
  }
  if (rest.front() != '[' || rest.size() < 3) return false;
  if (rest[1] == '\'' || rest[1] == '"') {
    auto name = take_quoted(rest);
    if (name) path.steps.emplace_back(std::move(*name));
    return name.has_value();
  }
  const auto index = take_index(rest);
  if (index) path.steps.emplace_back(*index);
  return index.has_value();
}

/// Follows the parser through the document and notes what stands at the wanted places.
class Finder {
 public:
  Finder(std::span<const JsonPath> paths, JsonFindings& found) : paths_(paths), found_(found) {}

  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  bool null() { return scalar({.kind = JsonValue::Kind::null}); }
  bool boolean(bool value) { return scalar({.kind = JsonValue::Kind::boolean, .truth = value}); }
  bool number_integer(number_integer_t value) { return whole(static_cast<double>(value), std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) { return whole(static_cast<double>(value), std::to_string(value)); }
  bool number_float(number_float_t value, const string_t&) {
    return scalar({.kind = JsonValue::Kind::number, .number = value});
  }
  bool string(const string_t& value) {
    return scalar({.kind = JsonValue::Kind::text, .text = value.substr(0, most_text)});
  }
  bool binary(const binary_t&) { return false; }
  bool start_object(std::size_t) { return enter(JsonValue::Kind::object); }
  bool start_array(std::size_t) { return enter(JsonValue::Kind::array); }
  bool end_object() { return leave(); }
  bool end_array() { return leave(); }
  bool key(const string_t& name) {
    place_.back().name = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    found_.error = "not valid JSON at byte " + std::to_string(position);
    return false;
  }

 private:
  struct Level {
    bool array = false;
    std::size_t index = 0;
    std::string name = {};
  };

  bool here(const JsonPath& path) const {
    if (path.steps.size() != place_.size()) return false;
    for (std::size_t i = 0; i < place_.size(); ++i) {
      const auto* name = std::get_if<std::string>(&path.steps[i]);
      if ((name == nullptr) != place_[i].array) return false;
      if (name != nullptr ? *name != place_[i].name : std::get<std::size_t>(path.steps[i]) != place_[i].index)
        return false;
    }
    return true;
  }

  void note(const JsonValue& value) {
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      if (here(paths_[i])) found_.values[i] = value;
    }
  }

  void advance() {
    if (!place_.empty() && place_.back().array) place_.back().index += 1;
  }

  bool scalar(const JsonValue& value) {
    note(value);
    advance();
    return true;
  }

  bool whole(double value, std::string text) {
    return scalar({.kind = JsonValue::Kind::number, .number = value, .text = std::move(text)});
  }

  bool enter(JsonValue::Kind kind) {
    if (place_.size() == most_depth) {
      found_.error = "nested more than " + std::to_string(most_depth) + " deep";
      return false;
    }
    note({.kind = kind});
    place_.push_back({.array = kind == JsonValue::Kind::array});
    return true;
  }

  bool leave() {
    place_.pop_back();
    advance();
    return true;
  }

  std::span<const JsonPath> paths_;
  JsonFindings& found_;
  std::vector<Level> place_;
};

}  // namespace

std::string JsonPath::last_name() const {
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (const auto* name = std::get_if<std::string>(&*step)) return *name;
  }
  return text;
}

Result<JsonPath> parse_json_path(std::string_view text) {
  const Failure wrong{"", "expected a path such as $.status or $.items[0]['name'], found '" + foreign_text(text) + "'"};
  if (!text.starts_with('$')) return wrong;
  JsonPath path{.text = std::string(text), .steps = {}};
  std::string_view rest = text.substr(1);
  while (!rest.empty()) {
    if (path.steps.size() == most_depth || !take_step(rest, path)) return wrong;
  }
  return path;
}

std::string JsonValue::show() const {
  switch (kind) {
    case Kind::absent:
      return "missing";
    case Kind::null:
      return "null";
    case Kind::boolean:
      return truth ? "true" : "false";
    case Kind::number:
      return text.empty() ? say_number(number) : text;
    case Kind::text:
      return "'" + foreign_text(text) + "'";
    case Kind::object:
      return "an object";
    case Kind::array:
      return "a list";
  }
  return "";
}

bool same_value(const JsonValue& a, const JsonValue& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case JsonValue::Kind::boolean:
      return a.truth == b.truth;
    case JsonValue::Kind::text:
      return a.text == b.text;
    case JsonValue::Kind::number: {
      constexpr double exact = 9007199254740992.0;  // 2^53: beyond it two whole numbers can share one double
      if (!a.text.empty() && !b.text.empty() && std::fabs(a.number) >= exact) return a.text == b.text;
      return !(a.number < b.number) && !(b.number < a.number);
    }
    default:
      return true;
  }
}

JsonFindings find_in_json(std::string_view text, std::span<const JsonPath> paths) {
  JsonFindings found{.values = std::vector<JsonValue>(paths.size())};
  Finder finder(paths, found);
  const bool whole = nlohmann::json::sax_parse(text.begin(), text.end(), &finder);
  if (!whole && found.error.empty()) found.error = "not valid JSON";
  return found;
}

}  // namespace vitald::probes
