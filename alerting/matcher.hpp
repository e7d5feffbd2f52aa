// Which checks are meant: by name, by label, or by both. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/labels.hpp"

namespace vitald::alerting {

/// `*` stands for any text, also for none; everything else for itself.
bool fits_glob(std::string_view pattern, std::string_view text);

struct Matcher {
  std::vector<std::string> names;  // exact or with `*`: one of them has to fit
  Labels labels;                   // values exact or with `*`: all of them have to fit

  /// Where both parts are given, both have to fit; an empty matcher fits nothing. What is vitald's own (check "vitald")
  /// is fitted by its whole name only: a `*` for a planned night must not hide that vitald itself is in trouble.
  bool fits(std::string_view check, const Labels& of_check) const;
  bool empty() const { return names.empty() && labels.empty(); }
  /// As one would write it on a command line: "api-* team=web".
  std::string text() const;

  friend bool operator==(const Matcher&, const Matcher&) = default;
};

}  // namespace vitald::alerting
