// SQLite's C interface with owners and with words: a connection, a prepared statement, and what is wrong when one of
// them fails. Nothing here throws; the first failure stays in Connection::trouble() until the next one.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace vitald::daemon::sqlite {

/// A failure by what has to be done about it.
enum class Ailment {
  none,
  full,       // disk or quota
  read_only,  // remounted, or not ours to write
  broken,     // the disk reports errors
  busy,       // somebody else holds a lock
  damaged,    // the file is not (any more) what SQLite wrote
  other
};

struct Trouble {
  Ailment ailment = Ailment::none;
  std::string text;  // SQLite's, or the operating system's
};

/// The trouble behind an errno of open(2), mkdir(2), rename(2).
Trouble from_errno(int error);
/// "no space left on /var/lib/vitald (used 100 %)": a sentence without a full stop.
std::string describe(const Trouble& trouble, const std::filesystem::path& directory);
std::string remedy(const Trouble& trouble, const std::filesystem::path& directory);

class Connection {
 public:
  Connection() = default;
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Opens an existing file (or makes one, with `create`) and distrusts it: no schema tricks, bounded lengths, cells
  /// checked. Nothing is written, not even at close, before trust() is called.
  bool open(const std::filesystem::path& file, bool create = false);
  /// Closing may check-point from now on (true), or must leave the files as they are (false).
  void trust(bool trusted);
  void close();

  /// One or more statements without results.
  bool run(const char* statements);
  /// The first column of the first row.
  std::optional<std::int64_t> number(const char* query);
  std::optional<std::string> text(const char* query);

  const Trouble& trouble() const { return trouble_; }
  /// Keeps what SQLite says about `code`; returns false, so that it can end an expression.
  bool failed(int code);
  sqlite3* raw() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
  Trouble trouble_;
};

/// Prepared once, run often. A statement of a failed prepare is not valid() and fails at every use.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool valid() const { return handle_ != nullptr; }
  /// The text must live until the statement has run.
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t number);
  /// Runs to the end, resets, and forgets what was bound.
  bool run();
  /// The next row; false at the end and at a failure (ended_well() tells which). Resets at both.
  bool step();
  bool ended_well() const { return ended_well_; }
  std::string text(int column) const;
  std::int64_t number(int column) const;

 private:
  Connection& connection_;
  sqlite3_stmt* handle_ = nullptr;
  bool ended_well_ = true;
};

}  // namespace vitald::daemon::sqlite
