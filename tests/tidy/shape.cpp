// The two rules that look at the shape of the code, with a scanner of brackets: function lengths and awaits.
#include <algorithm>
#include <array>
#include <optional>

#include "tests/tidy/rules.hpp"

namespace vitald::tidy {
namespace {

constexpr int longest_function = 70;

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.starts_with(word) && (text.size() == word.size() || !is_word_character(text[word.size()]));
}

/// Where the bracket that opens at `open` closes; npos where it does not.
std::size_t closing(std::string_view code, std::size_t open) {
  int depth = 0;
  for (std::size_t at = open; at < code.size(); ++at) {
    if (code[at] == '(' || code[at] == '[' || code[at] == '{') ++depth;
    if (code[at] == ')' || code[at] == ']' || code[at] == '}') --depth;
    if (depth == 0) return at;
  }
  return std::string_view::npos;
}

/// What stands between the last ; { or } and the brace at `at`.
std::string header_before(std::string_view code, std::size_t at) {
  const std::size_t start = at == 0 ? std::string_view::npos : code.find_last_of(";{}", at - 1);
  const std::size_t from = start == std::string_view::npos ? 0 : start + 1;
  return trimmed(code.substr(from, at - from));
}

std::string without_template(std::string header) {
  while (starts_with_word(header, "template")) {
    std::size_t at = header.find('<');
    int depth = 0;
    for (; at < header.size(); ++at) {
      if (header[at] == '<') ++depth;
      if (header[at] == '>' && --depth == 0) break;
    }
    header = at < header.size() ? trimmed(header.substr(at + 1)) : "";
  }
  return header;
}

/// A brace after this opens a namespace or a type, in which functions stand.
bool opens_scope(const std::string& header) {
  for (const std::string_view word : {"namespace", "class", "struct", "union", "enum", "extern", "inline namespace"}) {
    if (starts_with_word(header, word)) return true;
  }
  return false;
}

bool is_function(const std::string& header) { return header.find('(') != std::string::npos; }

/// One await with all that is evaluated together with it.
struct Expression {
  std::string text;
  bool broken_by_brace = false;
};

/// Drops `if (…)`, `for (…)`, `else` … in front of the statement, or narrows it to the condition that holds the await.
/// Gives the range to look at, from `start`; `end` stays npos unless it is a condition.
struct Range {
  std::size_t start = 0;
  std::size_t end = std::string_view::npos;
};

Range narrowed(std::string_view code, std::size_t start, std::size_t await) {
  while (true) {
    start = std::min(code.find_first_not_of(" \t\r\n", start), await);
    const std::string_view rest = code.substr(start);
    if (starts_with_word(rest, "else") || starts_with_word(rest, "do")) {
      start += starts_with_word(rest, "else") ? 4u : 2u;
      continue;
    }
    bool control = false;
    for (const std::string_view word : {"if", "while", "for", "switch"}) control |= starts_with_word(rest, word);
    if (!control) return {start};
    const std::size_t open = code.find('(', start);
    const std::size_t close = closing(code, open);
    if (close == std::string_view::npos) return {start};
    if (close > await) return {open + 1, close};
    start = close + 1;
  }
}

/// A `)` without its `(` in front of the await is the end of a for's head.
std::size_t after_loop_head(std::string_view code, std::size_t start, std::size_t await) {
  int depth = 0;
  for (std::size_t at = start; at < await; ++at) {
    if (code[at] == '(') ++depth;
    if (code[at] == ')' && --depth < 0) return at + 1;
  }
  return start;
}

Expression expression_around(std::string_view code, std::size_t await) {
  const std::size_t boundary = await == 0 ? std::string_view::npos : code.find_last_of(";{}", await - 1);
  std::size_t start = boundary == std::string_view::npos ? 0 : boundary + 1;
  start = after_loop_head(code, start, await);
  const Range range = narrowed(code, start, await);
  std::size_t end = range.end;
  if (end == std::string_view::npos) end = std::min(code.size(), code.find_first_of(";{}", await));
  Expression expression{std::string(code.substr(range.start, end - range.start))};
  expression.broken_by_brace = (end < code.size() && (code[end] == '{' || code[end] == '}')) ||
                               expression.text.find_first_of("{}") != std::string::npos;
  return expression;
}

/// What is wrong with it, in words; nothing when it is one plain await.
std::optional<std::string> complaint(Expression expression) {
  std::string& text = expression.text;
  for (std::size_t at = text.find("auto&&"); at != std::string::npos; at = text.find("auto&&")) text.erase(at + 4, 2);
  if (expression.broken_by_brace) return "braces in a statement with co_await; name the value first";
  if (text.find('?') != std::string::npos) return "?: in a statement with co_await; use if and else";
  if (text.find("&&") != std::string::npos) return "&& in a statement with co_await; name the result first";
  if (text.find("||") != std::string::npos) return "|| in a statement with co_await; name the result first";
  const std::size_t first = text.find("co_await");
  if (text.find("co_await", first + 1) != std::string::npos)
    return "two awaits in one statement; name the first result";
  return std::nullopt;
}

}  // namespace

Findings function_rule(const Source& source) {
  Findings found;
  const std::string_view code = source.code;
  for (std::size_t at = code.find('{'); at != std::string_view::npos; at = code.find('{', at + 1)) {
    const std::string header = without_template(header_before(code, at));
    if (opens_scope(header)) continue;
    const std::size_t close = closing(code, at);
    if (close == std::string_view::npos) break;
    const int lines = source.line_of(close) - source.line_of(at) + 1;
    if (is_function(header) && lines > longest_function) {
      found.push_back(finding(source, source.line_of(at), "a function of " + std::to_string(lines) + " lines"));
    }
    at = close;
  }
  return found;
}

Findings await_rule(const Source& source) {
  Findings found;
  int last_line = 0;
  for (const std::size_t at : source.find_word("co_await")) {
    const auto what = complaint(expression_around(source.code, at));
    const int line = source.line_of(at);
    if (what && line != last_line) found.push_back(finding(source, line, *what));
    if (what) last_line = line;
  }
  return found;
}

}  // namespace vitald::tidy
