#include <date/tz.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>

#include "probes/sql/query.hpp"

namespace vitald::probes::sql {
namespace {

constexpr std::size_t longest_statement = 16 * 1024;
constexpr std::size_t most_labels = 8;

bool blank(char each) { return each == ' ' || each == '\t' || each == '\n' || each == '\r'; }
bool letter(char each) { return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || each == '_'; }
bool digit(char each) { return each >= '0' && each <= '9'; }

/// Where the quoted text, the comment or the single character at `at` ends. Both dialects at once: what one of them
/// takes for a comment and the other does not only makes this more careful.
std::size_t after(std::string_view text, std::size_t at) {
  const char first = text[at];
  const auto past = [&](std::string_view mark, std::size_t from) {
    const std::size_t end = text.find(mark, from);
    return end == std::string_view::npos ? text.size() : end + mark.size();
  };
  if (first == '\'' || first == '"' || first == '`') {
    std::size_t end = at + 1;
    while (end < text.size() && text[end] != first) end += text[end] == '\\' && first != '`' ? 2U : 1U;
    return std::min(end + 1, text.size());
  }
  if (text.substr(at).starts_with("--") || first == '#') return past("\n", at);
  if (text.substr(at).starts_with("/*")) return past("*/", at + 2);
  return at + 1;
}

bool is_comment(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  return rest.starts_with("--") || rest.starts_with("#") || rest.starts_with("/*");
}

/// Without comments and blanks before it, and the opening brackets of `(SELECT …) UNION …`.
std::string first_word(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && (blank(text[at]) || text[at] == '(' || is_comment(text, at))) at = after(text, at);
  std::string word;
  for (; at < text.size() && letter(text[at]); ++at) word += static_cast<char>(std::toupper(text[at]));
  return word;
}

bool has_second_statement(std::string_view text) {
  bool ended = false;
  for (std::size_t at = 0; at < text.size(); at = after(text, at)) {
    if (ended && !blank(text[at]) && text[at] != ';' && !is_comment(text, at)) return true;
    if (text[at] == ';') ended = true;
  }
  return false;
}

/// The name of a column that becomes a label of a metric.
struct LabelColumn {
  using value_type = std::string;
  std::string type_name() const { return "column name"; }
  std::string schema() const { return R"({"type":"string","pattern":"^[A-Za-z_][A-Za-z0-9_]*$"})"; }
  Result<std::string> read(const config::Node& node, config::Problems& problems) const {
    auto name = config::Text{.longest = 64}.read(node, problems);
    if (!name) return name;
    const bool well = std::all_of(name->begin(), name->end(), [](char each) { return letter(each) || digit(each); });
    if (!well || digit(name->front()) || name->starts_with("__"))
      return Failure{"",
                     "'" + *name + "' cannot be the name of a label (letters, digits and _); write AS in the query"};
    static constexpr std::array<std::string_view, 6> taken{"check", "probe", "column", "instance", "job", "le"};
    if (std::find(taken.begin(), taken.end(), *name) != taken.end())
      return Failure{"", "the label '" + *name + "' is taken; write AS in the query"};
    return name;
  }
  std::string dummy() const { return ""; }
  std::string show(const std::string& value) const { return value; }
};

struct TimeZone {
  using value_type = const date::time_zone*;
  std::string type_name() const { return "time zone"; }
  std::string schema() const { return R"({"type":"string","minLength":1})"; }
  Result<value_type> read(const config::Node& node, config::Problems& problems) const {
    const auto name = config::Text{.longest = 64}.read(node, problems);
    if (!name) return name.failure();
    try {
      return date::locate_zone(*name);
    } catch (const std::runtime_error&) {
      return Failure{"", "there is no time zone '" + *name + "'; expected a name such as Europe/Istanbul"};
    }
  }
  value_type dummy() const { return nullptr; }
  std::string show(const value_type& value) const { return value == nullptr ? "UTC" : value->name(); }
};

}  // namespace

Bounds Query::bounds() const { return {.rows = max_rows}; }

std::string objection_to_statement(std::string_view statement) {
  static constexpr std::array<std::string_view, 5> reading{"SELECT", "WITH", "SHOW", "VALUES", "TABLE"};
  const std::string word = first_word(statement);
  if (std::find(reading.begin(), reading.end(), word) == reading.end())
    return "expected a statement that only reads: SELECT, WITH, SHOW, VALUES or TABLE";
  if (has_second_statement(statement)) return "expected one statement, found a second one behind ';'";
  return "";
}

std::optional<Query> read_query(config::Reader& in) {
  Query query;
  const auto statement =
      in.maybe("query", config::Text{.longest = longest_statement},
               "Ask this instead of the server's own figures: each number of the answer is a sample");
  const config::ListOf<LabelColumn> columns{.kind = {}, .single = true, .most = most_labels};
  query.row_labels = in.optional("row_labels", columns, {}, "Columns of the query that tell its rows apart");
  query.newest = in.optional("newest", config::Text{.longest = 64, .may_be_empty = true}, "",
                             "Column of the query with a time; the age of the latest is the sample `newest_age`");
  query.zone = in.optional("timezone", TimeZone{}, nullptr, "Time zone of times in the answer that carry no offset");
  query.max_rows = static_cast<std::size_t>(
      in.optional("max_rows", config::Integer{1, 1000}, 50, "How many rows of the answer are looked at"));
  if (!statement) {
    for (const auto* key : {"row_labels", "newest", "timezone", "max_rows"}) {
      if (in.has(key)) in.problem(key, std::string("'") + key + "' needs a 'query'");
    }
    return std::nullopt;
  }
  if (auto wrong = objection_to_statement(*statement); !wrong.empty()) in.problem("query", std::move(wrong));
  query.limited = in.keys_below("limits");
  query.statement = *statement;
  while (!query.statement.empty() && (blank(query.statement.back()) || query.statement.back() == ';'))
    query.statement.pop_back();
  return query;
}

}  // namespace vitald::probes::sql
