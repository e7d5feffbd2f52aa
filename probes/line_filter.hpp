// Which lines of a log a check is about: the options `match` and `ignore`.
#pragma once

#include <string_view>
#include <vector>

#include "probes/options.hpp"

namespace vitald::probes {

struct LineFilter {
  std::vector<Pattern::value_type> match;   // any of them
  std::vector<Pattern::value_type> ignore;  // but none of these

  bool takes(std::string_view line) const;
};

LineFilter read_line_filter(config::Reader& in);

}  // namespace vitald::probes
