#include "daemon/owed.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace vitald::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t checksum_digits = 8;

std::string checksum(std::string_view text) {
  const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  std::string digits(checksum_digits, '0');
  char buffer[checksum_digits];
  const auto end = std::to_chars(buffer, buffer + checksum_digits, static_cast<std::uint32_t>(sum), 16).ptr;
  const auto length = static_cast<std::size_t>(end - buffer);
  digits.replace(checksum_digits - length, length, buffer, length);
  return digits;
}

std::string to_line(const alerting::Effects& batch) {
  json all = json::object();
  for (const auto& check : batch.checks) all["checks"].push_back({check.name, check.state, check.removed});
  for (const auto& incident : batch.incidents) all["incidents"].push_back(to_json(incident));
  for (const auto& note : batch.notes) all["notes"].push_back({note.key, note.state, note.removed});
  for (const auto& notification : batch.outbox) all["outbox"].push_back(to_json(notification));
  for (const auto& id : batch.settled) all["settled"].push_back({id.incident, id.sequence, id.receiver});
  const std::string text = all.dump(-1, ' ', false, json::error_handler_t::replace);
  return checksum(text) + " " + text + "\n";
}

/// nlohmann's typed access throws on a wrong type; after the checksum that would be a bug of an older version of ours.
Result<alerting::Effects> batch_from(const json& all) {
  alerting::Effects batch;
  try {
    for (const json& row : all.value("checks", json::array())) {
      batch.checks.push_back({row.at(0).get<std::string>(), row.at(1).get<std::string>(), row.at(2).get<bool>()});
    }
    for (const json& row : all.value("notes", json::array())) {
      batch.notes.push_back({row.at(0).get<std::string>(), row.at(1).get<std::string>(), row.at(2).get<bool>()});
    }
    for (const json& row : all.value("settled", json::array())) {
      batch.settled.push_back(
          {row.at(0).get<std::string>(), row.at(1).get<std::uint32_t>(), row.at(2).get<std::string>()});
    }
    for (const json& row : all.value("incidents", json::array())) {
      auto incident = alerting::incident_from_json(row.get_ref<const std::string&>());
      if (!incident) return incident.failure();
      batch.incidents.push_back(std::move(*incident));
    }
    for (const json& row : all.value("outbox", json::array())) {
      auto notification = alerting::notification_from_json(row.get_ref<const std::string&>());
      if (!notification) return notification.failure();
      batch.outbox.push_back(std::move(*notification));
    }
  } catch (const json::exception& error) {
    return Failure{"", error.what()};
  }
  return batch;
}

Result<alerting::Effects> from_line(std::string_view line) {
  if (line.size() < checksum_digits + 1 || line[checksum_digits] != ' ') return Failure{"", "no checksum"};
  const std::string_view text = line.substr(checksum_digits + 1);
  if (checksum(text) != line.substr(0, checksum_digits)) return Failure{"", "wrong checksum"};
  const json all = json::parse(text, nullptr, false);
  if (!all.is_object()) return Failure{"", "no JSON object"};
  return batch_from(all);
}

}  // namespace

Owed::Owed(std::filesystem::path directory, std::size_t most)
    : directory_(std::move(directory)), file_(directory_ / "owed"), most_(most) {}

Owed::~Owed() {
  if (fd_ >= 0) ::close(fd_);
}

Owed::Owed(Owed&& other) noexcept
    : directory_(std::move(other.directory_)),
      file_(std::move(other.file_)),
      most_(other.most_),
      size_(other.size_),
      fd_(std::exchange(other.fd_, -1)) {}

Result<void> Owed::open() {
  if (fd_ >= 0) return {};
  if (::mkdir(directory_.c_str(), 0755) != 0 && errno != EEXIST) return Failure{directory_, std::strerror(errno)};
  const int fd =
      ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
  if (fd < 0) return Failure{file_, std::strerror(errno)};
  struct stat found {};
  if (::fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || found.st_uid != ::geteuid() || found.st_nlink != 1) {
    ::close(fd);
    return Failure{file_, "is not a plain file of this user"};
  }
  if ((found.st_mode & 0077) != 0) ::fchmod(fd, 0600);
  fd_ = fd;
  size_ = static_cast<std::size_t>(found.st_size);
  return {};
}

Result<Owed::Replay> Owed::read() {
  if (::access(file_.c_str(), F_OK) != 0) return Replay{};
  if (auto opened = open(); !opened) return opened.failure();
  std::string text(std::min(size_, 2 * most_), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t count = ::pread(fd_, text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failure{file_, std::strerror(errno)};
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  text.resize(got);
  // The kill that tore the last line came before its notifications were let go: nobody was told, nothing is owed.
  const std::size_t whole = text.rfind('\n') == std::string::npos ? 0 : text.rfind('\n') + 1;
  if (whole != size_ && ::ftruncate(fd_, static_cast<off_t>(whole)) == 0) size_ = whole;
  Replay replay;
  for (std::size_t at = 0; at < whole;) {
    const std::size_t end = text.find('\n', at);
    auto batch = from_line(std::string_view(text).substr(at, end - at));
    if (batch) {
      replay.batches.push_back(std::move(*batch));
    } else {
      ++replay.damaged;
    }
    at = end + 1;
  }
  return replay;
}

Result<void> Owed::append(const alerting::Effects& batch, const std::function<alerting::Effects()>& merged) {
  const std::string line = to_line(batch);
  if (auto opened = open(); !opened) return opened;
  if (size_ + line.size() > most_) return replace(merged());
  return write(line);
}

Result<void> Owed::write(std::string_view line) {
  std::size_t put = 0;
  while (put < line.size()) {
    const ssize_t count = ::write(fd_, line.data() + put, line.size() - put);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      // Half a line would swallow the next one.
      if (put > 0 && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0) size_ += put;
      return Failure{file_, std::strerror(error)};
    }
    put += static_cast<std::size_t>(count);
  }
  size_ += line.size();
  return {};
}

Result<void> Owed::replace(const alerting::Effects& merged) {
  std::string line = to_line(merged);
  if (line.size() > most_) {
    alerting::Effects obligations = merged;
    obligations.checks.clear();
    line = to_line(obligations);
  }
  if (line.size() > most_) return Failure{file_, "is full"};
  // Written beside and renamed, so that a kill leaves the old file or the new one.
  const std::filesystem::path beside = file_.string() + ".new";
  ::unlink(beside.c_str());
  Owed fresh(directory_, most_);
  fresh.file_ = beside;
  if (auto opened = fresh.open(); !opened) return opened;
  if (auto written = fresh.write(line); !written) return written;
  if (::rename(beside.c_str(), file_.c_str()) != 0) return Failure{file_, std::strerror(errno)};
  std::swap(fd_, fresh.fd_);
  size_ = fresh.size_;
  return {};
}

Result<void> Owed::clear() {
  if (size_ == 0) return {};
  if (::ftruncate(fd_, 0) != 0) return Failure{file_, std::strerror(errno)};
  size_ = 0;
  return {};
}

}  // namespace vitald::daemon
