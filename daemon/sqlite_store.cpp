#include "daemon/sqlite_store.hpp"

#include <utility>

#include "daemon/sqlite.hpp"
#include "daemon/sqlite_file.hpp"
#include "daemon/state_directory.hpp"

namespace vitald::daemon {
namespace {

using sqlite::Ailment;
using sqlite::Connection;
using sqlite::Statement;
using sqlite::Trouble;

std::int64_t nanoseconds(Wall at) { return at.time_since_epoch().count(); }

/// Everything that the store says to SQLite after the file is open, prepared once.
struct Statements {
  Connection& connection;
  Statement put_check{connection,
                      "INSERT INTO checks (name, state) VALUES (?1, ?2)"
                      " ON CONFLICT (name) DO UPDATE SET state = excluded.state WHERE state <> excluded.state"};
  Statement drop_check{connection, "DELETE FROM checks WHERE name = ?1"};
  Statement put_note{connection,
                     "INSERT INTO notes (key, state) VALUES (?1, ?2)"
                     " ON CONFLICT (key) DO UPDATE SET state = excluded.state WHERE state <> excluded.state"};
  Statement drop_note{connection, "DELETE FROM notes WHERE key = ?1"};
  // One subject has one open incident. Where memory was lost and an older one still stands, it becomes history.
  Statement supersede{connection,
                      "UPDATE incidents SET open = 0, closed = ?3 WHERE subject = ?1 AND open = 1 AND id <> ?2"};
  Statement put_open{connection,
                     "INSERT INTO incidents (id, subject, open, opened, record) VALUES (?1, ?2, 1, ?3, ?4)"
                     " ON CONFLICT (id) DO UPDATE SET subject = ?2, open = 1, opened = ?3, closed = NULL, record = ?4"};
  Statement put_closed{
      connection,
      "INSERT INTO incidents (id, subject, open, opened, record, closed) VALUES (?1, ?2, 0, ?3, ?4, ?5)"
      " ON CONFLICT (id) DO UPDATE SET subject = ?2, open = 0, opened = ?3, record = ?4, closed = ?5"};
  // History is kept for 400 days and 10,000 incidents, and dropped 200 rows at a time: as many as a busy minute adds,
  // few enough not to be felt in a commit. Days count back from the latest closing, so that a wrong clock empties
  // nothing.
  Statement prune{connection,
                  "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE open = 0 AND (closed < ?1 OR"
                  " (SELECT count(*) FROM incidents WHERE open = 0) > 10000) ORDER BY closed LIMIT"
                  " min(200, max((SELECT count(*) FROM incidents WHERE open = 0) - 10000,"
                  " (SELECT count(*) FROM incidents WHERE open = 0 AND closed < ?1))))"};
  Statement put_message{
      connection, "INSERT OR IGNORE INTO outbox (incident, sequence, receiver, notification) VALUES (?1, ?2, ?3, ?4)"};
  Statement drop_message{connection, "DELETE FROM outbox WHERE incident = ?1 AND sequence = ?2 AND receiver = ?3"};
  Statement begin{connection, "BEGIN IMMEDIATE"};
  Statement commit{connection, "COMMIT"};

  explicit Statements(Connection& of) : connection(of) {}

  bool valid() const {
    return put_check.valid() && drop_check.valid() && supersede.valid() && put_open.valid() && put_closed.valid() &&
           put_note.valid() && drop_note.valid() && prune.valid() && put_message.valid() && drop_message.valid() &&
           begin.valid() && commit.valid();
  }

  bool put(const alerting::CheckRecord& check) {
    if (check.removed) return drop_check.bind(1, check.name).run();
    return put_check.bind(1, check.name).bind(2, check.state).run();
  }

  bool put(const alerting::NoteRecord& note) {
    if (note.removed) return drop_note.bind(1, note.key).run();
    return put_note.bind(1, note.key).bind(2, note.state).run();
  }

  bool put(const alerting::IncidentRecord& incident) {
    constexpr std::int64_t history = std::chrono::nanoseconds(std::chrono::hours(24) * 400).count();
    const std::string record = to_json(incident);
    const std::int64_t opened = nanoseconds(incident.opened);
    if (incident.closed) {
      const std::int64_t closed = nanoseconds(*incident.closed);
      return put_closed.bind(1, incident.id)
                 .bind(2, incident.subject)
                 .bind(3, opened)
                 .bind(4, record)
                 .bind(5, closed)
                 .run() &&
             prune.bind(1, closed - history).run();
    }
    return supersede.bind(1, incident.subject).bind(2, incident.id).bind(3, opened).run() &&
           put_open.bind(1, incident.id).bind(2, incident.subject).bind(3, opened).bind(4, record).run();
  }

  bool put(const alerting::Notification& notification) {
    const std::string text = to_json(notification);
    const alerting::NotificationId& id = notification.id;
    return put_message.bind(1, id.incident).bind(2, id.sequence).bind(3, id.receiver).bind(4, text).run();
  }

  bool put(const alerting::Effects& effects) {
    for (const auto& check : effects.checks) {
      if (!put(check)) return false;
    }
    for (const auto& incident : effects.incidents) {
      if (!put(incident)) return false;
    }
    for (const auto& note : effects.notes) {
      if (!put(note)) return false;
    }
    for (const auto& notification : effects.outbox) {
      if (!put(notification)) return false;
    }
    for (const auto& id : effects.settled) {
      if (!drop_message.bind(1, id.incident).bind(2, id.sequence).bind(3, id.receiver).run()) return false;
    }
    return true;
  }

  bool put(std::span<const alerting::Effects> group) {
    if (!begin.run()) return false;
    for (const auto& effects : group) {
      if (!put(effects)) return false;
    }
    return commit.run();
  }
};

}  // namespace

struct SqliteStore::State {
  std::filesystem::path path;
  std::unique_ptr<StateDirectory> directory;  // nothing while the disk cannot even be asked
  Connection connection;
  std::optional<Statements> statements;       // nothing while the store is closed
  std::optional<alerting::Effects> salvaged;  // out of a damaged file, not yet in the new one
  std::optional<Failure> trouble;
  std::string remedy;
  std::string note;
  bool distrust = false;  // the file has shown damage that a check at open may not find

  Failure fail(const Trouble& what) {
    // Closed without a check-point: after a failed write or sync nothing may be copied into the file before it is
    // verified.
    connection.trust(false);
    statements.reset();
    connection.close();
    distrust = distrust || what.ailment == Ailment::damaged;
    trouble = Failure{"", sqlite::describe(what, path)};
    remedy = sqlite::remedy(what, path);
    return *trouble;
  }

  Result<void> claim() {
    if (directory) return {};
    auto claimed = StateDirectory::claim(path);
    if (!claimed.refusal) return claimed.refusal;
    if (claimed.ailing != 0) {
      fail(sqlite::from_errno(claimed.ailing));
      return {};
    }
    directory = std::move(claimed.directory);
    return {};
  }

  /// A failure is a refusal; a disk that fails is told in `trouble`.
  Result<void> open(Wall now) {
    trouble.reset();
    statements.reset();
    if (auto claimed = claim(); !claimed) return claimed;
    if (trouble) return {};
    auto opening = sqlite::open_file(connection, *directory, distrust, now);
    if (!opening.refusal) return opening.refusal;
    if (opening.salvaged) {
      distrust = false;
      note = "the damaged " + (directory->path() / "vitald.db").string() + " was moved aside to " + opening.aside +
             "; " + opening.salvaged->words();
      salvaged = std::move(opening.salvaged->rows);
    }
    if (!opening.well()) {
      fail(opening.trouble);
      return {};
    }
    statements.emplace(connection);
    if (!statements->valid()) {
      const Trouble missing{Ailment::damaged, connection.trouble().text};
      fail(connection.trouble().ailment == Ailment::other ? missing : connection.trouble());
      return {};
    }
    if (salvaged && !statements->put(std::span(&*salvaged, 1))) {
      fail(connection.trouble());
    } else {
      salvaged.reset();
    }
    return {};
  }

  /// Damage that only shows when the statements are prepared is met by a second attempt, which moves the file aside.
  Result<void> open_twice(Wall now) {
    auto opened = open(now);
    if (opened && trouble && distrust) return open(now);
    return opened;
  }
};

SqliteStore::SqliteStore(std::unique_ptr<State> state) : state_(std::move(state)) {}

SqliteStore::~SqliteStore() {
  state_->statements.reset();
  state_->connection.close();
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& directory, Wall now) {
  auto state = std::make_unique<State>();
  state->path = directory;
  if (auto opened = state->open_twice(now); !opened) {
    state->statements.reset();
    return opened.failure();
  }
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(state)));
}

const std::optional<Failure>& SqliteStore::trouble() const { return state_->trouble; }
const std::string& SqliteStore::note() const { return state_->note; }
std::string SqliteStore::remedy() const { return state_->remedy; }

Result<std::string> SqliteStore::reopen(Wall now) {
  if (auto opened = state_->open_twice(now); !opened) return opened.failure();
  if (state_->trouble) return *state_->trouble;
  return std::exchange(state_->note, "");
}

Result<void> SqliteStore::commit(std::span<const alerting::Effects> group) {
  if (!state_->statements) return state_->trouble.value_or(Failure{"", "the store is closed"});
  if (state_->statements->put(group)) return {};
  return state_->fail(state_->connection.trouble());
}

Result<std::vector<alerting::IncidentRecord>> SqliteStore::history(const HistoryQuery& query) {
  if (!state_->statements) return state_->trouble.value_or(Failure{"", "the store is closed"});
  std::vector<alerting::IncidentRecord> found;
  const auto read = [&](Statement& rows) {
    while (rows.step()) {
      if (auto record = alerting::incident_from_json(rows.text(0))) found.push_back(std::move(*record));
    }
    return rows.ended_well();
  };
  const auto most = static_cast<std::int64_t>(query.most);
  bool whole = false;
  if (query.prefix.empty()) {
    Statement rows(state_->connection,
                   "SELECT record FROM incidents WHERE open = 0 AND closed >= ?1 ORDER BY closed DESC, id LIMIT ?2");
    whole = read(rows.bind(1, nanoseconds(query.since)).bind(2, most));
  } else {
    const std::string end = query.prefix + "~";  // behind every letter and digit
    Statement rows(state_->connection,
                   "SELECT record FROM incidents WHERE open = 0 AND id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3");
    whole = read(rows.bind(1, query.prefix).bind(2, end).bind(3, most));
  }
  if (!whole) return Failure{"", "the history cannot be read: " + state_->connection.trouble().text};
  return found;
}

Result<alerting::Snapshot> SqliteStore::load() {
  if (!state_->statements) return state_->trouble.value_or(Failure{"", "the store is closed"});
  alerting::Snapshot snapshot;
  std::size_t senseless = 0;
  const auto read = [&](const char* query, const auto& take) {
    Statement rows(state_->connection, query);
    while (rows.step()) {
      if (!take(rows)) ++senseless;
    }
    return rows.ended_well();
  };
  const bool whole =
      read("SELECT name, state FROM checks",
           [&](const Statement& row) {
             snapshot.checks.push_back({row.text(0), row.text(1)});
             return true;
           }) &&
      read("SELECT key, state FROM notes ORDER BY key",
           [&](const Statement& row) {
             snapshot.notes.push_back({row.text(0), row.text(1)});
             return true;
           }) &&
      // Closed ones too while a message of theirs is undelivered: the engine keeps who was told, and the handles, in
      // them.
      read("SELECT record FROM incidents WHERE open = 1 OR id IN (SELECT incident FROM outbox) ORDER BY opened, id",
           [&](const Statement& row) {
             auto record = alerting::incident_from_json(row.text(0));
             if (record) snapshot.incidents.push_back(std::move(*record));
             return static_cast<bool>(record);
           }) &&
      // Within an incident by sequence, even where salvage has put them in as they came.
      read("SELECT notification FROM outbox ORDER BY min(position) OVER (PARTITION BY incident), sequence, position",
           [&](const Statement& row) {
             auto notification = alerting::notification_from_json(row.text(0));
             if (notification) snapshot.outbox.push_back(std::move(*notification));
             return static_cast<bool>(notification);
           });
  if (!whole) return state_->fail(state_->connection.trouble());
  if (senseless > 0) {
    state_->note += (state_->note.empty() ? "" : "; ") + std::to_string(senseless) + " rows of " +
                    (state_->path / "vitald.db").string() + " made no sense and were left out";
  }
  return snapshot;
}

}  // namespace vitald::daemon
