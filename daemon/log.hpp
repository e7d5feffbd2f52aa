// The daemon's log: to standard error in the journal's format (or a person's, on a terminal), optionally to a file too.
//
// Lines go through a bounded ring to a thread of their own, so a journal that stalls stops nothing: the oldest lines
// are dropped then, and counted. Text is cleaned of control characters, so that one event is one line whatever a target
// said.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/result.hpp"

namespace vitald::daemon {

enum class LogLevel { debug, info, warning, error };

class Log {
 public:
  /// `file` is opened for appending (0640); "" writes none (rotate it with copytruncate). `journal_stream` is the
  /// environment's $JOURNAL_STREAM, or nullptr.
  static Result<Log> open(LogLevel level, const std::string& file, const char* journal_stream);
  ~Log();
  Log(Log&&) noexcept;

  void write(LogLevel level, std::string_view line);
  void debug(std::string_view line) { write(LogLevel::debug, line); }
  void info(std::string_view line) { write(LogLevel::info, line); }
  void warning(std::string_view line) { write(LogLevel::warning, line); }
  void error(std::string_view line) { write(LogLevel::error, line); }

  std::uint64_t dropped() const;
  /// Waits for what is queued, a second at most: a stalled reader must not hold up the end of the process.
  void flush();

 private:
  struct State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// "debug", "info", "warning", "error".
LogLevel log_level_from(std::string_view word);

}  // namespace vitald::daemon
