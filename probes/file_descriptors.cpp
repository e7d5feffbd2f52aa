#include "probes/file_descriptors.hpp"

#include "config/units.hpp"
#include "probes/proc_text.hpp"

namespace vitald::probes::file_descriptors {

Config parse(config::Reader&) { return {}; }

Facts parse_file_nr(std::string_view text) {
  // Allocated, free among them (0 since Linux 2.6), maximum.
  const auto words = words_of(text);
  const ProbeFailure unreadable(Outcome::unmeasured, "bad_file_nr", "/proc/sys/fs/file-nr does not say what it should");
  if (words.size() != 3) throw unreadable;
  const auto allocated = leading_count(words[0]), free = leading_count(words[1]), maximum = leading_count(words[2]);
  if (!allocated || !free || !maximum || *free > *allocated || *maximum == 0) throw unreadable;
  return {.used = static_cast<double>(*allocated - *free), .maximum = static_cast<double>(*maximum)};
}

awaitable<Facts> run(ProbeContext& context, const Config&) {
  co_return parse_file_nr(context.host.read("/proc/sys/fs/file-nr"));
}

Observation judge(const Config&, const Facts& facts) {
  constexpr double no_limit = 1e15;  // systemd sets 2^63 - 1
  Observation seen;
  seen.summary = say_number(facts.used) + " open files";
  seen.summary += facts.maximum >= no_limit ? ", as many as one likes" : " of " + say_number(facts.maximum);
  seen.samples.push_back({.name = "used", .value = facts.used, .maximum = facts.maximum, .says = seen.summary});
  seen.samples.push_back({.name = "maximum", .value = facts.maximum});
  seen.evidence.push_back({"open files", seen.summary});
  return seen;
}

}  // namespace vitald::probes::file_descriptors
