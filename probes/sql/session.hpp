// What MySQL and PostgreSQL have in common for a probe: a logged-in connection that answers SELECTs, read-only and
// bounded. Everything here blocks, so it is used on a worker (conversation.hpp) and by one thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probes/failure.hpp"

namespace vitald::probes::sql {

struct Column {
  std::string name;
  bool numeric = false;  // by the type that the server says, never by what the text looks like
};

using Cell = std::optional<std::string>;  // nothing: NULL
using Row = std::vector<Cell>;            // one cell for each column

struct Table {
  std::vector<Column> columns;
  std::vector<Row> rows;
  bool cut = false;  // there were more rows than were read

  /// The place of the column of that name, whatever the case of its letters; nothing: no such column.
  std::optional<std::size_t> column(std::string_view name) const;
  /// The cell, or nothing when there is no such row or column, or it is NULL.
  Cell cell(std::size_t row, std::string_view column) const;
  /// The same as a number: nothing when it is none.
  std::optional<double> number(std::size_t row, std::string_view column) const;
};

/// How much of an answer is read. A row or a value that goes over `bytes` is a failure ("answer_too_large").
struct Bounds {
  std::size_t rows = 1000;
  std::size_t bytes = 1 << 20;
};

/// The server refused one statement and the session can go on.
struct StatementFailure : ProbeFailure {
  StatementFailure(std::string code_, Outcome outcome_, std::string reason_, std::string summary,
                   std::string remedy_ = "")
      : ProbeFailure(outcome_, std::move(reason_), std::move(summary), std::move(remedy_)), code(std::move(code_)) {}
  std::string code;  // MySQL's error number or the SQLSTATE of PostgreSQL: "1227", "42501"
};

class Talk;

class Session {
 public:
  /// Closes the connection at once: says goodbye only if that cannot block. A kept one may go on the loop.
  virtual ~Session() = default;
  /// A kept session begins another run: it belongs to that run's talk from now on. False where the server has closed it
  /// in the meantime.
  virtual bool resume(Talk& talk) = 0;
  /// The run is over and its talk goes: nothing may sever the session any more.
  virtual void rest() = 0;
  /// One statement's answer. Throws StatementFailure where the server refused it, and a plain ProbeFailure where the
  /// connection is of no use any more (gone, cut by the deadline, answer too large).
  virtual Table query(const std::string& statement, const Bounds& bounds) = 0;
};

}  // namespace vitald::probes::sql
