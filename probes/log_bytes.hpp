// The bytes of one log file, plain or gzip'ed, at any place. Blocks: for workers' jobs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace vitald::probes {

/// What the file system says of a log.
struct LogFile {
  std::string path;
  std::uint64_t device = 0, inode = 0;
  std::int64_t born = 0;      // an inode is used again, but not by a file of the same birth; 0 where nobody knows it
  std::uint64_t size = 0;     // of the file: packed, where it is
  std::int64_t modified = 0;  // nanoseconds of the epoch: its last write
  std::int64_t changed = 0;   // its last renaming, or whatever else
};

/// Nothing where it is no regular file, or none is there.
std::optional<LogFile> find_log(const std::string& root, const std::string& path);

class LogBytes {
 public:
  static constexpr std::size_t head_bytes = 1024;

  /// Regular files only, never waits for a FIFO. Nothing and `error` where it cannot be opened; a file that is no
  /// regular one is ENOTSUP.
  static std::unique_ptr<LogBytes> open(const std::string& path, std::error_code& error);
  /// The same, and never unpacks.
  static std::unique_ptr<LogBytes> open_plain(const std::string& path, std::error_code& error);
  virtual ~LogBytes() = default;

  /// As the file was when it was opened.
  const LogFile& file() const { return file_; }
  virtual bool packed() const = 0;
  /// Bytes of the log itself. Of a gzip'ed one its last four bytes tell, modulo 4 GiB.
  virtual std::uint64_t size() const = 0;
  /// `most` bytes from `at` on, fewer at the end as it was at opening, none at the end as it is now; none either where
  /// a gzip'ed file is broken or not yet complete (`broken`). Of a gzip'ed file all the bytes in front have to be
  /// unpacked, which `stop` may end: nothing then, and `stopped`.
  virtual std::string read(std::uint64_t at, std::size_t most) = 0;
  /// The first head_bytes, read once.
  const std::string& head();
  /// Where the next bytes stand that are no hole of a sparse file.
  virtual std::uint64_t data_from(std::uint64_t at) const { return at; }

  std::function<bool()> stop = [] { return false; };
  bool broken = false, stopped = false;

 protected:
  explicit LogBytes(LogFile file) : file_(std::move(file)) {}

 private:
  LogFile file_;
  std::string head_;
  bool head_read_ = false;
};

/// .gz: LogBytes reads it. .bz2, .xz, .zst and their like: nobody does.
bool is_gzip_name(std::string_view name);

}  // namespace vitald::probes
