#include "probes/kernel_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <optional>

#include "probes/foreign_text.hpp"
#include "probes/proc_text.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_bytes = 4 << 20;
constexpr int most_reads = 200'000;  // a log that is written faster than we read ends as well
constexpr std::size_t most_victims = 64;

/// What follows `key`, or "".
std::string_view after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  return at == std::string_view::npos ? std::string_view() : text.substr(at + key.size());
}

double kib_after(std::string_view text, std::string_view key) {
  return static_cast<double>(leading_count(after(text, key)).value_or(0)) * 1024;
}

/// "6,1234,98765,-;message" (Documentation/ABI/testing/dev-kmsg): the number of the record and its message.
struct Record {
  std::uint64_t number = 0;
  std::string_view message;
};
std::optional<Record> parse_record(std::string_view line) {
  const std::size_t comma = line.find(','), semicolon = line.find(';');
  if (comma == std::string_view::npos || semicolon == std::string_view::npos || comma > semicolon) return std::nullopt;
  const auto number = leading_count(line.substr(comma + 1));
  if (line.front() == ' ' || !number) return std::nullopt;
  return Record{.number = *number, .message = line.substr(semicolon + 1)};
}

/// "Out of memory: Killed process 812 (mysqld) total-vm:1049724kB, anon-rss:990112kB, file-rss:2000kB, …", and
/// "Memory cgroup out of memory: Killed process …"; a name may hold anything, parentheses too.
std::optional<Victim> parse_victim(const Record& record) {
  const std::string_view rest = after(record.message, "Killed process ");
  const std::size_t open = rest.find(" ("), close = rest.rfind(") total-vm:");
  const auto pid = leading_count(rest);
  if (!pid || open == std::string_view::npos || close == std::string_view::npos || close < open + 2)
    return std::nullopt;
  return Victim{.record = record.number,
                .pid = static_cast<int>(*pid),
                .name = foreign_text(rest.substr(open + 2, close - open - 2), 64),
                .bytes = kib_after(rest, "anon-rss:") + kib_after(rest, "file-rss:") + kib_after(rest, "shmem-rss:"),
                .group = ""};
}

/// Leaves about half of what is kept, from the beginning of a record on.
void drop_beginning(std::string& text) {
  const std::size_t cut = text.size() - most_bytes / 2;
  const std::size_t line = text.find('\n', cut);
  text.erase(0, line == std::string::npos ? cut : line + 1);
}

}  // namespace

KernelLog read_kernel_log(const std::string& path) {
  KernelLog log;
  const int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (file < 0) {
    log.error = errno;
    return log;
  }
  std::array<char, 16 * 1024> chunk;
  for (int i = 0; i < most_reads; ++i) {
    const auto got = read(file, chunk.data(), chunk.size());      // of /dev/kmsg one record at a time
    if (got < 0 && (errno == EINTR || errno == EPIPE)) continue;  // EPIPE: the record was overwritten meanwhile
    if (got < 0 && errno != EAGAIN) log.error = errno;
    if (got <= 0) break;
    log.text.append(chunk.data(), static_cast<std::size_t>(got));
    if (log.text.size() > most_bytes) drop_beginning(log.text);
  }
  close(file);
  return log;
}

std::vector<Victim> find_victims(std::string_view log) {
  std::deque<Victim> victims;
  std::string group;
  while (!log.empty()) {
    const auto record = parse_record(take_line(log));
    if (!record) continue;
    if (record->message.starts_with("oom-kill:")) {
      const std::string_view named = after(record->message, ",task_memcg=");
      group = foreign_text(named.substr(0, named.find(",task=")), 160);
    }
    auto victim = parse_victim(*record);
    if (!victim) continue;
    victim->group = group;
    group.clear();
    victims.push_back(std::move(*victim));
    if (victims.size() > most_victims) victims.pop_front();
  }
  return {victims.begin(), victims.end()};
}

}  // namespace vitald::probes
