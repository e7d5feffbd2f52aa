// Bytes of a log into lines: bounded, whatever is in them. Does no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace vitald::probes {

/// A line counts when its newline has come. One that is longer than `longest_line` counts as soon as that is clear,
/// with its beginning, and the rest of it is skipped.
class LogLines {
 public:
  static constexpr std::size_t longest_line = 64 * 1024;
  using OnLine = std::function<void(std::string_view line)>;

  /// `skipping`: the bytes begin in the midst of a line that counts no more. `before`: the beginning of the first line,
  /// which stands elsewhere.
  LogLines(OnLine on_line, bool skipping, std::string before = "");

  void feed(std::string_view bytes);
  /// What has no newline will not get one any more: it is a line.
  void finish();

  /// The bytes fed that belong to no line yet.
  std::size_t pending() const { return pending_; }
  /// The beginning of that line, with what stood elsewhere.
  const std::string& rest() const { return rest_; }
  bool skipping() const { return skipping_; }

 private:
  void end_line(std::string_view line);

  OnLine on_line_;
  bool skipping_;
  std::string rest_;
  std::size_t pending_ = 0;
};

}  // namespace vitald::probes
