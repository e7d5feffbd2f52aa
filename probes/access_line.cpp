#include "probes/access_line.hpp"

#include <re2/re2.h>

#include <array>
#include <cmath>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_request = 120;
constexpr std::int64_t pattern_memory = 1 << 20;
constexpr int most_groups = 32;

std::optional<int> to_status(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  int status = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    status = status * 10 + (digit - '0');
  }
  return status < 100 || status > 599 ? std::nullopt : std::optional(status);
}

/// nginx writes '-' where there is none, and one for each attempt ("0.001, 0.020") of upstream times.
std::optional<double> to_seconds(std::string_view text) {
  const auto seconds = parse_number(text.substr(text.rfind(' ') + 1));
  return seconds && *seconds >= 0 && *seconds < 1e9 ? std::optional(*seconds) : std::nullopt;
}

std::string to_request(std::string_view method, std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  std::string request(method);
  if (!method.empty() && !path.empty()) request += ' ';
  return foreign_text(request.append(path), most_request);
}

/// "GET /path?query HTTP/1.1".
std::string to_request(std::string_view line) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return to_request("", line);
  std::string_view path = line.substr(space + 1);
  return to_request(line.substr(0, space), path.substr(0, path.rfind(" HTTP/")));
}

/// Behind a '"' at `from`, up to the next one that is not escaped; npos where there is none.
std::size_t closing_quote(std::string_view line, std::size_t from) {
  for (std::size_t at = from; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (line[at] == '"') {
      return at;
    }
  }
  return std::string_view::npos;
}

std::string_view view(const re2::StringPiece& piece) { return {piece.data(), piece.size()}; }

}  // namespace

Result<AccessFormat> AccessFormat::parse(const std::string& text) {
  AccessFormat format;
  format.text_ = text;
  if (text == "combined") return format;
  if (text == "json") {
    const auto set = format.set_fields({});
    if (!set) return set.failure();
    return format;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(pattern_memory);
  auto pattern = std::make_shared<const re2::RE2>(text, options);
  if (!pattern->ok()) return Failure{"", "no valid regular expression: " + pattern->error()};
  for (const auto& [name, number] : pattern->NamedCapturingGroups()) {
    if (name == "status") format.groups_.status = number;
    if (name == "request_time") format.groups_.request_time = number;
    if (name == "request") format.groups_.request = number;
    if (name == "method") format.groups_.method = number;
    if (name == "path") format.groups_.path = number;
  }
  if (format.groups_.status == 0) {
    return Failure{"", "expected combined, json or a regular expression with a group (?P<status>…), found '" +
                           text.substr(0, 80) + "'"};
  }
  if (pattern->NumberOfCapturingGroups() >= most_groups) return Failure{"", "has more than 31 groups"};
  format.pattern_ = std::move(pattern);
  return format;
}

Result<bool> AccessFormat::set_fields(const AccessFields& fields) {
  fields_.clear();
  for (const std::string& name : {fields.status, fields.request_time, fields.method, fields.path}) {
    if (!name.starts_with('$')) {
      fields_.push_back({name, {name}});
      continue;
    }
    auto path = parse_json_path(name);
    if (!path) return path.failure();
    fields_.push_back(std::move(*path));
  }
  return true;
}

std::optional<AccessLine> AccessFormat::read(std::string_view line) const {
  if (pattern_ != nullptr) return read_pattern(line);
  return fields_.empty() ? read_combined(line) : read_json(line);
}

/// 192.0.2.7 - - [28/Nov/2026:02:13:41 +0000] "GET /path HTTP/1.1" 200 512 "referer" "agent"
std::optional<AccessLine> AccessFormat::read_combined(std::string_view line) const {
  const auto bracket = line.find("] \"");
  if (bracket == std::string_view::npos || line.find(" [") > bracket) return std::nullopt;
  const std::size_t begin = bracket + 3;
  const std::size_t end = closing_quote(line, begin);
  if (end == std::string_view::npos || line.substr(end + 1, 1) != " ") return std::nullopt;
  const std::string_view rest = line.substr(end + 2);
  const auto status = to_status(rest.substr(0, rest.find(' ')));
  if (!status) return std::nullopt;
  return AccessLine{.status = *status, .seconds = {}, .request = to_request(line.substr(begin, end - begin))};
}

std::optional<AccessLine> AccessFormat::read_json(std::string_view line) const {
  const JsonFindings found = find_in_json(line, fields_);
  if (!found.error.empty()) return std::nullopt;
  const auto text = [&](std::size_t i) -> std::string {
    const JsonValue& value = found.values[i];
    if (value.kind == JsonValue::Kind::text) return value.text;
    if (value.kind != JsonValue::Kind::number) return "";
    return value.text.empty() ? say_number(value.number) : value.text;
  };
  const auto status = to_status(text(0));
  if (!status) return std::nullopt;
  AccessLine read{.status = *status, .seconds = {}, .request = to_request(text(2), text(3))};
  const JsonValue& took = found.values[1];
  if (took.kind == JsonValue::Kind::text) read.seconds = to_seconds(took.text);
  if (took.kind == JsonValue::Kind::number && took.number >= 0 && took.number < 1e9) read.seconds = took.number;
  return read;
}

std::optional<AccessLine> AccessFormat::read_pattern(std::string_view line) const {
  std::array<re2::StringPiece, most_groups> found;
  const re2::StringPiece text(line.data(), line.size());
  const int wanted = pattern_->NumberOfCapturingGroups() + 1;
  if (!pattern_->Match(text, 0, text.size(), re2::RE2::UNANCHORED, found.data(), wanted)) return std::nullopt;
  const auto group = [&](int number) {
    return number == 0 ? std::string_view() : view(found[static_cast<std::size_t>(number)]);
  };
  const auto status = to_status(group(groups_.status));
  if (!status) return std::nullopt;
  AccessLine read{.status = *status, .seconds = to_seconds(group(groups_.request_time)), .request = {}};
  read.request = groups_.request != 0 ? to_request(group(groups_.request))
                                      : to_request(group(groups_.method), group(groups_.path));
  return read;
}

Result<AccessFormat> AccessFormatText::read(const config::Node& node, config::Problems& problems) const {
  const auto text = config::Text{}.read(node, problems);
  if (!text) return text.failure();
  return AccessFormat::parse(*text);
}

}  // namespace vitald::probes
