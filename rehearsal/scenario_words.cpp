#include "rehearsal/scenario_words.hpp"

#include <cctype>
#include <charconv>

#include "config/document.hpp"
#include "config/kinds.hpp"

namespace vitald::rehearsal {
namespace {

/// What scenarios may measure.
constexpr SampleSpec samples[] = {
    {"duration", SampleKind::gauge, Unit::seconds, "time to answer"},
    {"used", SampleKind::gauge, Unit::ratio, "share used"},
    {"load", SampleKind::gauge, Unit::none, "load"},
    {"connections", SampleKind::gauge, Unit::none, "connections in use", true},
    {"available", SampleKind::gauge, Unit::bytes, "memory available", true, true},
    {"restarts", SampleKind::counter, Unit::none, "restarts since the start"},
    {"requests", SampleKind::counter, Unit::none, "requests since the start"},
    {"errors", SampleKind::counter, Unit::none, "failed ones among them"},
    {"failed_jobs", SampleKind::event, Unit::none, "new failed jobs"},
};

}  // namespace

std::vector<std::string> expanded(const std::string& line) {
  const std::size_t open = line.find('{'), dots = line.find("..", open), close = line.find('}', open);
  const bool digit = open != std::string::npos && open + 1 < line.size() && std::isdigit(line[open + 1]) != 0;
  if (!digit || dots == std::string::npos || close == std::string::npos || dots > close) return {line};
  const int first = static_cast<int>(number(line.substr(open + 1, dots - open - 1)));
  const int last = static_cast<int>(number(line.substr(dots + 2, close - dots - 2)));
  std::vector<std::string> lines;
  for (int n = first; n <= last; ++n)
    lines.push_back(line.substr(0, open) + std::to_string(n) + line.substr(close + 1));
  return lines;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(at, begin)) != std::string::npos; begin = end + 1) {
    parts.push_back(text.substr(begin, end - begin));
  }
  parts.push_back(text.substr(begin));
  return parts;
}

Severity severity(const std::string& word) {
  for (const Severity one : {Severity::p0, Severity::p1, Severity::p2, Severity::p3}) {
    if (word == to_string(one)) return one;
  }
  throw Misunderstood("expected P0 to P3, found " + word);
}

double number(std::string_view text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    throw Misunderstood("expected a number, found " + std::string(text));
  return value;
}

std::vector<Limit> limits(const std::string& yaml) {
  config::Problems problems;
  const config::Node node = config::parse_text(yaml, "limits", problems);
  if (!problems.any_error()) {
    config::Problems found;
    const auto read = config::Limits{samples}.read(node, found);
    if (read && !found.any_error()) return *read;
    throw Misunderstood(found.any_error() ? found.all().front().text() : read.failure().what);
  }
  throw Misunderstood(problems.all().front().text());
}

Sample sample(const std::string& word) {
  const std::size_t equals = word.find('=', word.find('}') == std::string::npos ? 0 : word.find('}'));
  if (equals == std::string::npos) throw Misunderstood("expected sample=value, found " + word);
  Sample one;
  one.name = word.substr(0, equals);
  const auto parts = split(word.substr(equals + 1), '/');
  one.value = number(parts[0]);
  if (parts.size() > 1) one.maximum = number(parts[1]);
  if (const std::size_t brace = one.name.find('{'); brace != std::string::npos) {
    for (const std::string& label : split(one.name.substr(brace + 1, one.name.size() - brace - 2), ',')) {
      const auto pair = split(label, '=');
      if (pair.size() != 2) throw Misunderstood("expected name=value between the braces of " + word);
      one.labels.emplace_back(pair[0], pair[1]);
    }
    one.name.resize(brace);
  }
  return one;
}

}  // namespace vitald::rehearsal
