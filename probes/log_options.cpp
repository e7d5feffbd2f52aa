#include "probes/log_options.hpp"

#include <algorithm>

#include "config/units.hpp"
#include "probes/probe.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_gaps = 4;

config::ListOf<config::Text> paths() { return {.kind = {}, .single = true, .most = 32}; }

void expect_absolute(config::Reader& in, std::string_view key, const std::vector<std::string>& given) {
  for (const std::string& path : given) {
    if (!path.starts_with('/'))
      in.problem(key, "expected an absolute path such as /var/log/app.log, found '" + path + "'");
  }
}

void add_missing(const std::string& what, const std::string& path, Missing missing, Faults& faults) {
  if (missing == Missing::fault) faults.push_back(wrong("missing", what));
  if (missing == Missing::unknown) {
    faults.push_back(
        unmeasured("missing:" + path, what,
                   "see whether the path is right; set missing: ok where the log comes with its first line"));
  }
}

}  // namespace

std::vector<std::string> read_log_files(config::Reader& in) {
  const auto given = in.required(
      "file", paths(), "The log, as a path or a pattern such as /srv/*/storage/logs/*.log, or a list of them");
  expect_absolute(in, "file", given);
  return given;
}

Missing read_missing(config::Reader& in) {
  const auto word = in.optional("missing", config::OneOf{{"unknown", "ok", "fault"}}, "unknown",
                                "What a log that is not there means; one that was just rotated may be missing");
  return word == "ok" ? Missing::ok : word == "fault" ? Missing::fault : Missing::unknown;
}

std::vector<std::string> read_log_patterns(config::Reader& in, std::string_view key, std::string_view help) {
  const auto given = in.optional(key, paths(), {}, help);
  expect_absolute(in, key, given);
  return given;
}

FollowOptions follow_in(const ProbeContext& context, const std::vector<std::string>& files) {
  FollowOptions options;
  options.root = context.host.root;
  options.logs = files;
  options.now = context.started.wall;
  const Steady enough = context.started.steady + (context.deadline - context.started.steady) / 2;
  options.stop = [&clock = context.clock, enough] { return clock.now().steady >= enough; };
  return options;
}

void add_unread(const std::vector<std::string>& files, Missing missing, const Followed& followed, Faults& faults) {
  for (const FollowedLog& log : followed.logs) {
    if (!log.trouble && !log.file && !log.moved) add_missing(log.path + " does not exist", log.path, missing, faults);
  }
  if (followed.logs.empty()) add_missing("no file matches " + files.front(), files.front(), missing, faults);
  for (const FollowedLog& log : followed.logs) {
    if (log.trouble) faults.push_back(*log.trouble);
  }
  std::stable_partition(faults.begin(), faults.end(),
                        [](const ProbeFailure& fault) { return fault.outcome != Outcome::unmeasured; });
}

std::vector<Evidence> reading_evidence(const Followed& followed) {
  std::vector<Evidence> shown;
  for (const std::string& gap : followed.gaps) {
    if (shown.size() < most_gaps) shown.push_back({"gap", gap});
  }
  if (followed.lag > 0) {
    shown.push_back({"unread", say_bytes(static_cast<double>(followed.lag)) +
                                   " are left for the next run; run the check more often if this stays"});
  }
  return shown;
}

}  // namespace vitald::probes
