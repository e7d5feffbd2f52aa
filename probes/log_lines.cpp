#include "probes/log_lines.hpp"

#include <algorithm>
#include <utility>

namespace vitald::probes {

LogLines::LogLines(OnLine on_line, bool skipping, std::string before)
    : on_line_(std::move(on_line)), skipping_(skipping), rest_(std::move(before)) {}

void LogLines::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, newline);
    if (!skipping_) {
      const bool whole = newline != std::string_view::npos && rest_.empty();
      if (!whole) rest_.append(piece.substr(0, longest_line - std::min(rest_.size(), longest_line)));
      pending_ += piece.size();
      if (whole) {
        end_line(piece);
      } else if (newline != std::string_view::npos) {
        end_line(rest_);
      } else if (rest_.size() >= longest_line) {
        end_line(rest_);
        skipping_ = true;
      }
    }
    if (newline == std::string_view::npos) return;
    skipping_ = false;
    bytes.remove_prefix(newline + 1);
  }
}

void LogLines::finish() {
  if (pending_ > 0 || !rest_.empty()) end_line(rest_);
}

void LogLines::end_line(std::string_view line) {
  line = line.substr(0, longest_line);
  // A program that writes on at its old place in a file that was cut to nothing leaves a hole of NULs in front.
  line.remove_prefix(std::min(line.find_first_not_of('\0'), line.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  on_line_(line);
  rest_.clear();
  pending_ = 0;
}

}  // namespace vitald::probes
