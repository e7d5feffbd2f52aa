// The journal of this host. Everything here blocks (files, and there may be many): it belongs into a job on a worker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/now.hpp"
#include "probes/failure.hpp"

struct sd_journal;

namespace vitald::probes {

/// Which entries; what is left empty does not choose.
struct JournalFilter {
  std::vector<std::string> units;        // what they said, and what systemd said of them
  std::vector<std::string> identifiers;  // SYSLOG_IDENTIFIER
  std::optional<int> priority;           // 0 (emergency) up to this one
  bool kernel = false;
};

struct JournalEntry {
  std::string message;     // at most 4 KiB; foreign
  std::string identifier;  // who said it: nginx, kernel
  std::string unit;        // "" where it belongs to none
  Wall at;
};

class JournalReader {
 public:
  /// Opens what the host below `root` ("" is this one) has written. Throws ProbeFailure(unmeasured): "journal_denied",
  /// "journal_missing", "journal_unreadable".
  JournalReader(const std::string& root, const JournalFilter& filter);
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;
  ~JournalReader();

  void to_end();          // previous() is the last entry
  void to_time(Wall at);  // next() is the first entry from then on
  /// next() is the entry after the one that cursor() told; false when that one is gone, and the place is undefined.
  bool to_cursor(const std::string& cursor);

  bool next();
  bool previous();
  JournalEntry entry() const;
  std::string cursor() const;
  /// When the oldest entry that is still there was written, whatever the filter says.
  std::optional<Wall> oldest() const;

 private:
  struct Closer {
    void operator()(sd_journal* journal) const;
  };
  std::unique_ptr<sd_journal, Closer> journal_;
};

/// The last lines of a unit as evidence, "02:13:41 UTC message" each; never throws: where the journal cannot be read,
/// the text says so, and what to do.
std::string last_journal_lines(const std::string& root, const std::string& unit, std::size_t lines);

}  // namespace vitald::probes
