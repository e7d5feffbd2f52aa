// Bringing vitald.db into a state in which it can be trusted: made anew, verified, migrated, or moved aside.
#pragma once

#include <optional>
#include <string>

#include "config/now.hpp"
#include "config/result.hpp"
#include "daemon/sqlite.hpp"
#include "daemon/sqlite_salvage.hpp"
#include "daemon/state_directory.hpp"

namespace vitald::daemon::sqlite {

/// How an attempt to open the file ended.
struct Opening {
  Result<void> refusal;              // the daemon must not start with it
  Trouble trouble;                   // the disk fails, or somebody is in the way: later, perhaps
  std::optional<Salvaged> salvaged;  // the old file was damaged; these rows are not yet in the new one
  std::string aside;                 // where the old file lies now

  bool well() const { return static_cast<bool>(refusal) && trouble.ailment == Ailment::none; }
};

/// Opens directory/vitald.db into `connection` (closed before). `distrust`: it has shown damage, so it is moved aside
/// whatever a check says. On success everything that the file's log held is synced into the file, whatever an earlier
/// failing fsync had claimed.
Opening open_file(Connection& connection, const StateDirectory& directory, bool distrust, Wall now);

}  // namespace vitald::daemon::sqlite
