#include "alerting/matcher.hpp"

#include <algorithm>

namespace vitald::alerting {

bool fits_glob(std::string_view pattern, std::string_view text) {
  // After a mismatch only the last `*` needs to take one more character: no pattern takes more than their product.
  std::size_t at = 0, in = 0;
  std::size_t star = std::string_view::npos, taken = 0;
  while (at < text.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      taken = at;
    } else if (in < pattern.size() && pattern[in] == text[at]) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in) == std::string_view::npos;
}

bool Matcher::fits(std::string_view check, const Labels& of_check) const {
  if (empty()) return false;
  const bool own = check == "vitald";
  const bool named = names.empty() ? !own : std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return own ? name == check : fits_glob(name, check);
  });
  return named && std::all_of(labels.begin(), labels.end(), [&](const auto& wanted) {
           return std::any_of(of_check.begin(), of_check.end(), [&](const auto& label) {
             return label.first == wanted.first && fits_glob(wanted.second, label.second);
           });
         });
}

std::string Matcher::text() const {
  std::string words;
  for (const std::string& name : names) words += (words.empty() ? "" : " ") + name;
  for (const auto& [name, value] : labels) words += (words.empty() ? "" : " ") + name + "=" + value;
  return words;
}

}  // namespace vitald::alerting
