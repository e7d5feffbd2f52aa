#include "probes/laravel_queue_sql.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include "config/ascii.hpp"
#include "probes/foreign_text.hpp"
#include "probes/laravel_queue_keys.hpp"

namespace vitald::probes::laravel_queue {
namespace {

constexpr std::size_t longest_table = 129;
constexpr int most_fresh = 10'000;

/// The database's clock in whole seconds, as Laravel writes its times.
std::string clock(bool postgres) {
  return postgres ? "CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) AS bigint)" : "UNIX_TIMESTAMP()";
}

/// `a.b` to "a"."b": a word of SQL may be a table's name, and PostgreSQL would make an unquoted one lower case.
std::string quoted(const std::string& table, bool postgres) {
  const std::string quote = postgres ? "\"" : "`";
  const auto dot = table.find('.');
  if (dot == std::string::npos) return quote + table + quote;
  return quote + table.substr(0, dot) + quote + "." + quote + table.substr(dot + 1) + quote;
}

ProbeFailure explained(const sql::StatementFailure& failure, const Questions& questions, const std::string& table) {
  const std::set<std::string> missing{"1146", "42P01", "3F000"}, other_columns{"1054", "42703"};
  if (missing.contains(failure.code)) {
    const bool failed = table == questions.failed_table;
    return ProbeFailure(Outcome::unmeasured, "table_missing:" + table,
                        "there is no table '" + table + "' in the database",
                        failed ? "compare 'failed_table' (in 'failed': 'table') with queue.failed.table in "
                                 "config/queue.php, or run: php artisan migrate"
                               : "compare 'table' with the table of the connection in config/queue.php, or run: php "
                                 "artisan migrate");
  }
  if (other_columns.contains(failure.code)) {
    return ProbeFailure(
        Outcome::unmeasured, "not_laravel:" + table,
        "the table '" + table + "' does not have the columns of Laravel's: " + foreign_text(failure.what(), 200),
        "compare the table's name with config/queue.php");
  }
  if (failure.reason != "missing_privilege") return failure;
  // MySQL says so of a table that is not there as well, to somebody who may not know.
  return ProbeFailure(failure.outcome, failure.reason, failure.what(),
                      failure.remedy + "; or, if there is no such table, correct its name in the check");
}

sql::Table query(sql::Session& session, const Questions& questions, const std::string& statement,
                 const std::string& table) {
  try {
    return session.query(statement, {.rows = most_queues + 1, .bytes = 1 << 20});
  } catch (const sql::StatementFailure& failure) {
    throw explained(failure, questions, table);
  }
}

std::int64_t whole(const sql::Table& table, std::size_t row, std::string_view column) {
  const double value = table.number(row, column).value_or(0);
  return static_cast<std::int64_t>(std::clamp(value, 0.0, 9e15));
}

QueueFacts read_queue(const Questions& questions, const sql::Table& table, std::size_t row, std::string name) {
  QueueFacts queue{.name = std::move(name),
                   .pending = whole(table, row, "n_pending"),
                   .delayed = whole(table, row, "n_delayed"),
                   .reserved = whole(table, row, "n_reserved"),
                   .reserved_expired = whole(table, row, "n_expired")};
  if (queue.pending > 0) {
    queue.head = std::to_string(whole(table, row, "head_id"));
    queue.head_at = table.number(row, "head_at");
  } else if (queue.reserved_expired > 0) {
    queue.head = "lost " + std::to_string(whole(table, row, "lost_id"));
    queue.head_at = table.number(row, "lost_at");
    if (queue.head_at) *queue.head_at += static_cast<double>(questions.retry_after_seconds);
  }
  queue.newest = std::to_string(whole(table, row, "newest_id"));
  queue.newest_at = table.number(row, "newest_at");
  return queue;
}

/// MySQL compares without regard to case and answers with the case of some row.
std::size_t row_of(const sql::Table& table, const std::string& name) {
  std::size_t close = table.rows.size();
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const sql::Cell cell = table.cell(row, "queue");
    if (!cell) continue;
    if (*cell == name) return row;
    if (equal_but_case(*cell, name)) close = row;
  }
  return close;
}

void read_names(const sql::Table& table, FailedFacts& failed) {
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const sql::Cell queue = table.cell(row, "queue");
    const sql::Cell payload = table.cell(row, "payload");
    const std::string name = payload ? read_payload(*payload).name : "";
    failed.names.push_back((name.empty() ? "a job" : foreign_text(name, 120)) + " on " +
                           foreign_text(queue.value_or("?"), 60));
  }
}

Questions questions_of(const Config& config, const Facts& facts) {
  Questions questions;
  questions.postgres = config.database.postgres.has_value();
  questions.failed_table = config.failed_table;
  if (facts.before) questions.remembered = facts.before->failed;
  questions.queues = config.queues;
  questions.retry_after_seconds = std::chrono::duration_cast<std::chrono::seconds>(config.retry_after).count();
  return questions;
}

awaitable<Facts> converse(ProbeContext& context, const Config& config, Questions questions) {
  const auto answer = std::make_shared<Facts>();
  sql::Questions ask = [answer, questions = std::move(questions)](sql::Session& session, sql::Talk& talk) {
    talk.begin("query");
    questions.ask(session, *answer);
    talk.end();
  };
  if (config.database.postgres) {
    co_await postgres::with_session(context, *config.database.postgres, std::move(ask));
  } else {
    co_await mysql::with_session(context, *config.database.mysql, std::move(ask));
  }
  co_return std::move(*answer);
}

}  // namespace

bool is_table_name(const std::string& text) {
  const auto dot = text.find('.');
  const bool one_dot = dot == std::string::npos || text.find('.', dot + 1) == std::string::npos;
  const bool in_the_middle = dot == std::string::npos || (dot > 0 && dot + 1 < text.size());
  return !text.empty() && text.size() <= longest_table && one_dot && in_the_middle &&
         std::all_of(text.begin(), text.end(), [](char c) {
           const char small = ascii_lower(c);
           return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
         });
}

std::string Questions::clock_statement() const {
  std::string text = "SELECT " + clock(postgres) + " AS clock";
  if (failed_table.empty()) return text;
  const std::string from = quoted(failed_table, postgres);
  text += ", (SELECT MAX(id) FROM " + from + ") AS newest";
  if (!remembered) return text;
  return text + ", (SELECT COUNT(*) FROM (SELECT id FROM " + from + " WHERE id > " + std::to_string(*remembered) +
         " LIMIT " + std::to_string(most_fresh) + ") AS latest) AS fresh";
}

std::string Questions::names_statement() const {
  return "SELECT queue, CASE WHEN OCTET_LENGTH(payload) <= 65536 THEN payload END AS payload FROM " +
         quoted(failed_table, postgres) + " WHERE id > " + std::to_string(remembered.value_or(0)) +
         " ORDER BY id DESC LIMIT 3";
}

std::string Questions::jobs_statement() const {
  const std::string now = clock(postgres);
  const std::string lost_before = now + " - " + std::to_string(retry_after_seconds);
  const std::string available = "CASE WHEN reserved_at IS NULL AND available_at <= " + now + " THEN ";
  const std::string lost = "CASE WHEN reserved_at <= " + lost_before + " THEN ";
  std::string names;
  for (const std::string& name : queues) names += (names.empty() ? "'" : ", '") + name + "'";
  return "SELECT queue, COUNT(" + available +
         "1 END) AS n_pending, COUNT(CASE WHEN reserved_at IS NULL AND available_at > " + now +
         " THEN 1 END) AS n_delayed, COUNT(reserved_at) AS n_reserved, COUNT(" + lost + "1 END) AS n_expired, MIN(" +
         available + "id END) AS head_id, MIN(" + available + "available_at END) AS head_at, MIN(" + lost +
         "id END) AS lost_id, MIN(" + lost +
         "reserved_at END) AS lost_at, MAX(id) AS newest_id, MAX(created_at) AS newest_at FROM " +
         quoted(table, postgres) + " WHERE queue IN (" + names + ") GROUP BY queue";
}

void Questions::ask(sql::Session& session, Facts& facts) const {
  const sql::Table first = query(session, *this, clock_statement(), failed_table);
  facts.now = first.number(0, "clock").value_or(0);
  if (!failed_table.empty()) {
    facts.failed = FailedFacts{.newest = whole(first, 0, "newest")};
    if (remembered) facts.failed->fresh = whole(first, 0, "fresh");
  }
  if (!table.empty()) {
    const sql::Table jobs = query(session, *this, jobs_statement(), table);
    for (const std::string& name : queues) {
      const std::size_t row = row_of(jobs, name);
      facts.queues.push_back(row < jobs.rows.size() ? read_queue(*this, jobs, row, name) : QueueFacts{.name = name});
    }
  }
  if (!facts.failed || facts.failed->fresh.value_or(0) == 0) return;
  try {
    read_names(session.query(names_statement(), {.rows = 3, .bytes = 1 << 20}), *facts.failed);
  } catch (const sql::StatementFailure&) {
    return;  // the number is what counts; a user may well be kept from the payloads
  }
}

awaitable<void> measure_database(ProbeContext& context, const Config& config, Facts& facts) {
  Questions questions = questions_of(config, facts);
  questions.table = config.table;
  Facts answer = co_await converse(context, config, std::move(questions));
  facts.now = answer.now;
  facts.queues = std::move(answer.queues);
  facts.failed = std::move(answer.failed);
  facts.peer = config.target();
}

awaitable<void> measure_failed(ProbeContext& context, const Config& config, Facts& facts) {
  Questions questions = questions_of(config, facts);
  Facts answer = co_await converse(context, config, std::move(questions));
  facts.failed = std::move(answer.failed);
}

}  // namespace vitald::probes::laravel_queue
