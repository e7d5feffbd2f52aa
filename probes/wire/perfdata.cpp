#include "probes/wire/perfdata.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::wire {
namespace {

using probes::foreign_text;

constexpr std::size_t longest_label = 64;
constexpr std::size_t longest_summary = 300;
constexpr std::size_t longest_line = 200;
constexpr std::size_t most_lines = 50;
constexpr std::size_t most_refused = 5;

struct UnitWord {
  std::string_view word;
  Unit unit;
  double scale;
};

// Sizes count in 1024s whatever their letter: that is how the plug-ins compute them (check_disk, check_swap).
constexpr double kib = 1024, mib = kib * kib, gib = mib * kib, tib = gib * kib, pib = tib * kib;
constexpr std::array unit_words{
    UnitWord{"s", Unit::seconds, 1},     UnitWord{"ms", Unit::seconds, 1e-3}, UnitWord{"us", Unit::seconds, 1e-6},
    UnitWord{"µs", Unit::seconds, 1e-6}, UnitWord{"ns", Unit::seconds, 1e-9}, UnitWord{"m", Unit::seconds, 60},
    UnitWord{"h", Unit::seconds, 3600},  UnitWord{"d", Unit::seconds, 86400}, UnitWord{"%", Unit::ratio, 0.01},
    UnitWord{"B", Unit::bytes, 1},       UnitWord{"KB", Unit::bytes, kib},    UnitWord{"kB", Unit::bytes, kib},
    UnitWord{"KiB", Unit::bytes, kib},   UnitWord{"MB", Unit::bytes, mib},    UnitWord{"MiB", Unit::bytes, mib},
    UnitWord{"GB", Unit::bytes, gib},    UnitWord{"GiB", Unit::bytes, gib},   UnitWord{"TB", Unit::bytes, tib},
    UnitWord{"TiB", Unit::bytes, tib},   UnitWord{"PB", Unit::bytes, pib},    UnitWord{"PiB", Unit::bytes, pib},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// The number at the beginning of `text`, which is taken off it. No hex, no inf, no nan, and nothing that overflows.
std::optional<double> take_number(std::string_view& text) {
  const std::size_t sign = text.starts_with('-') ? 1 : 0;
  const bool begins = text.size() > sign && (is_digit(text[sign]) || text[sign] == '.');
  if (!begins) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<double> whole_number(std::string_view text) {
  const auto value = take_number(text);
  return text.empty() ? value : std::nullopt;
}

/// A unit that we do not know (`43C`, `12rpm`) leaves a plain number.
bool is_word(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '%' || static_cast<signed char>(c) < 0;
  };
  return text.size() <= 16 && std::all_of(text.begin(), text.end(), letter);
}

/// Reads value and unit; a sentence where they are none. `scale` is the unit's.
std::string read_value(std::string_view text, Figure& figure, double& scale) {
  if (text == "U") return "";
  const std::string shown = "'" + foreign_text(text, 40) + "'";
  std::string_view rest = text;
  const auto number = take_number(rest);
  if (!number) return shown + " is no number";
  if (rest.size() > 1 && rest.front() == ',' && is_digit(rest[1])) return shown + " has a decimal comma";
  const auto known =
      std::find_if(unit_words.begin(), unit_words.end(), [&](const auto& row) { return row.word == rest; });
  if (known != unit_words.end()) {
    figure.unit = known->unit;
    scale = known->scale;
  } else if (rest == "c") {
    figure.kind = SampleKind::counter;
  } else if (!is_word(rest)) {
    return shown + " is no number with a unit";
  }
  figure.value = *number * scale;
  return std::isfinite(*figure.value) ? "" : shown + " is too large";
}

std::optional<double> scaled(std::optional<double> value, double scale) {
  if (!value || !std::isfinite(*value * scale)) return std::nullopt;
  return *value * scale;
}

std::optional<Range> scaled(std::optional<Range> range, double scale) {
  if (!range) return std::nullopt;
  range->low *= scale;
  range->high *= scale;
  return range;
}

/// Value, thresholds, minimum and maximum, between semicolons. A broken threshold costs the threshold alone.
std::string read_fields(std::string_view text, Figure& figure) {
  std::array<std::string_view, 5> fields;
  for (auto& field : fields) {
    const std::size_t end = std::min(text.find(';'), text.size());
    field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  double scale = 1;
  if (auto wrong = read_value(fields[0], figure, scale); !wrong.empty()) return wrong;
  figure.warning = scaled(parse_range(fields[1]), scale);
  figure.critical = scaled(parse_range(fields[2]), scale);
  figure.minimum = scaled(whole_number(fields[3]), scale);
  figure.maximum = scaled(whole_number(fields[4]), scale);
  if (figure.unit == Unit::ratio && !figure.maximum) figure.maximum = 1;
  return "";
}

/// Up to the '=' in `'a label'=` or `label=`, both taken off `text`; nothing where there is none.
std::optional<std::string> take_label(std::string_view& text) {
  std::string label;
  std::size_t at = 0;
  if (text.starts_with('\'')) {
    for (at = 1; at < text.size(); ++at) {
      if (text[at] == '\'' && !text.substr(at + 1).starts_with('\'')) break;
      if (text[at] == '\'') ++at;  // two of them stand for one
      label += text[at];
    }
    ++at;  // the closing quote
  } else {
    while (at < text.size() && text[at] != '=' && !is_blank(text[at])) label += text[at++];
  }
  const bool good = at < text.size() && text[at] == '=' && !label.empty();
  if (!good) return std::nullopt;
  text.remove_prefix(at + 1);
  return label;
}

std::string_view take_word(std::string_view& text) {
  const auto end = std::find_if(text.begin(), text.end(), is_blank);
  const auto size = static_cast<std::size_t>(end - text.begin());
  const std::string_view word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

std::string say_amount(double value, Unit unit) {
  if (std::abs(value) > 1e18) return say_number(value);
  const bool length = unit == Unit::seconds && value >= 0 && value < 1e8;
  if (length) return say_duration(std::chrono::round<Duration>(std::chrono::duration<double>(value)));
  if (unit == Unit::bytes) return say_bytes(value);
  if (unit == Unit::ratio) return say_ratio(value);
  return say_number(value);
}

std::string say(const Range& range, Unit unit) {
  const auto low = [&] { return say_amount(range.low, unit); };
  const auto high = [&] { return say_amount(range.high, unit); };
  if (std::isinf(range.low) && std::isinf(range.high)) return range.inside ? "always" : "never";
  if (std::isinf(range.high)) return range.inside ? "from " + low() : "below " + low();
  if (std::isinf(range.low)) return range.inside ? "up to " + high() : "above " + high();
  if (range.inside) return "within " + low() + " to " + high();
  return range.low == 0 ? "above " + high() : "outside " + low() + " to " + high();
}

std::string_view without_end_blanks(std::string_view line) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  return line;
}

}  // namespace

std::optional<Range> parse_range(std::string_view text) {
  Range range;
  range.inside = text.starts_with('@');
  if (range.inside) text.remove_prefix(1);
  const std::size_t colon = text.find(':');
  const std::string_view low = colon == std::string_view::npos ? "" : text.substr(0, colon);
  const std::string_view high = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (low == "~") {
    range.low = -std::numeric_limits<double>::infinity();
  } else if (!low.empty()) {
    const auto number = whole_number(low);
    if (!number) return std::nullopt;
    range.low = *number;
  }
  if (!high.empty()) {
    const auto number = whole_number(high);
    if (!number) return std::nullopt;
    range.high = *number;
  } else if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  if (range.low > range.high) return std::nullopt;
  return range;
}

std::string say(const Figure& figure) {
  std::string text = figure.value ? say_amount(*figure.value, figure.unit) : "unknown";
  if (figure.maximum && figure.unit != Unit::ratio) text += " of " + say_amount(*figure.maximum, figure.unit);
  std::string limits;
  if (figure.warning) limits += "warning " + say(*figure.warning, figure.unit);
  if (figure.critical) limits += (limits.empty() ? "" : ", ") + ("critical " + say(*figure.critical, figure.unit));
  return limits.empty() ? text : text + " (the plug-in's own limits: " + limits + ")";
}

Perfdata parse_perfdata(std::string_view text) {
  Perfdata perfdata;
  std::set<std::string> labels;
  const auto refuse = [&](std::string why) {
    if (perfdata.refused.size() < most_refused) perfdata.refused.push_back(std::move(why));
    perfdata.refused_count += 1;
  };
  while (true) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    if (text.empty()) return perfdata;
    const std::string_view before = text;
    const auto label = take_label(text);
    if (!label) {
      text = before;
      refuse("'" + foreign_text(take_word(text), 40) + "' is no label=value");
      continue;
    }
    Figure figure{.label = foreign_text(*label, longest_label - 3), .value = {}};  // an ellipsis takes three bytes
    const std::string wrong = read_fields(take_word(text), figure);
    if (!wrong.empty()) {
      refuse(figure.label + ": " + wrong);
    } else if (!labels.insert(figure.label).second) {
      refuse(figure.label + " is there twice");
    } else if (perfdata.figures.size() == most_figures) {
      refuse("there are more than " + std::to_string(most_figures) + " figures");
    } else {
      perfdata.figures.push_back(std::move(figure));
    }
  }
}

PluginOutput parse_plugin_output(std::string_view text) {
  PluginOutput output;
  std::string perfdata;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t bar = line.find('|');
    const std::string_view words = without_end_blanks(line.substr(0, bar));
    if (first) output.summary = foreign_text(words, longest_summary);
    if (!first && output.lines.size() < most_lines && !words.empty())
      output.lines.push_back(foreign_text(words, longest_line));
    if (bar != std::string_view::npos) perfdata.append(line.substr(bar + 1)).append("\n");
    if (!first && bar != std::string_view::npos) {
      perfdata.append(text);
      text = {};
    }
    first = false;
  }
  output.perfdata = parse_perfdata(perfdata);
  return output;
}

}  // namespace vitald::wire
