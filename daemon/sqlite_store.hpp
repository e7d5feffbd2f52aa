// What must outlive the process, in one SQLite file: WAL, synchronous=FULL (reliability.md finding 2). Every call blocks;
// the disk thread (disk_thread.hpp) is the only caller in the daemon.
#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "alerting/effects.hpp"
#include "config/result.hpp"

namespace vitald::daemon {

class SqliteStore {
 public:
  /// Opens or creates `directory`/vitald.db (0600, directory 0700), takes the lock that refuses a second instance,
  /// migrates an older schema in one transaction after a backup, refuses a newer one untouched. A corrupt file is moved
  /// aside with a time stamp and salvaged; `note` then says so.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& directory);
  ~SqliteStore();

  const std::string& note() const;
  Result<alerting::Snapshot> load();
  /// All of it in one transaction, synced when it returns; or nothing of it.
  Result<void> commit(std::span<const alerting::Effects> group);

 private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitald::daemon
