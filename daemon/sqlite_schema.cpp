#include "daemon/sqlite_schema.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

namespace vitald::daemon::sqlite {
namespace {

// 1447642220 spells "VItl" and tells file(1) and us whose file it is.
constexpr const char* first_tables = R"sql(
  PRAGMA application_id = 1447642220;
  CREATE TABLE meta (
    key   TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
  );
  INSERT INTO meta VALUES ('openings', 0);
  CREATE TABLE checks (
    name  TEXT PRIMARY KEY NOT NULL,
    state TEXT NOT NULL                -- JSON, the engine's own
  );
  CREATE TABLE incidents (
    id      TEXT PRIMARY KEY NOT NULL,
    subject TEXT NOT NULL,
    open    INTEGER NOT NULL,          -- 1 or 0
    opened  INTEGER NOT NULL,          -- nanoseconds since 1970, UTC
    closed  INTEGER,
    record  TEXT NOT NULL              -- JSON
  );
  CREATE UNIQUE INDEX incidents_open ON incidents (subject) WHERE open = 1;
  CREATE INDEX incidents_history ON incidents (closed) WHERE open = 0;
  CREATE TABLE outbox (
    position     INTEGER PRIMARY KEY,  -- the order in which they were decided
    incident     TEXT NOT NULL,
    sequence     INTEGER NOT NULL,
    receiver     TEXT NOT NULL,
    notification TEXT NOT NULL,        -- JSON
    UNIQUE (incident, sequence, receiver)
  );
)sql";

constexpr const char* notes_table = R"sql(
  CREATE TABLE notes (
    key   TEXT PRIMARY KEY NOT NULL,   -- "KIND:NAME"
    state TEXT NOT NULL                -- JSON, the engine's own
  );
)sql";

constexpr std::array all_migrations = {Migration{1, first_tables}, Migration{2, notes_table}};

bool back_up(Connection& connection, const std::filesystem::path& backup) {
  std::error_code ignored;
  std::filesystem::remove(backup, ignored);
  Statement copy(connection, "VACUUM INTO ?1");
  const std::string name = backup.string();
  if (!copy.bind(1, name).run()) return false;
  // VACUUM INTO neither keeps the mode nor syncs; a backup that a power cut empties is none.
  const int fd = ::open(backup.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  const bool kept = fd >= 0 && ::fchmod(fd, 0600) == 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return kept || connection.failed(SQLITE_IOERR);
}

}  // namespace

std::span<const Migration> migrations() { return all_migrations; }

bool migrate(Connection& connection, std::span<const Migration> steps, const std::filesystem::path& backup) {
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return false;
  if (steps.empty() || *version >= steps.back().to) return true;
  if (*version > 0 && !back_up(connection, backup)) return false;
  bool done = connection.run("BEGIN IMMEDIATE");
  for (const Migration& step : steps) {
    if (step.to <= *version) continue;
    const std::string mark = "PRAGMA user_version = " + std::to_string(step.to);
    done = done && connection.run(step.statements) && connection.run(mark.c_str());
  }
  if (done && connection.run("COMMIT")) return true;
  // Not run(): what failed first is what people should read.
  sqlite3_exec(connection.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
  return false;
}

bool make_durable(Connection& connection) {
  // 1,000 pages (4 MiB) between check-points, and a log that a burst has grown is cut back to 16 MiB.
  return connection.text("PRAGMA journal_mode = WAL") == "wal" &&
         connection.run("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000") &&
         connection.number("PRAGMA journal_size_limit = 16777216").has_value();
}

}  // namespace vitald::daemon::sqlite
