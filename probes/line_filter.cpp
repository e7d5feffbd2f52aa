#include "probes/line_filter.hpp"

#include <algorithm>

namespace vitald::probes {

bool LineFilter::takes(std::string_view line) const {
  const auto found = [&](const Pattern::value_type& pattern) { return matches(*pattern, line); };
  return std::any_of(match.begin(), match.end(), found) && std::none_of(ignore.begin(), ignore.end(), found);
}

LineFilter read_line_filter(config::Reader& in) {
  const config::ListOf<Pattern> patterns{.kind = {}, .single = true, .most = 32};
  LineFilter filter;
  filter.match =
      in.optional("match", patterns, {}, "Lines to count: a regular expression, or a list of which any may match");
  filter.ignore = in.optional("ignore", patterns, {}, "Lines not to count although they match, in the same way");
  return filter;
}

}  // namespace vitald::probes
