// How all checks stand, counted and ordered for people: what the page's headline, `status` and the API agree on.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "daemon/board.hpp"

namespace vitald::daemon {

/// How one check stands: the worse of its latest and its confirmed verdict. `waiting` until it has run once.
enum class Standing { critical, unknown, warning, waiting, ok };  // worst first
Standing standing(const BoardRow& row);
std::string_view to_string(Standing standing);

struct Overview {
  std::size_t total = 0, ok = 0, warning = 0, critical = 0, unknown = 0, waiting = 0;
  std::vector<const BoardRow*> rows;  // worst first, configuration order within; at most as many as asked for

  std::size_t bad() const { return warning + critical + unknown; }
  Standing worst() const;
  /// "2 of 31 checks need attention", "All 31 checks are well".
  std::string headline() const;
};

/// `rows` must outlive the answer.
Overview overview(const Board::Rows& rows, std::size_t most);

/// "not yet confirmed: 2 of 4 bad runs", "recovering: 1 of 2 good runs", or "".
std::string confirming(const BoardRow& row);

}  // namespace vitald::daemon
