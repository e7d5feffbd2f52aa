// The laravel-queue probe's questions to MySQL, MariaDB and PostgreSQL, as texts and as answers read.
#pragma once

#include <string>

#include "probes/laravel_queue.hpp"

namespace vitald::probes::laravel_queue {

/// One run's questions. Owned by the job on the worker.
struct Questions {
  bool postgres = false;
  std::string table;                            // "": no question about jobs
  std::string failed_table;                     // "": no question about failed ones
  std::optional<std::int64_t> remembered = {};  // FailedFacts::newest of the last run
  std::vector<std::string> queues = {};
  std::int64_t retry_after_seconds = 90;

  std::string jobs_statement() const;
  std::string clock_statement() const;  // the server's clock, and the failed ones
  std::string names_statement() const;  // of the newest failed ones

  /// Fills `now`, `queues` and `failed`. Throws ProbeFailure: "table_missing:…", "not_laravel:…", and what the
  /// session throws.
  void ask(sql::Session& session, Facts& facts) const;
};

/// Where the jobs are in the database: `now`, `queues`, `failed`, `peer`.
awaitable<void> measure_database(ProbeContext& context, const Config& config, Facts& facts);
/// The failed jobs of queues in Redis: `failed` alone.
awaitable<void> measure_failed(ProbeContext& context, const Config& config, Facts& facts);

/// A table's name, maybe with its schema or database in front.
bool is_table_name(const std::string& text);

}  // namespace vitald::probes::laravel_queue
