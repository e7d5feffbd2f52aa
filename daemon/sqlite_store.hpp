// What must outlive the process, in one SQLite file: WAL, synchronous=FULL (docs/decisions/0008). Every call
// blocks; the disk thread (disk_thread.hpp) is the only caller in the daemon. What is in the file: docs/store.md.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "alerting/effects.hpp"
#include "config/now.hpp"
#include "config/result.hpp"
#include "daemon/vault.hpp"

namespace vitald::daemon {

class SqliteStore final : public Vault {
 public:
  /// Opens or creates `directory`/vitald.db (0600, directory 0700), takes the lock that refuses a second instance,
  /// migrates an older schema in one transaction after a backup, refuses a newer one untouched. A corrupt file is moved
  /// aside with a time stamp (`now`) and salvaged; `note` then says so.
  ///
  /// Fails only where the daemon must not start. Where the disk is what fails, the store comes closed: trouble() says
  /// why, and reopen() tries again.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& directory, Wall now);
  ~SqliteStore() override;

  const std::optional<Failure>& trouble() const;
  const std::string& note() const;
  /// Fails when the store is closed or the disk fails. A row that makes no sense is dropped, and `note` counts it.
  Result<alerting::Snapshot> load();

  Result<void> commit(std::span<const alerting::Effects> group) override;
  Result<std::string> reopen(Wall now) override;
  std::string remedy() const override;
  Result<std::vector<alerting::IncidentRecord>> history(const HistoryQuery& query) override;

 private:
  struct State;
  explicit SqliteStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vitald::daemon
