#include "probes/backup_verify.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "probes/faults.hpp"

namespace vitald::probes::backup {
namespace {

constexpr std::size_t chunk = 64 * 1024;
// gzip decodes to 1032 times as much at the most, zstd to far more: whichever comes first ends a piece.
constexpr std::uint64_t piece_read = 8 << 20, piece_decoded = 64 << 20;

constexpr std::string_view intact_word = "intact", hollow_word = "hollow", corrupt_word = "corrupt ";

ProbeFailure failed(const std::string& path, int error) {
  if (error == EACCES || error == EPERM) {
    return unmeasured("denied:" + path, "vitald may not read " + path, "run: setfacl -m u:vitald:r " + path);
  }
  if (error == EIO || error == EUCLEAN || error == ENODATA) {
    return wrong("unreadable", path + " cannot be read back: " + std::strerror(error),
                 "the disk may be failing: dmesg | grep -i error");
  }
  return failure_from(std::error_code(error, std::system_category()), "read " + path);
}

}  // namespace

std::string to_text(const Finding& finding) {
  if (finding.what == Finding::What::intact) return std::string(intact_word);
  if (finding.what == Finding::What::hollow) return std::string(hollow_word);
  return std::string(corrupt_word) + finding.words;
}

std::optional<Finding> finding_from(std::string_view text) {
  if (text == intact_word) return Finding{};
  if (text == hollow_word) return Finding{.what = Finding::What::hollow};
  if (!text.starts_with(corrupt_word)) return std::nullopt;
  return Finding{.what = Finding::What::corrupt, .words = std::string(text.substr(corrupt_word.size()))};
}

Verification::Verification(std::string root, FoundFile file, Packing packing)
    : root_(std::move(root)), file_(std::move(file)), archive_(make_archive(packing)) {}

Verification::~Verification() {
  if (descriptor_ >= 0) close(descriptor_);
}

double Verification::progress() const {
  return file_.size == 0 ? 1 : static_cast<double>(read_) / static_cast<double>(file_.size);
}

void Verification::open() {
  descriptor_ = ::open((root_ + file_.path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (descriptor_ < 0 && (errno == ENOENT || errno == ENOTDIR)) {
    state_ = State::changed;
  } else if (descriptor_ < 0) {
    throw failed(file_.path, errno);
  }
}

void Verification::advance() {
  if (descriptor_ < 0) open();
  std::vector<char> bytes(chunk);
  const std::uint64_t until_read = read_ + piece_read, until_decoded = archive_->decoded() + piece_decoded;
  while (state_ == State::reading && read_ < until_read && archive_->decoded() < until_decoded) {
    const auto got = ::read(descriptor_, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw failed(file_.path, errno);
    const std::string_view piece(bytes.data(), static_cast<std::size_t>(got));
    read_ += piece.size();
    if (piece.empty() || !archive_->feed(piece)) conclude(piece.empty());
  }
  // What is read once in a file's life must not push out of the page cache what the host works with.
  posix_fadvise(descriptor_, 0, static_cast<off_t>(read_), POSIX_FADV_DONTNEED);
}

void Verification::conclude(bool whole) {
  struct stat status {};
  if (fstat(descriptor_, &status) != 0) throw failed(file_.path, errno);
  const FoundFile now{.path = file_.path,
                      .device = status.st_dev,
                      .inode = status.st_ino,
                      .size = static_cast<std::uint64_t>(status.st_size),
                      .changed = wall_of(status.st_mtim)};
  state_ = now.identity() == file_.identity() ? State::ended : State::changed;
  if (state_ == State::changed) return;
  const std::string beyond = archive_->beyond_us();
  if (!beyond.empty()) {
    throw unmeasured("cannot_verify:" + file_.path, "vitald cannot check " + file_.path + ": " + beyond,
                     "set verify: none for this check, and test the files where they are made");
  }
  const std::string words = archive_->end();
  if (!words.empty()) {
    finding_ = {.what = Finding::What::corrupt, .words = words};
  } else if (whole && archive_->decoded() == 0) {
    finding_ = {.what = Finding::What::hollow};
  }
}

}  // namespace vitald::probes::backup
