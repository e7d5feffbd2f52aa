#include "daemon/sqlite_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "config/units.hpp"
#include "daemon/sqlite_schema.hpp"

namespace vitald::daemon::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr const char* database = "vitald.db";
constexpr const char* log_of_database = "vitald.db-wal";
constexpr const char* unfinished = "vitald.db.new";
constexpr std::size_t damaged_kept = 3;
const std::array suffixes = {"", "-wal", "-shm"};

Opening in_trouble(Trouble trouble) {
  Opening opening;
  opening.trouble = std::move(trouble);
  return opening;
}

Opening refused(Failure failure) {
  Opening opening;
  opening.refusal = std::move(failure);
  return opening;
}

bool exists(const StateDirectory& directory, const std::string& name) {
  return ::faccessat(directory.fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/// A new file is made under another name and renamed when it is whole, so that an empty vitald.db is always damage.
Trouble create(const StateDirectory& directory) {
  for (const char* suffix : suffixes) ::unlinkat(directory.fd(), (unfinished + std::string(suffix)).c_str(), 0);
  // Made by us, since SQLite would make it readable for others; its log then takes the mode of the file.
  const int fd = ::openat(directory.fd(), unfinished, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return from_errno(errno);
  ::fchmod(fd, 0600);
  ::close(fd);
  Connection connection;
  const fs::path file = directory.path() / unfinished;
  const bool made = connection.open(file) && make_durable(connection) &&
                    migrate(connection, migrations(), directory.path() / "unused") &&
                    connection.run("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!made) return connection.trouble();
  connection.trust(true);  // the close removes the log, so that one file is renamed, not two
  connection.close();
  if (::renameat(directory.fd(), unfinished, directory.fd(), database) != 0) return from_errno(errno);
  return directory.sync() ? Trouble{} : from_errno(errno);
}

/// Why the file cannot be trusted, or nothing. A version that is newer than ours is a refusal, made before anything is
/// written; everything up to here leaves the file as it is.
Opening verify(Connection& connection, const StateDirectory& directory) {
  const fs::path file = directory.path() / database;
  std::error_code unknown;
  if (fs::file_size(file, unknown) == 0 && !unknown) return in_trouble({Ailment::damaged, "is empty"});
  if (!connection.open(file)) return in_trouble(connection.trouble());
  const auto version = connection.number("PRAGMA user_version");
  if (!version) return in_trouble(connection.trouble());
  const int newest = migrations().back().to;
  if (*version > newest) {
    return refused({file, "was written by a newer vitald (its schema is " + std::to_string(*version) +
                              ", this one knows " + std::to_string(newest) +
                              "); install that version again, or give this one a `state:` directory of its own"});
  }
  if (*version < 1) return in_trouble({Ailment::damaged, "is not a file of vitald's"});
  const auto verdict = connection.text("PRAGMA quick_check(1)");
  if (!verdict) return in_trouble(connection.trouble());
  if (verdict != "ok") return in_trouble({Ailment::damaged, *verdict});
  return {};
}

Trouble make_ready(Connection& connection, const StateDirectory& directory) {
  const auto version = connection.number("PRAGMA user_version").value_or(0);
  const fs::path backup = directory.path() / ("vitald.db.schema-" + std::to_string(version));
  // Counting the opening is the proof that the file can be written to.
  const bool writable = make_durable(connection) && migrate(connection, migrations(), backup) &&
                        connection.run("UPDATE meta SET value = value + 1 WHERE key = 'openings'");
  if (!writable) return connection.trouble();
  // After a failed fsync the kernel drops the dirty mark, and pages of the log that look written may not be: copying
  // all of the log into the file and syncing that is the only way to know. The first column says whether a reader was
  // in the way.
  const auto blocked = connection.number("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!blocked) return connection.trouble();
  if (*blocked != 0) return {Ailment::busy, "a reader holds the log"};
  connection.trust(true);
  return {};
}

std::string stamp(Wall now) {
  std::string text = rfc3339(now).substr(0, 19);  // 2026-11-21T23:22:45
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text + "Z";
}

/// The newest few are kept: a disk that damages the file again and again must not be filled by that.
void drop_older(const StateDirectory& directory) {
  std::vector<fs::path> kept;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory.path(), failed)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("vitald.db.corrupt-") && name.ends_with("Z")) kept.push_back(entry.path());
  }
  std::sort(kept.begin(), kept.end());
  for (std::size_t i = 0; i + damaged_kept < kept.size(); ++i) {
    for (const char* suffix : suffixes) fs::remove(kept[i].string() + suffix, failed);
  }
}

Trouble move_aside(const StateDirectory& directory, const std::string& name) {
  for (const char* suffix : suffixes) {
    const std::string from = database + std::string(suffix);
    const std::string to = name + suffix;
    if (::renameat(directory.fd(), from.c_str(), directory.fd(), to.c_str()) != 0 && errno != ENOENT)
      return from_errno(errno);
  }
  drop_older(directory);
  return {};
}

}  // namespace

Opening open_file(Connection& connection, const StateDirectory& directory, bool distrust, Wall now) {
  connection.close();
  for (const char* suffix : suffixes) {
    const auto inspected = directory.inspect(database + std::string(suffix));
    if (!inspected.refusal) return refused(inspected.refusal.failure());
    if (inspected.ailing != 0) return in_trouble(from_errno(inspected.ailing));
  }
  Opening opening;
  const bool whole = exists(directory, database);
  Trouble trouble{distrust || !whole ? Ailment::damaged : Ailment::none, "is gone"};
  // A log without its file must not be there when a new file takes the name: SQLite would play it into that.
  if (whole || exists(directory, log_of_database)) {
    if (trouble.ailment == Ailment::none) {
      opening = verify(connection, directory);
      if (!opening.refusal) connection.close();
      if (!opening.refusal) return opening;
      trouble = opening.trouble;
    }
    if (trouble.ailment == Ailment::none) trouble = make_ready(connection, directory);
    if (trouble.ailment == Ailment::none) return {};
    connection.close();
    if (trouble.ailment != Ailment::damaged) return in_trouble(trouble);
    opening = {};
    opening.aside = "vitald.db.corrupt-" + stamp(now);
    if (Trouble stuck = move_aside(directory, opening.aside); stuck.ailment != Ailment::none) return in_trouble(stuck);
    opening.salvaged = salvage(directory.path() / opening.aside);
  }
  trouble = create(directory);
  if (trouble.ailment == Ailment::none && !connection.open(directory.path() / database)) trouble = connection.trouble();
  if (trouble.ailment == Ailment::none) trouble = make_ready(connection, directory);
  opening.trouble = trouble;
  if (trouble.ailment != Ailment::none) connection.close();
  return opening;
}

}  // namespace vitald::daemon::sqlite
