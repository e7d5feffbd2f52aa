#include "config/cron_field.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "config/ascii.hpp"
#include "config/shown.hpp"

namespace vitald {
namespace {

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && text.front() != '-';
  return whole ? std::optional(value) : std::nullopt;
}

class FieldParser {
 public:
  explicit FieldParser(const CronFieldKind& kind) : kind_(kind) {}

  Result<CronField> parse(std::string_view text) {
    CronField field;
    field.star = text.starts_with('*');
    std::size_t at = 0;
    while (at <= text.size()) {
      const std::size_t comma = std::min(text.find(',', at), text.size());
      auto added = add(text.substr(at, comma - at), field);
      if (!added) return added.failure();
      at = comma + 1;
    }
    return field;
  }

 private:
  /// "*", "7", "1-5", "*/10", "1-59/2".
  Result<void> add(std::string_view part, CronField& field) const {
    const std::size_t slash = part.find('/');
    const std::string_view range = part.substr(0, slash);
    const std::size_t dash = range.find('-');
    int first = kind_.low, last = kind_.high, step = 1;
    if (range != "*") {
      const auto from = value(range.substr(0, dash));
      auto to = dash == std::string_view::npos ? from : value(range.substr(dash + 1));
      if (!from || !to) return wrong(part, possible());
      // Sunday is 0 and 7: at the end of a range of days it is the latter.
      if (dash != std::string_view::npos && kind_.high == 7 && *to == 0 && *from > 0) to = 7;
      first = *from;
      last = *to;
      if (first > last) return wrong(part, "a range that goes up, such as 1-5");
    }
    if (slash != std::string_view::npos) {
      const auto given = number_in(part.substr(slash + 1), 1, kind_.high);
      if (!given) return wrong(part, "a step from 1 to " + std::to_string(kind_.high) + " behind the '/'");
      if (range != "*" && dash == std::string_view::npos) {
        return wrong(part, "a range before the '/', such as " + std::string(range) + "-" + std::to_string(kind_.high) +
                               std::string(part.substr(slash)));
      }
      step = *given;
    }
    for (int each = first; each <= last; each += step) field.bits.set(static_cast<std::size_t>(each));
    return {};
  }

  static std::optional<int> number_in(std::string_view text, int low, int high) {
    const auto value = text.empty() || text.size() > 4 ? std::nullopt : number(text);
    return value && *value >= low && *value <= high ? value : std::nullopt;
  }

  std::optional<int> value(std::string_view text) const {
    for (std::size_t i = 0; i < kind_.words.size(); ++i) {
      if (equal_but_case(text, kind_.words[i])) return kind_.low + static_cast<int>(i);
    }
    return number_in(text, kind_.low, kind_.high);
  }

  std::string possible() const {
    const std::string range = std::to_string(kind_.low) + " to " + std::to_string(kind_.high);
    if (kind_.words.empty()) return range + ", or '*'";
    return range + ", " + std::string(kind_.words.front()) + " to " + std::string(kind_.words.back()) + ", or '*'";
  }

  Failure wrong(std::string_view part, const std::string& expected) const {
    return {"", std::string(kind_.name) + " of a cron expression: expected " + expected + config::but_found(part)};
  }

  const CronFieldKind& kind_;
};

}  // namespace

Result<CronField> parse_cron_field(std::string_view text, const CronFieldKind& kind) {
  return FieldParser(kind).parse(text);
}

}  // namespace vitald
