#include "daemon/sqlite.hpp"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>

#include "config/units.hpp"

namespace vitald::daemon::sqlite {
namespace {

constexpr int longest_value = 16 << 20;
// Below the recorder's patience of five seconds, so that a reader in the way is called one, and not a slow disk.
constexpr int busy_milliseconds = 4000;

Ailment ailment_of(int code, int error) {
  if (error == ENOSPC || error == EDQUOT) return Ailment::full;
  if (error == EROFS) return Ailment::read_only;
  switch (code & 0xff) {
    case SQLITE_FULL:
      return Ailment::full;
    case SQLITE_READONLY:
      return Ailment::read_only;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Ailment::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Ailment::damaged;
    case SQLITE_IOERR:
      return Ailment::broken;
    default:
      return Ailment::other;
  }
}

std::string used_share(const std::filesystem::path& directory) {
  struct statvfs room {};
  if (::statvfs(directory.c_str(), &room) != 0 || room.f_blocks == 0) return "";
  const double available = static_cast<double>(room.f_bavail) / static_cast<double>(room.f_blocks);
  return " (used " + say_ratio(1 - available) + ")";
}

}  // namespace

Trouble from_errno(int error) {
  Trouble trouble{ailment_of(SQLITE_OK, error), std::strerror(error)};
  if (error == EIO) trouble.ailment = Ailment::broken;
  return trouble;
}

std::string describe(const Trouble& trouble, const std::filesystem::path& directory) {
  const std::string place = directory.string();
  switch (trouble.ailment) {
    case Ailment::none:
      return "";
    case Ailment::full:
      return "no space left on " + place + used_share(directory);
    case Ailment::read_only:
      return place + " is read-only";
    case Ailment::broken:
      return "the disk under " + place + " reports errors (" + trouble.text + ")";
    case Ailment::busy:
      return "another program holds a lock on " + place + "/vitald.db";
    case Ailment::damaged:
      return place + "/vitald.db is damaged";
    case Ailment::other:
      break;
  }
  return place + "/vitald.db: " + trouble.text;
}

std::string remedy(const Trouble& trouble, const std::filesystem::path& directory) {
  const std::string place = directory.string();
  switch (trouble.ailment) {
    case Ailment::none:
      return "";
    case Ailment::full:
      return "free space on " + place + " (df -h " + place + "); alerts go out from memory meanwhile";
    case Ailment::read_only:
      return "see why with: findmnt -T " + place + "; dmesg | tail; alerts go out from memory meanwhile";
    case Ailment::broken:
      return "see dmesg and the health of the disk; alerts go out from memory meanwhile";
    case Ailment::busy:
      return "find it with: fuser -v " + place + "/vitald.db; alerts go out from memory meanwhile";
    case Ailment::damaged:
      return "nothing to do: the file is moved aside and made anew; see the disk's health if it happens again";
    case Ailment::other:
      break;
  }
  return "see ls -la " + place + " and the log; alerts go out from memory meanwhile";
}

bool Connection::open(const std::filesystem::path& file, bool create) {
  close();
  trouble_ = {};
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    failed(code);
    close();
    return false;
  }
  trust(false);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_limit(handle_, SQLITE_LIMIT_LENGTH, longest_value);
  sqlite3_busy_timeout(handle_, busy_milliseconds);
  return run("PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA foreign_keys=OFF");
}

void Connection::trust(bool trusted) {
  if (handle_ != nullptr) sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, trusted ? 0 : 1, nullptr);
}

void Connection::close() {
  sqlite3_close_v2(handle_);
  handle_ = nullptr;
}

bool Connection::failed(int code) {
  const int error = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  // The system's number is of the last failing call, whenever that was: only a failure of input or output may use it.
  const int kind = code & 0xff;
  const bool of_system = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL;
  trouble_.ailment = ailment_of(code, of_system ? error : 0);
  trouble_.text = of_system && error != 0 ? std::strerror(error)
                  : handle_ != nullptr    ? sqlite3_errmsg(handle_)
                                          : sqlite3_errstr(code);
  return false;
}

bool Connection::run(const char* statements) {
  const int code = sqlite3_exec(handle_, statements, nullptr, nullptr, nullptr);
  return code == SQLITE_OK || failed(code);
}

std::optional<std::int64_t> Connection::number(const char* query) {
  Statement statement(*this, query);
  if (!statement.step()) return std::nullopt;
  return statement.number(0);
}

std::optional<std::string> Connection::text(const char* query) {
  Statement statement(*this, query);
  if (!statement.step()) return std::nullopt;
  return statement.text(0);
}

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
  const int code = sqlite3_prepare_v3(connection.raw(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) connection.failed(code);
}

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(handle_, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  sqlite3_bind_int64(handle_, index, number);
  return *this;
}

bool Statement::run() {
  while (step()) {
  }
  if (handle_ != nullptr) sqlite3_clear_bindings(handle_);
  return ended_well_;
}

bool Statement::step() {
  ended_well_ = false;
  if (handle_ == nullptr) return false;
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  ended_well_ = code == SQLITE_DONE || connection_.failed(code);
  sqlite3_reset(handle_);
  return false;
}

std::string Statement::text(int column) const {
  const unsigned char* start = sqlite3_column_text(handle_, column);
  if (start == nullptr) return "";
  return {reinterpret_cast<const char*>(start), static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(handle_, column); }

}  // namespace vitald::daemon::sqlite
