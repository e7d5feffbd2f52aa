// The owed file: what went out, or changed, while the store could not take it. It lies in the runtime directory, which
// is memory (tmpfs), so it outlives the process but not the machine; the next start puts it into the store.
//
// One line for each batch: eight hexadecimal digits of CRC-32, a space, JSON. A line torn by a kill is ignored, a line
// whose checksum is wrong is skipped and counted. Applying it twice does no harm.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/effects.hpp"
#include "config/result.hpp"

namespace vitald::daemon {

class Owed {
 public:
  struct Replay {
    std::vector<alerting::Effects> batches;  // oldest first
    std::size_t damaged = 0;                 // lines that were skipped
  };

  static constexpr std::size_t most_bytes = 16u << 20;

  /// Touches nothing yet. `directory`/owed is made when it is first needed, 0600.
  explicit Owed(std::filesystem::path directory, std::size_t most = most_bytes);
  ~Owed();
  Owed(Owed&& other) noexcept;
  Owed& operator=(Owed&&) = delete;

  /// What an earlier process left. Blocking, though memory only; an unreadable file is an empty one with a failure.
  Result<Replay> read();
  /// Adds one batch. Where the file would grow over its bound it is rewritten from `merged` first, which must include
  /// the batch; where even that is too long, without what checks remember.
  Result<void> append(const alerting::Effects& batch, const std::function<alerting::Effects()>& merged);
  /// Everything in it is in the store now.
  Result<void> clear();
  bool empty() const { return size_ == 0; }
  const std::filesystem::path& file() const { return file_; }

 private:
  Result<void> open();
  Result<void> write(std::string_view line);
  Result<void> replace(const alerting::Effects& merged);

  std::filesystem::path directory_;
  std::filesystem::path file_;
  std::size_t most_;
  std::size_t size_ = 0;
  int fd_ = -1;
};

}  // namespace vitald::daemon
