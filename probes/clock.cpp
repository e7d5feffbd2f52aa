#include "probes/clock.hpp"

#include <sys/timex.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/numbers.hpp"

namespace vitald::probes::clock {
namespace {

std::string in_words(double seconds) { return say_duration(length_of(std::abs(seconds))); }

/// With no mode set adjtimex(2) only tells and needs no right, but a filter on system calls may refuse it.
Facts ask_kernel() {
  struct timex told {};
  const int state = adjtimex(&told);
  if (state < 0) {
    throw unmeasured(
        "denied:adjtimex", std::string("vitald may not ask for the state of the clock: ") + std::strerror(errno),
        "allow it in a drop-in (systemctl edit vitald): [Service] SystemCallFilter=adjtimex clock_adjtime");
  }
  const double unit = (told.status & STA_NANO) != 0 ? 1e9 : 1e6;
  return {.synchronised = state != TIME_ERROR && (told.status & STA_UNSYNC) == 0,
          .offset = static_cast<double>(told.offset) / unit,
          .error = static_cast<double>(told.esterror) / 1e6,
          .maximum_error = static_cast<double>(told.maxerror) / 1e6,
          .frequency = static_cast<double>(told.freq) / 65536};
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.synchronised =
      in.optional("synchronised", config::Boolean{}, true, "Whether a clock that nothing keeps in step is a fault");
  return config;
}

awaitable<Facts> run(ProbeContext&, const Config&) { co_return ask_kernel(); }

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  seen.samples.push_back({.name = "synchronised", .value = facts.synchronised ? 1.0 : 0.0});
  seen.samples.push_back({.name = "frequency", .value = facts.frequency});
  if (facts.synchronised) {
    seen.samples.push_back({.name = "offset", .value = std::abs(facts.offset)});
    seen.samples.push_back({.name = "maximum_error", .value = facts.maximum_error});
    seen.samples.push_back({.name = "estimated_error", .value = facts.error});
    seen.summary = "synchronised, at most " + in_words(facts.maximum_error) + " off";
    seen.evidence.push_back({"clock", "still to be corrected " + in_words(facts.offset) + ", probably " +
                                          in_words(facts.error) + " off, at most " + in_words(facts.maximum_error)});
    return seen;
  }
  seen.summary = "the clock is not synchronised";
  seen.evidence.push_back({"clock", "nothing has told the kernel for a while that it keeps the clock in step"});
  if (!config.synchronised) return seen;
  seen.outcome = Outcome::wrong;
  seen.reason = "not_synchronised";
  seen.remedy = "see whether anything keeps it: timedatectl timesync-status, chronyc tracking or ntpq -p";
  return seen;
}

}  // namespace vitald::probes::clock
