#include "daemon/overview.hpp"

#include <algorithm>
#include <array>

namespace vitald::daemon {

Standing standing(const BoardRow& row) {
  if (row.runs == 0 && !row.view.observed) return Standing::waiting;
  switch (worse(row.view.verdict, row.view.settled)) {
    case Status::critical:
      return Standing::critical;
    case Status::unknown:
      return Standing::unknown;
    case Status::warning:
      return Standing::warning;
    case Status::ok:
      break;
  }
  return Standing::ok;
}

std::string_view to_string(Standing standing) {
  switch (standing) {
    case Standing::critical:
      return "critical";
    case Standing::unknown:
      return "unknown";
    case Standing::warning:
      return "warning";
    case Standing::waiting:
      return "waiting";
    case Standing::ok:
      break;
  }
  return "ok";
}

Standing Overview::worst() const {
  if (critical > 0) return Standing::critical;
  if (unknown > 0) return Standing::unknown;
  if (warning > 0) return Standing::warning;
  return waiting > 0 ? Standing::waiting : Standing::ok;
}

std::string Overview::headline() const {
  const std::string all = std::to_string(total);
  const std::string_view noun = total == 1 ? " check" : " checks";
  if (total == 0) return "No checks are configured";
  if (bad() > 0)
    return std::to_string(bad()) + " of " + all + std::string(noun) + (bad() == 1 ? " needs" : " need") + " attention";
  if (waiting == total) return "Waiting for the first runs of " + all + std::string(noun);
  if (waiting > 0)
    return "No trouble so far, " + std::to_string(waiting) + " of " + all + std::string(noun) + " not yet run";
  return total == 1 ? "The one check is well" : "All " + all + " checks are well";
}

Overview overview(const Board::Rows& rows, std::size_t most) {
  Overview all;
  all.total = rows.size();
  std::array<std::vector<const BoardRow*>, 5> ranks;  // by Standing; no sort, since there may be ten thousand
  for (const auto& row : rows) {
    auto& rank = ranks[static_cast<std::size_t>(standing(*row))];
    rank.push_back(row.get());
  }
  all.critical = ranks[0].size();
  all.unknown = ranks[1].size();
  all.warning = ranks[2].size();
  all.waiting = ranks[3].size();
  all.ok = ranks[4].size();
  for (const auto& rank : ranks) {
    const std::size_t room = std::min(rank.size(), most - all.rows.size());
    all.rows.insert(all.rows.end(), rank.begin(), rank.begin() + static_cast<std::ptrdiff_t>(room));
  }
  return all;
}

std::string confirming(const BoardRow& row) {
  if (row.view.needed == 0) return "";
  const bool good = row.view.verdict == Status::ok;
  const std::string count = std::to_string(row.view.seen) + " of " + std::to_string(row.view.needed);
  return good ? "recovering: " + count + " good runs" : "not yet confirmed: " + count + " bad runs";
}

}  // namespace vitald::daemon
