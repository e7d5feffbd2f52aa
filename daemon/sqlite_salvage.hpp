// What a damaged store still gives back.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "alerting/effects.hpp"

namespace vitald::daemon::sqlite {

struct Salvaged {
  alerting::Effects rows;  // open incidents, outbox, checks, then history
  std::size_t open_incidents = 0;
  bool complete = false;  // every table was read to its end and every row made sense

  /// "3 open incidents, 1 unsent notification and 120 checks were read from it": for people.
  std::string words() const;
};

/// Reads what it can of `file` (and its -wal), row by row from both ends of each table, and leaves the files as they
/// are. Never fails: of a file that is no database nothing is salvaged.
Salvaged salvage(const std::filesystem::path& file);

}  // namespace vitald::daemon::sqlite
