// The per-check series of /metrics, written straight from the board's rows (docs/metrics.md lists them).
//
// The writer holds its own copy of the row pointers, so a scrape shows one moment however long it takes, and gives the
// text in slices: the loop writes one to the scraper, does its other work, and comes back for the next
// (docs/decisions/003-scrape.md). No locks and no thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/board.hpp"

namespace vitald::daemon {

/// No check may have more series than this; what goes beyond is left out and counted in vitald_check_series_dropped.
inline constexpr std::size_t most_series_per_check = 50;

/// "vitald_disk_used_ratio", "vitald_pm2_restarts_total": the metric of one sample of one kind.
std::string sample_metric(std::string_view probe, const SampleSpec& spec);

/// One fixed per-check metric, for the documentation and its test.
struct CheckMetric {
  std::string_view name, type, help;
};
const std::vector<CheckMetric>& check_metrics();

class SeriesWriter {
 public:
  explicit SeriesWriter(Board::Rows rows);
  ~SeriesWriter();
  SeriesWriter(SeriesWriter&&) noexcept;

  /// Appends about `bytes` more to `out`, ending at a line's end. False when there is nothing left to write.
  bool next(std::string& out, std::size_t bytes = 32 * 1024);

 private:
  struct Family;
  using Members = std::vector<std::uint32_t>;  // indices of rows

  void begin_family(std::string& out);
  void write_row(std::string& out, std::size_t index);
  void write_samples(std::string& out, std::size_t index);
  void open_known(std::string& out, std::size_t index, std::string_view reserved) const;
  void plain_series(std::string& out, std::size_t index, double value) const;

  Board::Rows rows_;
  std::vector<Family> families_;
  std::string labels_;  // of every row, one after the other: the first family makes them, the rest copy
  std::vector<std::size_t> label_begins_;  // by row, and the end of the last
  std::size_t family_ = 0;
  std::size_t row_ = 0;
  bool begun_ = false;  // HELP and TYPE of the current family are out
};

}  // namespace vitald::daemon
