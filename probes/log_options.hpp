// What the kinds that follow logs have in common: how one names the logs, and what it means that one cannot be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/reader.hpp"
#include "probes/faults.hpp"
#include "probes/log_follow.hpp"

namespace vitald::probes {

struct ProbeContext;

enum class Missing {
  unknown,  // nobody can say whether the path is right
  ok,       // it comes with its first line
  fault,
};

/// `file`.
std::vector<std::string> read_log_files(config::Reader& in);
/// `missing`.
Missing read_missing(config::Reader& in);
std::vector<std::string> read_log_patterns(config::Reader& in, std::string_view key, std::string_view help);

/// How `files` are followed in this run: with half of its time, since what was read in a run that ends at its deadline
/// has to be read again, and what is left for the next run does not.
FollowOptions follow_in(const ProbeContext& context, const std::vector<std::string>& files);

/// The logs that are not there or cannot be read; the target's faults come before our own.
void add_unread(const std::vector<std::string>& files, Missing missing, const Followed& followed, Faults& faults);

/// What a reader should know of the reading itself.
std::vector<Evidence> reading_evidence(const Followed& followed);

}  // namespace vitald::probes
