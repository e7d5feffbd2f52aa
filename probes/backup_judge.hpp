// What a stock of backups says, whether they are files (probe backup) or objects in a bucket (probe s3): how old the
// newest is, whether it is as large as usual, and whether as many are kept as should be. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/observation.hpp"
#include "config/reader.hpp"
#include "probes/faults.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes::backup {

/// One backup.
struct Copy {
  std::string name;      // its path or key
  std::string identity;  // another content has another one; without blanks
  double size = 0;       // bytes
  Wall written{};
};

/// The options that both kinds have.
struct Rules {
  std::uint64_t minimum_size = 0;
  std::int64_t keep = 0;                 // so many must be there
  std::optional<Duration> delete_after;  // none may be older
};

Rules read_rules(config::Reader& in, std::string_view one);

/// What is remembered of earlier newest backups, for places where only one is kept.
struct History {
  std::string newest;           // identity
  double size = 0;              // of it
  std::vector<double> earlier;  // sizes of those before it, the last one first

  static History read(const Remembered& memory);
  void write(Remembered& memory) const;
  /// The newest may be another one than before.
  void see(const Copy& copy);
};

struct Stock {
  std::vector<Copy> copies;      // newest first
  std::vector<Copy> unfinished;  // still being written
  History history;               // has seen the newest
  Wall now{};
};

/// Newest first; of the same moment the last by name.
void sort_newest_first(std::vector<Copy>& copies);

/// The usual size: the median of up to ten copies before the newest, or of what is remembered; nothing where fewer than
/// three can be compared.
std::optional<double> usual_size(const Stock& stock);

/// The name without its folders.
std::string short_name(const Copy& copy);
/// "db-3.sql.gz, 3 h old, 12 MiB"
std::string describe(const Copy& copy, Wall now);

/// Adds samples and evidence to `seen`, and gives its summary. Returns what is wrong whatever the limits: empty, too
/// small. `copies` is not empty.
Faults weigh(const Rules& rules, const Stock& stock, Observation& seen);

inline constexpr std::array samples{
    SampleSpec{.name = "age", .unit = Unit::seconds, .help = "Age of the newest backup"},
    SampleSpec{.name = "size", .unit = Unit::bytes, .help = "Size of the newest backup", .lower_is_worse = true},
    SampleSpec{.name = "shrink",
               .unit = Unit::ratio,
               .help = "By which share the newest is smaller than usual (the median of up to ten before it); absent "
                       "where fewer than three can be compared"},
    SampleSpec{.name = "kept", .help = "How many there are", .lower_is_worse = true},
    SampleSpec{.name = "missing", .help = "How many there are fewer than `keep` says"},
    SampleSpec{.name = "oldest", .unit = Unit::seconds, .help = "Age of the oldest"},
    SampleSpec{.name = "outlived", .help = "How many should have been deleted by now, where `delete_after` says when"},
};
inline constexpr std::string_view default_limits =
    "{ age: { warning: 26h, critical: 50h }, shrink: { warning: 50% }, missing: { warning: 1 }, "
    "outlived: { warning: 1 } }";

}  // namespace vitald::probes::backup
