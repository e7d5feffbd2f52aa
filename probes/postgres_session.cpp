#include "probes/postgres_session.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

namespace vitald::probes::postgres {
namespace {

struct Clear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

constexpr Oid boolean_type = 16;
// int8, int2, int4, oid, float4, float8, numeric (server/catalog/pg_type_d.h: these numbers never change).
constexpr std::array<Oid, 7> number_types{20, 21, 23, 26, 700, 701, 1700};
// Frames around the values: seven bytes for a row, four for a value, and TLS's own.
constexpr std::size_t frame_bytes = 64 * 1024;

bool is_number(Oid type) {
  return type == boolean_type || std::find(number_types.begin(), number_types.end(), type) != number_types.end();
}

/// What came of one statement so far.
struct Answer {
  sql::Table table;
  std::vector<Oid> types;
  std::size_t bytes = 0;
  bool too_large = false;
  std::optional<ServerError> error;
  bool fatal = false;  // the error ends the connection
  std::string unfit;   // what it is instead of rows
};

void take_columns(const PGresult* result, Answer& answer) {
  if (!answer.table.columns.empty()) return;
  for (int i = 0; i < PQnfields(result); ++i) {
    const Oid type = PQftype(result, i);
    answer.types.push_back(type);
    answer.table.columns.push_back({.name = PQfname(result, i), .numeric = is_number(type)});
  }
}

void take_row(const PGresult* result, const sql::Bounds& bounds, Answer& answer) {
  answer.table.cut = answer.table.cut || answer.table.rows.size() >= bounds.rows;
  if (answer.table.cut || answer.too_large) return;
  sql::Row row;
  for (int i = 0; i < PQnfields(result); ++i) {
    if (PQgetisnull(result, 0, i) != 0) {
      row.emplace_back();
      continue;
    }
    const auto size = static_cast<std::size_t>(PQgetlength(result, 0, i));
    answer.bytes += size;
    answer.too_large = answer.bytes > bounds.bytes;
    if (answer.too_large) return;
    std::string text(PQgetvalue(result, 0, i), size);
    if (answer.types[static_cast<std::size_t>(i)] == boolean_type) text = text == "t" ? "1" : "0";
    row.emplace_back(std::move(text));
  }
  answer.table.rows.push_back(std::move(row));
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

void take(const PGresult* result, const sql::Bounds& bounds, Answer& answer) {
  switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
      take_columns(result, answer);
      return take_row(result, bounds, answer);
    case PGRES_TUPLES_OK:
      return take_columns(result, answer);
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
      answer.unfit = "the statement gives no rows";
      return;
    case PGRES_FATAL_ERROR:
      if (answer.error) return;
      answer.error = ServerError{field(result, PG_DIAG_SQLSTATE), field(result, PG_DIAG_MESSAGE_PRIMARY)};
      // Errors of libpq's own making have no code: then the connection is gone, or what came was no PostgreSQL.
      answer.fatal = answer.error->code.empty() || field(result, PG_DIAG_SEVERITY_NONLOCALIZED) != "ERROR";
      return;
    default:
      answer.unfit = "the statement copies instead of giving rows";
      answer.fatal = true;
  }
}

ProbeFailure too_large(const sql::Bounds& bounds) {
  return ProbeFailure(Outcome::unmeasured, "answer_too_large",
                      "the answer to the query is larger than " + std::to_string(bounds.bytes / 1024) + " KiB",
                      "select fewer columns and rows, or shorten texts with left(column, 100)");
}

class PostgresSession final : public sql::Session {
 public:
  PostgresSession(std::unique_ptr<Wire> wire, Asked asked, sql::Talk& talk)
      : wire_(std::move(wire)), asked_(std::move(asked)), talk_(&talk) {
    talk_->use(wire_->relay.server());
  }
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;
  ~PostgresSession() override {
    if (talk_ != nullptr) talk_->use(-1);
  }

  bool resume(sql::Talk& talk) override {
    // Whatever a server says unasked is its end: shut down, timed out, terminated by an administrator.
    if (dead_ || !wire_->relay.quiet()) return false;
    talk_ = &talk;
    talk_->use(wire_->relay.server());
    return true;
  }

  void rest() override {
    talk_->use(-1);
    talk_ = nullptr;
  }

  sql::Table query(const std::string& statement, const sql::Bounds& bounds) override {
    if (dead_) throw lost(asked_);
    talk_->begin("query");
    dead_ = true;  // until its end was read
    Answer answer = ask(statement, bounds);
    talk_->end();
    if (answer.too_large) throw too_large(bounds);
    if (answer.error && answer.fatal) fail(*answer.error);
    if (answer.error) throw statement_failure(*answer.error, asked_);
    if (!answer.unfit.empty())
      throw sql::StatementFailure("", Outcome::unmeasured, "query_mistake", answer.unfit, "vitald wants a SELECT");
    return std::move(answer.table);
  }

 private:
  PGconn* connection() { return wire_->connection.get(); }

  [[noreturn]] void fail(const ServerError& error) const {
    if (!error.code.empty()) throw refusal(error, asked_);
    throw lost(asked_);
  }

  Answer ask(const std::string& statement, const sql::Bounds& bounds) {
    Answer answer;
    wire_->relay.allow(2 * bounds.bytes + frame_bytes);
    // The extended protocol takes one statement only, whatever a semicolon hides.
    if (PQsendQueryParams(connection(), statement.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) != 1)
      throw lost(asked_);
    PQsetSingleRowMode(connection());
    while (PQflush(connection()) == 1) carry(Wanted::writing);
    while (true) {
      const bool within = wait_for_result();
      answer.too_large = answer.too_large || (!within && !answer.table.cut);
      if (!within) return answer;
      const Result result(PQgetResult(connection()));
      if (!result) break;
      take(result.get(), bounds, answer);
      if (answer.fatal) return answer;
    }
    dead_ = PQstatus(connection()) != CONNECTION_OK || PQtransactionStatus(connection()) != PQTRANS_IDLE;
    return answer;
  }

  bool carry(Wanted wanted) { return wire_->relay.turn(wanted, *talk_); }

  /// False where the server says more than it may. A connection that has gone counts as a result: libpq makes one.
  bool wait_for_result() {
    while (PQisBusy(connection()) == 1) {
      if (!carry(Wanted::reading)) return false;
      if (PQconsumeInput(connection()) != 1) return true;
    }
    return true;
  }

  std::unique_ptr<Wire> wire_;
  const Asked asked_;
  sql::Talk* talk_;
  bool dead_ = false;  // half read, or gone
};

}  // namespace

std::unique_ptr<sql::Session> log_in(const Login& login, sql::Talk& talk) {
  return std::make_unique<PostgresSession>(open_wire(login, talk), login.asked, talk);
}

}  // namespace vitald::probes::postgres
