// The latest of every check: what /metrics, the page, the API and `status` show. Rows are immutable and shared, so a
// reader keeps a consistent picture while the loop replaces rows under it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "alerting/engine.hpp"
#include "config/labels.hpp"
#include "config/observation.hpp"
#include "probes/probe.hpp"

namespace vitald::daemon {

/// How many happenings an event sample has reported since the daemon started: what /metrics shows of it, since a scrape
/// would miss the number of a single run.
struct EventTotal {
  std::string sample;
  Labels labels;
  double value = 0;
};
inline constexpr std::size_t most_event_totals = 50;  // of one check

struct BoardRow {
  std::string check;
  const probes::ProbeKind* kind = nullptr;
  Labels labels;
  Duration every{};
  Observation observation;  // of the last finished run; empty before the first
  Wall started{};           // of that run
  Duration took{};
  std::uint64_t runs = 0;
  std::uint64_t missed = 0;  // slots that passed while a run was still out or the daemon was late
  alerting::CheckView view;
  std::string runbook;             // http(s) address or ""
  std::vector<EventTotal> events;  // kept by Board::put
};

class Board {
 public:
  using Rows = std::vector<std::shared_ptr<const BoardRow>>;

  /// Replaces the row of its check, or adds it. Rows stand in configuration order.
  void put(std::shared_ptr<const BoardRow> row);
  std::shared_ptr<const BoardRow> find(std::string_view check) const;
  /// Keeps only these, in this order (a reload).
  void arrange(const std::vector<std::string>& checks);
  const Rows& rows() const { return rows_; }

 private:
  Rows rows_;
  std::unordered_map<std::string, std::size_t> index_;
};

}  // namespace vitald::daemon
