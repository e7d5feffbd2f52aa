// What everything below a probe throws when the conversation cannot go on: which outcome that is, and how to say it.
// The runner (daemon/runner.cpp) is the only place that catches it; codecs and judge() return values instead.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "config/observation.hpp"

namespace vitald::probes {

struct ProbeFailure : std::runtime_error {
  ProbeFailure(Outcome outcome_, std::string reason_, std::string summary, std::string remedy_ = "")
      : std::runtime_error(summary), outcome(outcome_), reason(std::move(reason_)), remedy(std::move(remedy_)) {}

  Outcome outcome;
  std::string reason;  // Observation::reason
  std::string remedy;  // Observation::remedy
};

/// The failure that an errno stands for while `doing` ("connect to 127.0.0.1:5432"): ECONNREFUSED, ETIMEDOUT and their
/// like are the target's (refused); EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EACCES, EPERM, ENETDOWN and their
/// like are ours (unmeasured), with the remedy where there is one.
ProbeFailure failure_from(const std::error_code& error, const std::string& doing);

}  // namespace vitald::probes
