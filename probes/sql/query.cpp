#include "probes/sql/query.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>

#include "config/fnv1a.hpp"
#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/sql/time_text.hpp"

namespace vitald::probes::sql {
namespace {

constexpr std::size_t most_columns = 50;
constexpr std::size_t most_shown = 5;  // rows in the evidence, and samples in the summary
constexpr std::size_t longest_label = 128;

/// What is wrong with the question rather than with what it asks about.
void reject(const ProbeFailure& mistake, Observation& seen) {
  blame(mistake, seen);
  seen.samples.clear();
}

std::string quoted(const std::string& name) { return "'" + foreign_text(name) + "'"; }

/// Which columns of this answer are what.
struct Layout {
  std::vector<std::size_t> labels;  // in the order of row_labels
  std::vector<std::size_t> numbers;
  std::optional<std::size_t> newest;
};

bool is_own(std::string_view name, std::span<const SampleSpec> own) {
  return name == duration_sample.name ||
         std::any_of(own.begin(), own.end(), [&](const SampleSpec& each) { return each.name == name; });
}

std::optional<ProbeFailure> find_columns(const Query& query, const Table& table, Layout& layout) {
  for (const std::string& name : query.row_labels) {
    const auto place = table.column(name);
    if (!place)
      return unmeasured("column_missing", "the query gives no column " + quoted(name) + ", which row_labels names",
                        "name a column of the query in row_labels");
    layout.labels.push_back(*place);
  }
  if (query.newest.empty()) return std::nullopt;
  layout.newest = table.column(query.newest);
  if (layout.newest) return std::nullopt;
  return unmeasured("column_missing", "the query gives no column " + quoted(query.newest) + ", which newest names",
                    "name a column of the query in newest");
}

/// A limit on what the query does not give would never be crossed, and nobody would notice.
std::optional<ProbeFailure> find_limited(const Query& query, const Table& table, std::span<const SampleSpec> own) {
  for (const std::string& name : query.limited) {
    const auto same = [&](const Column& column) { return column.name == name; };
    const auto column = std::find_if(table.columns.begin(), table.columns.end(), same);
    if (is_own(name, own) || (column != table.columns.end() && column->numeric)) continue;
    const bool is_text = column != table.columns.end();
    return unmeasured(
        "limit_without_number",
        "limits name '" + name + "', " + (is_text ? "which is no number" : "which the query does not give"),
        is_text ? "convert the column in the query: CAST(… AS DECIMAL)" : "name a column of the query in limits");
  }
  return std::nullopt;
}

std::optional<ProbeFailure> lay_out(const Query& query, const Table& table, std::span<const SampleSpec> own,
                                    Layout& layout) {
  if (auto mistake = find_columns(query, table, layout)) return mistake;
  if (auto mistake = find_limited(query, table, own)) return mistake;
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const Column& column = table.columns[i];
    const bool is_label = std::find(layout.labels.begin(), layout.labels.end(), i) != layout.labels.end();
    if (!column.numeric || is_label || layout.newest == i) continue;
    if (is_own(column.name, own))
      return unmeasured("column_name",
                        "the column " + quoted(column.name) + " has the name of a sample that every check has",
                        "give the column another name in the query: … AS my_" + foreign_text(column.name));
    if (!names.insert(column.name).second)
      return unmeasured("column_name", "two columns of the query are named " + quoted(column.name),
                        "give each a name of its own in the query: … AS name");
    layout.numbers.push_back(i);
  }
  if (layout.numbers.size() <= most_columns) return std::nullopt;
  return unmeasured("too_many_columns",
                    "the query gives more than " + std::to_string(most_columns) + " numbers in a row",
                    "ask for fewer columns");
}

Labels labels_of(const Query& query, const Layout& layout, const Row& row) {
  Labels labels;
  for (std::size_t i = 0; i < layout.labels.size(); ++i) {
    const Cell& cell = row[layout.labels[i]];
    labels.emplace_back(query.row_labels[i], cell ? foreign_text(*cell, longest_label) : "NULL");
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

std::string words(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) text += (text.empty() ? "" : ", ") + name + "=" + value;
  return text;
}

std::optional<ProbeFailure> find_twins(const std::vector<Labels>& rows) {
  std::set<Labels> seen;
  for (const Labels& labels : rows) {
    if (seen.insert(labels).second) continue;
    const std::string what = labels.empty() ? "the query gives more than one row, and nothing tells them apart"
                                            : "two rows of the query have the same labels: " + words(labels);
    return unmeasured("rows_not_distinct", what,
                      "name in row_labels the columns that tell the rows apart, or ask for one row");
  }
  return std::nullopt;
}

std::optional<double> number_in(const Cell& cell) { return cell ? to_number(*cell) : std::nullopt; }

void add_numbers(const Table& table, const Layout& layout, const std::vector<Labels>& labels, Observation& seen) {
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    for (const std::size_t column : layout.numbers) {
      if (const auto value = number_in(table.rows[i][column]))
        seen.samples.push_back({foreign_text(table.columns[column].name), *value, std::nullopt, labels[i]});
    }
  }
}

double age(Wall then, Now now) { return std::max(0.0, std::chrono::duration<double>(now.wall - then).count()); }

/// The age of the latest time: of each row where rows have labels, of all of them together otherwise.
void add_newest(const Query& query, const Table& table, std::size_t column, const std::vector<Labels>& labels, Now now,
                Observation& seen) {
  std::optional<Wall> latest;
  std::string without;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Cell& cell = table.rows[i][column];
    if (!cell) {
      without = words(labels[i]);
      if (!query.row_labels.empty()) break;
      continue;
    }
    const auto time = read_time(*cell, query.zone);
    if (!time)
      return reject(unmeasured("not_a_time", quoted(*cell) + " in the column " + quoted(query.newest) + " is no time",
                               "let newest name a column of a date type, or of seconds since 1970"),
                    seen);
    latest = std::max(latest.value_or(*time), *time);
    if (!query.row_labels.empty()) seen.samples.push_back({"newest_age", age(*time, now), std::nullopt, labels[i]});
  }
  const bool some_without = !query.row_labels.empty() && !without.empty();
  if (latest && !some_without) {
    if (query.row_labels.empty()) seen.samples.push_back({"newest_age", age(*latest, now)});
    return;
  }
  // An empty table is the worst case of a stale one, and a limit on an age that does not exist would never be crossed.
  blame(wrong("no_newest", "no row has a time in " + quoted(query.newest) + (some_without ? " for " + without : "")),
        seen);
}

std::uint64_t fingerprint(const Table& table) {
  std::uint64_t hash = fnv1a("");
  for (const Row& row : table.rows) {
    for (const Cell& cell : row) {
      hash = fnv1a(cell ? "=" : "-", hash);
      hash = fnv1a(cell.value_or(""), hash);
      hash = fnv1a(std::string_view("\0", 1), hash);
    }
  }
  return hash;
}

/// "HASH SECONDS": the answer's fingerprint and since when it has been that.
void add_change(const Table& table, Now now, std::string_view memory, Observation& seen) {
  const std::string hash = std::to_string(fingerprint(table));
  std::int64_t since = std::chrono::floor<std::chrono::seconds>(now.wall.time_since_epoch()).count();
  const std::size_t space = memory.find(' ');
  bool changed = false;
  if (space != std::string_view::npos) {
    changed = memory.substr(0, space) != hash;
    std::int64_t before = since;
    std::from_chars(memory.data() + space + 1, memory.data() + memory.size(), before);
    if (!changed) since = std::min(before, since);
  }
  seen.samples.push_back({"changed", changed ? 1.0 : 0.0});
  seen.samples.push_back({"unchanged", age(Wall(std::chrono::seconds(since)), now)});
  seen.memory = hash + " " + std::to_string(since);
}

/// "pending 12, oldest 40": what a row says besides its labels.
std::string describe(const Table& table, const Layout& layout, const Row& row) {
  std::string text;
  std::size_t said = 0;
  for (std::size_t i = 0; i < row.size() && said < most_shown; ++i) {
    if (std::find(layout.labels.begin(), layout.labels.end(), i) != layout.labels.end()) continue;
    const auto number = table.columns[i].numeric ? number_in(row[i]) : std::nullopt;
    const std::string value = number ? say_number(*number) : row[i] ? foreign_text(*row[i], 60) : "NULL";
    text += (said++ > 0 ? ", " : "") + foreign_text(table.columns[i].name, 40) + " " + value;
  }
  return text;
}

void describe_rows(const Query& query, const Table& table, const Layout& layout, const std::vector<Labels>& labels,
                   Observation& seen) {
  for (std::size_t i = 0; i < std::min(table.rows.size(), most_shown); ++i) {
    const std::string label = labels[i].empty() ? "row " + std::to_string(i + 1) : words(labels[i]);
    seen.evidence.push_back({label, describe(table, layout, table.rows[i])});
  }
  const std::string count = std::to_string(query.max_rows);
  if (table.cut)
    seen.evidence.push_back({"rows", "there are more than " + count + "; the rest was not looked at (max_rows)"});
  seen.summary = std::to_string(table.rows.size()) + (table.cut ? " rows and more" : " rows");
  if (table.rows.empty()) seen.summary = "no row";
  if (table.rows.size() == 1 && !table.cut)
    seen.summary = seen.evidence.front().text.empty() ? "1 row" : seen.evidence.front().text;
}

}  // namespace

void judge_query(const Query& query, const Table& table, std::span<const SampleSpec> own, Now now,
                 std::string_view memory, Observation& seen) {
  Layout layout;
  if (auto mistake = lay_out(query, table, own, layout)) return reject(*mistake, seen);
  std::vector<Labels> labels;
  for (const Row& row : table.rows) labels.push_back(labels_of(query, layout, row));
  if (!layout.numbers.empty() || !query.row_labels.empty()) {
    if (auto mistake = find_twins(labels)) return reject(*mistake, seen);
  }
  describe_rows(query, table, layout, labels, seen);
  seen.samples.push_back({"rows", static_cast<double>(table.rows.size())});
  add_change(table, now, memory, seen);
  add_numbers(table, layout, labels, seen);
  if (layout.newest) add_newest(query, table, *layout.newest, labels, now, seen);
}

}  // namespace vitald::probes::sql
