// The tables of vitald.db and the way from each older version to the present one. The version stands in the file's
// user_version, which changes in the same transaction as the tables.
#pragma once

#include <filesystem>
#include <span>

#include "daemon/sqlite.hpp"

namespace vitald::daemon::sqlite {

/// What turns version `to` - 1 into `to`.
struct Migration {
  int to = 0;
  const char* statements = "";
};

/// From nothing (version 0) to the newest, in order and without gaps.
std::span<const Migration> migrations();

/// Runs the migrations that are missing, all in one transaction. A file that already has tables is first copied to
/// `backup` (VACUUM INTO; an older copy of that name is replaced).
bool migrate(Connection& connection, std::span<const Migration> steps, const std::filesystem::path& backup);

/// The setting under which every commit is on the disk when it returns: WAL, synchronous=FULL (docs/decisions/0008:
/// NORMAL loses acknowledged commits at a power cut).
bool make_durable(Connection& connection);

}  // namespace vitald::daemon::sqlite
