// file: whether a file is there and is as it should be: kind, owner, mode, age, size, checksum, lines.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "probes/file_text.hpp"
#include "probes/options.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::file {

enum class Type { any, regular, directory, symlink };

struct Config {
  std::string path;
  bool exists = true;
  Type type = Type::any;
  std::string owner, group;                    // names or numbers; "" for any
  std::optional<mode_t> mode, mode_at_most;    // of the twelve bits that chmod knows
  std::string sha256;                          // in lower case, or ""
  std::vector<Pattern::value_type> contains;   // each by some line
  std::vector<Pattern::value_type> forbidden;  // by no line
  std::string comment;                         // what begins a line that does not count, or ""

  bool reads() const { return !sha256.empty() || !contains.empty() || !forbidden.empty(); }
  std::string target() const { return "file:" + path; }
};

struct Found {
  mode_t mode = 0;  // with the kind of file
  std::string owner, group;
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint64_t size = 0;
  Wall modified;
  std::string leads_to;  // of a symbolic link
};

struct Facts {
  std::optional<Found> found;             // nothing: it is not there
  std::optional<Text> text;               // where it was asked for and could be read
  std::optional<ProbeFailure> trouble{};  // it could not be looked at, or not be read
  std::string before;                     // what the last run saw, as describe() has it; "" at the first
  Wall now;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "age", .unit = Unit::seconds, .help = "Since it was last written"},
    SampleSpec{.name = "size", .unit = Unit::bytes, .help = "Its size"},
    SampleSpec{.name = "changes",
               .kind = SampleKind::event,
               .help = "Whether it came, went, or changed in content, owner or mode since the last run"},
};

}  // namespace vitald::probes::file
