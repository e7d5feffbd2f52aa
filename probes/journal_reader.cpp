#include "probes/journal_reader.hpp"

#include <systemd/sd-journal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t longest_message = 4096;
constexpr std::size_t longest_line = 200;
constexpr int most_folders = 64;
constexpr const char* remedy =
    "let vitald read the journal: docs/rights.md, or run: usermod -a -G systemd-journal vitald && systemctl restart "
    "vitald";

[[noreturn]] void give_up(int result, const std::string& doing) {
  throw unmeasured("journal_unreadable", doing + " the journal failed: " + std::strerror(-result),
                   "run: journalctl --verify");
}

int sound(int result, const std::string& doing) {
  if (result < 0) give_up(result, doing);
  return result;
}

enum class Access { readable, denied, missing };

/// libsystemd leaves out the files that it may not open without a word, so the permission is looked at here.
Access access_to(const std::filesystem::path& root) {
  Access found = Access::missing;
  for (const char* folder : {"run/log/journal", "var/log/journal"}) {
    std::error_code failed;
    auto each = std::filesystem::directory_iterator(root / folder, failed);
    if (failed == std::errc::permission_denied) found = Access::denied;
    for (int count = 0; !failed && each != std::filesystem::directory_iterator() && count < most_folders; ++count) {
      const std::string file = (each->path() / "system.journal").string();
      if (::eaccess(file.c_str(), R_OK) == 0) return Access::readable;
      if (errno == EACCES) found = Access::denied;
      each.increment(failed);
    }
  }
  return found;
}

void add(sd_journal* journal, const std::string& match) {
  sound(sd_journal_add_match(journal, match.data(), match.size()), "searching");
}

/// As `journalctl --unit` does it: what the unit said, what systemd said of it, and its core dumps.
void add_unit(sd_journal* journal, const std::string& unit) {
  add(journal, "_SYSTEMD_UNIT=" + unit);
  sound(sd_journal_add_disjunction(journal), "searching");
  add(journal, "_PID=1");
  add(journal, "UNIT=" + unit);
  sound(sd_journal_add_disjunction(journal), "searching");
  add(journal, "_UID=0");
  add(journal, "COREDUMP_UNIT=" + unit);
  sound(sd_journal_add_disjunction(journal), "searching");
}

void choose(sd_journal* journal, const JournalFilter& filter) {
  for (const std::string& unit : filter.units) add_unit(journal, unit);
  if (!filter.units.empty()) sound(sd_journal_add_conjunction(journal), "searching");
  // Matches of one field widen each other, those of different fields narrow.
  for (const std::string& identifier : filter.identifiers) add(journal, "SYSLOG_IDENTIFIER=" + identifier);
  if (filter.kernel) add(journal, "_TRANSPORT=kernel");
  for (int level = 0; level <= filter.priority.value_or(-1); ++level) {
    add(journal, "PRIORITY=" + std::to_string(level));
  }
}

std::string field(sd_journal* journal, const char* name, std::size_t most) {
  const void* data = nullptr;
  std::size_t size = 0;
  if (sd_journal_get_data(journal, name, &data, &size) < 0) return "";
  std::string_view text(static_cast<const char*>(data), size);
  text.remove_prefix(std::min(text.size(), std::strlen(name) + 1));
  return std::string(text.substr(0, most));
}

}  // namespace

void JournalReader::Closer::operator()(sd_journal* journal) const { sd_journal_close(journal); }

JournalReader::JournalReader(const std::string& root, const JournalFilter& filter) {
  const Access access = access_to(root.empty() ? "/" : root);
  if (access == Access::denied) throw unmeasured("journal_denied", "vitald may not read the journal", remedy);
  if (access == Access::missing) {
    throw unmeasured("journal_missing",
                     "this host has no journal: neither /run/log/journal nor /var/log/journal has one",
                     "run: systemctl status systemd-journald");
  }
  sd_journal* opened = nullptr;
  const int result = root.empty() ? sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY)
                                  : sd_journal_open_directory(&opened, root.c_str(), SD_JOURNAL_OS_ROOT);
  sound(result, "opening");
  journal_.reset(opened);
  sound(sd_journal_set_data_threshold(opened, longest_message + 64), "opening");
  choose(opened, filter);
}

JournalReader::~JournalReader() = default;

void JournalReader::to_end() { sound(sd_journal_seek_tail(journal_.get()), "reading"); }

void JournalReader::to_time(Wall at) {
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch()).count();
  sound(sd_journal_seek_realtime_usec(journal_.get(), static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0))),
        "reading");
}

bool JournalReader::to_cursor(const std::string& cursor) {
  const int result = sd_journal_seek_cursor(journal_.get(), cursor.c_str());
  if (result == -EINVAL) return false;  // it never was one
  sound(result, "reading");
  // This is the entry itself, or the first that comes after it.
  if (!next()) return false;
  return sound(sd_journal_test_cursor(journal_.get(), cursor.c_str()), "reading") > 0;
}

bool JournalReader::next() { return sound(sd_journal_next(journal_.get()), "reading") > 0; }

bool JournalReader::previous() { return sound(sd_journal_previous(journal_.get()), "reading") > 0; }

std::optional<Wall> JournalReader::oldest() const {
  std::uint64_t from = 0;
  if (sd_journal_get_cutoff_realtime_usec(journal_.get(), &from, nullptr) <= 0) return std::nullopt;
  return Wall{std::chrono::microseconds(from)};
}

JournalEntry JournalReader::entry() const {
  std::uint64_t microseconds = 0;
  sound(sd_journal_get_realtime_usec(journal_.get(), &microseconds), "reading");
  return {.message = field(journal_.get(), "MESSAGE", longest_message),
          .identifier = field(journal_.get(), "SYSLOG_IDENTIFIER", longest_line),
          .unit = field(journal_.get(), "_SYSTEMD_UNIT", longest_line),
          .at = Wall{std::chrono::microseconds(microseconds)}};
}

std::string JournalReader::cursor() const {
  char* text = nullptr;
  sound(sd_journal_get_cursor(journal_.get(), &text), "reading");
  const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
  return owned.get();
}

std::string last_journal_lines(const std::string& root, const std::string& unit, std::size_t lines) {
  try {
    JournalReader reader(root, {.units = {unit}, .identifiers = {}, .priority = {}});
    std::vector<std::string> found;
    for (reader.to_end(); found.size() < lines && reader.previous();) {
      const JournalEntry entry = reader.entry();
      found.push_back(say_time(entry.at) + " " + foreign_text(entry.message, longest_line));
    }
    std::string text;
    for (auto line = found.rbegin(); line != found.rend(); ++line) text += (text.empty() ? "" : "\n") + *line;
    return text.empty() ? "the journal has no line of it" : text;
  } catch (const ProbeFailure& failure) {
    return std::string(failure.what()) + "; " + failure.remedy;
  }
}

}  // namespace vitald::probes
