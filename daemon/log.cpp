#include "daemon/log.hpp"

#include <fcntl.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "alerting/voice.hpp"

namespace vitald::daemon {

namespace {

constexpr std::size_t ring_lines = 8192;
constexpr std::size_t longest_line = 4096;

/// systemd reads "<4>text" as a line of priority 4 (sd-daemon(3)); a person wants the time instead.
class StandardErrorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StandardErrorSink(bool journal) : journal_(journal) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t text;
    if (journal_) {
      const std::string_view prefix = priority(message.level);
      text.append(prefix.data(), prefix.data() + prefix.size());
      text.append(message.payload.begin(), message.payload.end());
      text.push_back('\n');
    } else {
      formatter_->format(message, text);
    }
    // Nobody to tell when standard error is gone: the line is lost, the daemon goes on.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  }
  void flush_() override {}

 private:
  static std::string_view priority(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::err:
        return "<3>";
      case spdlog::level::warn:
        return "<4>";
      case spdlog::level::debug:
        return "<7>";
      default:
        return "<6>";
    }
  }
  bool journal_;
};

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::info:
      break;
  }
  return spdlog::level::info;
}

/// JOURNAL_STREAM holds "device:inode" of the journal's socket; standard error is the journal when they agree
/// (systemd.exec(5)).
bool standard_error_is_journal(const char* journal_stream) {
  struct stat status {};
  if (journal_stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == journal_stream;
}

}  // namespace

struct Log::State {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

Result<Log> Log::open(LogLevel level, const std::string& file, const char* journal_stream) {
  std::vector<spdlog::sink_ptr> sinks;
  sinks.push_back(std::make_shared<StandardErrorSink>(standard_error_is_journal(journal_stream)));
  if (!file.empty()) {
    const int probe = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
    if (probe < 0) return Failure{file, std::string("cannot be opened as log file: ") + std::strerror(errno)};
    ::close(probe);
    sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(file));
  }
  auto state = std::make_unique<State>();
  state->pool = std::make_shared<spdlog::details::thread_pool>(ring_lines, 1);
  state->logger = std::make_shared<spdlog::async_logger>("vitald", sinks.begin(), sinks.end(), state->pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
  state->logger->set_level(to_spdlog(level));
  state->logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  return Log(std::move(state));
}

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::Log(Log&&) noexcept = default;

Log::~Log() {
  if (!state_) return;
  flush();
  // The pool's destructor joins its thread, which may hang in a write for as long as the reader sleeps: it is handed to
  // a thread that the end of the process does not wait for.
  auto parting = std::thread([state = std::move(state_)]() mutable { state.reset(); });
  parting.detach();
}

void Log::write(LogLevel level, std::string_view line) {
  if (state_->logger->should_log(to_spdlog(level))) {
    state_->logger->log(to_spdlog(level), alerting::clean(line, longest_line));
  }
}

std::uint64_t Log::dropped() const { return state_->pool->overrun_counter(); }

void Log::flush() {
  for (int turn = 0; turn < 500 && state_->pool->queue_size() > 0; ++turn) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

LogLevel log_level_from(std::string_view word) {
  if (word == "debug") return LogLevel::debug;
  if (word == "warning") return LogLevel::warning;
  if (word == "error") return LogLevel::error;
  return LogLevel::info;
}

}  // namespace vitald::daemon
