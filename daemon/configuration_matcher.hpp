// The reader of what chooses checks: `checks:` of maintenance windows and routes, `depends_on:` of checks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "alerting/matcher.hpp"
#include "config/kinds.hpp"

namespace vitald::daemon {

struct CheckDraft;

/// `api-*`, a list of such names, or a mapping of labels such as { team: web }.
struct CheckMatcher {
  using value_type = alerting::Matcher;
  std::string type_name() const { return "names or mapping of labels"; }
  std::string schema() const;
  Result<value_type> read(const config::Node&, config::Problems&) const;
  value_type dummy() const { return {}; }
  std::string show(const value_type&) const { return ""; }
};

/// What is wrong with a matcher, given the checks that there are.
struct MatcherFault {
  std::string what;
  bool error = false;  // else it only means nothing today
};
/// A name that is no check's is an error, as any dangling reference; a `*` or labels that fit nothing are a warning.
/// With `own`, the name "vitald" is known too.
std::vector<MatcherFault> judge_matcher(const alerting::Matcher& matcher, std::span<const CheckDraft> checks, bool own);

}  // namespace vitald::daemon
