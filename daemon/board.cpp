#include "daemon/board.hpp"

#include <algorithm>
#include <utility>

namespace vitald::daemon {
namespace {

bool counts_events(const BoardRow& row) {
  if (row.kind == nullptr) return false;
  return std::any_of(row.kind->samples.begin(), row.kind->samples.end(),
                     [](const SampleSpec& spec) { return spec.kind == SampleKind::event; });
}

/// What the samples of `row` have added up to, given what they had added up to before. A row of the same run (only the
/// engine's view changed) adds nothing.
std::vector<EventTotal> add_events(const BoardRow& row, const std::vector<EventTotal>& before, bool new_run) {
  std::vector<EventTotal> totals = before;
  for (const SampleSpec& spec : row.kind->samples) {
    if (spec.kind != SampleKind::event) continue;
    for (const Sample& sample : row.observation.samples) {
      if (sample.name != spec.name) continue;
      const auto known = std::find_if(totals.begin(), totals.end(), [&](const EventTotal& total) {
        return total.sample == sample.name && total.labels == sample.labels;
      });
      const double value = new_run && sample.value > 0 ? sample.value : 0;
      if (known != totals.end()) {
        known->value += value;
      } else if (totals.size() < most_event_totals) {
        totals.push_back({sample.name, sample.labels, value});
      }
    }
  }
  return totals;
}

}  // namespace

void Board::put(std::shared_ptr<const BoardRow> row) {
  const auto known = index_.find(row->check);
  if (counts_events(*row)) {
    const BoardRow* before = known == index_.end() ? nullptr : rows_[known->second].get();
    auto counted = std::make_shared<BoardRow>(*row);
    counted->events =
        add_events(*row, before ? before->events : row->events, before == nullptr || before->runs != row->runs);
    row = std::move(counted);
  }
  if (known != index_.end()) {
    rows_[known->second] = std::move(row);
    return;
  }
  index_.emplace(row->check, rows_.size());
  rows_.push_back(std::move(row));
}

std::shared_ptr<const BoardRow> Board::find(std::string_view check) const {
  const auto found = index_.find(std::string(check));
  return found == index_.end() ? nullptr : rows_[found->second];
}

void Board::arrange(const std::vector<std::string>& checks) {
  Rows rows;
  std::unordered_map<std::string, std::size_t> index;
  rows.reserve(checks.size());
  index.reserve(checks.size());
  for (const std::string& check : checks) {
    auto row = find(check);
    if (row != nullptr && index.emplace(check, rows.size()).second) rows.push_back(std::move(row));
  }
  rows_ = std::move(rows);
  index_ = std::move(index);
}

}  // namespace vitald::daemon
