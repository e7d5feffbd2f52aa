// `query:` of the mysql and postgres kinds: any SELECT, its numbers as samples, one row of them for each row of its
// answer.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/reader.hpp"
#include "probes/probe.hpp"
#include "probes/sql/session.hpp"

namespace date {
class time_zone;
}

namespace vitald::probes::sql {

struct Query {
  std::string statement;
  std::vector<std::string> row_labels;    // columns whose text tells the rows apart
  std::string newest;                     // column that holds a time; "": none
  const date::time_zone* zone = nullptr;  // of times without an offset; nullptr: UTC
  std::size_t max_rows = 50;
  std::vector<std::string> limited;         // what the check's `limits` name

  Bounds bounds() const;
};

/// What is wrong with the statement, or "": it must be one that reads, and only one. The server is asked for a
/// read-only session all the same; this is for the message at check-config.
std::string objection_to_statement(std::string_view statement);

/// query, row_labels, newest, timezone, max_rows; nothing where there is no `query`.
std::optional<Query> read_query(config::Reader& in);

/// The samples that a query gives besides its columns. A kind that has `query:` lists them in its own table.
inline constexpr SampleSpec rows_sample{.name = "rows", .help = "Rows that the query gave"};
inline constexpr SampleSpec newest_sample{
    .name = "newest_age", .unit = Unit::seconds, .help = "Age of the latest time in the column that `newest` names"};
inline constexpr SampleSpec changed_sample{
    .name = "changed", .kind = SampleKind::event, .help = "1 when the answer is another than at the last run"};
inline constexpr SampleSpec unchanged_sample{
    .name = "unchanged", .unit = Unit::seconds, .help = "For how long the answer has been the same"};

/// Fills `seen`: samples, evidence, summary, memory. `own` is the kind's table, whose names no column may have.
void judge_query(const Query& query, const Table& table, std::span<const SampleSpec> own, Now now,
                 std::string_view memory, Observation& seen);

}  // namespace vitald::probes::sql
