#include "probes/log_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace vitald::probes {
namespace {

constexpr std::size_t skip_bytes = 1 << 20;  // of a gzip'ed file between two looks at the clock
constexpr unsigned wanted = STATX_BASIC_STATS | STATX_BTIME;
constexpr std::size_t kept_bytes = 128 * 1024;

std::string read_plain(int descriptor, std::uint64_t at, std::size_t most) {
  std::string bytes(most, '\0');
  std::size_t got = 0;
  while (got < most) {
    const auto n = ::pread(descriptor, bytes.data() + got, most - got, static_cast<off_t>(at + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  bytes.resize(got);
  return bytes;
}

class Plain final : public LogBytes {
 public:
  Plain(LogFile file, int descriptor) : LogBytes(std::move(file)), descriptor_(descriptor) {}
  Plain(const Plain&) = delete;
  ~Plain() override { ::close(descriptor_); }
  bool packed() const override { return false; }
  std::uint64_t size() const override { return file().size; }
  std::string read(std::uint64_t at, std::size_t most) override {
    // Room for what is there, and a little for what has been added since: most reads find less than a piece.
    const std::uint64_t left = size() - std::min(size(), at) + 4096;
    return read_plain(descriptor_, at, static_cast<std::size_t>(std::min<std::uint64_t>(most, left)));
  }
  std::uint64_t data_from(std::uint64_t at) const override {
    const off_t data = ::lseek(descriptor_, static_cast<off_t>(at), SEEK_DATA);
    return data < 0 ? at : std::max<std::uint64_t>(at, static_cast<std::uint64_t>(data));
  }

 private:
  int descriptor_;
};

class Packed final : public LogBytes {
 public:
  Packed(LogFile file, int descriptor) : LogBytes(std::move(file)) {
    const std::string trailer = this->file().size < 18 ? "" : read_plain(descriptor, this->file().size - 4, 4);
    if (trailer.size() == 4) {
      for (std::size_t i = 4; i > 0; --i) size_ = size_ << 8 | static_cast<unsigned char>(trailer[i - 1]);
    }
    unpacked_ = ::gzdopen(descriptor, "rb");
    if (unpacked_ == nullptr) ::close(descriptor);
    if (unpacked_ != nullptr) ::gzbuffer(unpacked_, 64 * 1024);
  }
  Packed(const Packed&) = delete;
  ~Packed() override {
    if (unpacked_ != nullptr) ::gzclose_r(unpacked_);
  }
  bool packed() const override { return true; }
  std::uint64_t size() const override { return size_; }
  std::string read(std::uint64_t at, std::size_t most) override {
    if (unpacked_ == nullptr) return "";
    if (at < at_ && at_ - at <= last_.size()) {
      std::string bytes = last_.substr(last_.size() - (at_ - at), most);
      return bytes.size() < most ? bytes + take(most - bytes.size()) : bytes;
    }
    if (at < at_) {
      ::gzrewind(unpacked_);
      at_ = 0;
      last_.clear();
    }
    while (at_ < at && !stopped) {
      if (take(std::min<std::uint64_t>(at - at_, skip_bytes)).empty()) return "";
      stopped = stop();
    }
    return stopped ? "" : take(most);
  }

 private:
  std::string take(std::size_t most) {
    std::string bytes(most, '\0');
    const int got = ::gzread(unpacked_, bytes.data(), static_cast<unsigned>(most));
    int error = Z_OK;
    ::gzerror(unpacked_, &error);  // Z_BUF_ERROR: it ends in the midst of something
    if (got < 0 || error != Z_OK) broken = true;
    // An incomplete file is being written; what it says so far will be there again when it is complete.
    bytes.resize(broken ? 0 : static_cast<std::size_t>(got));
    at_ += bytes.size();
    last_ += bytes;
    last_.erase(0, last_.size() - std::min(last_.size(), kept_bytes));
    return bytes;
  }

  gzFile unpacked_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t at_ = 0;
  std::string last_;  // the bytes before at_: going back any further would mean to unpack the file again
};

std::int64_t nanoseconds(const statx_timestamp& at) { return at.tv_sec * std::int64_t{1'000'000'000} + at.tv_nsec; }

LogFile log_file(std::string path, const struct statx& facts) {
  const bool has_birth = (facts.stx_mask & STATX_BTIME) != 0;
  return {.path = std::move(path),
          .device = std::uint64_t{facts.stx_dev_major} << 32 | facts.stx_dev_minor,
          .inode = facts.stx_ino,
          .born = has_birth ? nanoseconds(facts.stx_btime) : 0,
          .size = facts.stx_size,
          .modified = nanoseconds(facts.stx_mtime),
          .changed = nanoseconds(facts.stx_ctime)};
}

/// -1 and why not.
int open_regular(const std::string& path, LogFile& file, std::error_code& error) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct statx facts {};
  int failed = descriptor < 0 || ::statx(descriptor, "", AT_EMPTY_PATH, wanted, &facts) != 0 ? errno : 0;
  if (failed == 0 && !S_ISREG(facts.stx_mode)) failed = ENOTSUP;
  error = std::error_code(failed, std::generic_category());
  if (failed == 0) file = log_file(path, facts);
  if (failed == 0 || descriptor < 0) return descriptor;
  ::close(descriptor);
  return -1;
}

}  // namespace

std::optional<LogFile> find_log(const std::string& root, const std::string& path) {
  struct statx facts {};
  if (::statx(AT_FDCWD, (root + path).c_str(), 0, wanted, &facts) != 0 || !S_ISREG(facts.stx_mode)) return std::nullopt;
  return log_file(path, facts);
}

std::unique_ptr<LogBytes> LogBytes::open(const std::string& path, std::error_code& error) {
  LogFile file;
  const int descriptor = open_regular(path, file, error);
  if (descriptor < 0) return nullptr;
  if (is_gzip_name(path)) return std::make_unique<Packed>(std::move(file), descriptor);
  return std::make_unique<Plain>(std::move(file), descriptor);
}

std::unique_ptr<LogBytes> LogBytes::open_plain(const std::string& path, std::error_code& error) {
  LogFile file;
  const int descriptor = open_regular(path, file, error);
  return descriptor < 0 ? nullptr : std::make_unique<Plain>(std::move(file), descriptor);
}

const std::string& LogBytes::head() {
  if (!std::exchange(head_read_, true)) head_ = read(0, head_bytes);
  return head_;
}

bool is_gzip_name(std::string_view name) { return name.ends_with(".gz"); }

}  // namespace vitald::probes
