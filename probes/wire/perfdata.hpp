// What a Nagios plug-in prints: a line for people, more lines, and figures in the form
// 'label'=value[unit];[warning];[critical];[minimum];[maximum]. The rules are those of the Monitoring Plugins
// Development Guidelines; where plug-ins in the wild bend them, so does this. Does no I/O, takes any bytes.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/sample.hpp"

namespace vitald::wire {

/// A plug-in's own threshold: it alerts outside of low..high, with `inside` within, the ends included.
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  bool inside = false;

  friend bool operator==(const Range&, const Range&) = default;
};

/// "10", "10:", "~:10", "10:20", "@10:20"; nothing for what is none, or begins above its end.
std::optional<Range> parse_range(std::string_view text);

/// One figure in base units: seconds, bytes, a ratio of 0..1 for percents.
struct Figure {
  std::string label;            // fit to be shown, at most 64 bytes
  std::optional<double> value;  // nothing for U: the plug-in could not tell
  SampleKind kind = SampleKind::gauge;
  Unit unit = Unit::none;
  std::optional<double> minimum = {}, maximum = {};
  std::optional<Range> warning = {}, critical = {};
};

/// "200 ms (warning above 100 ms, critical above 500 ms)": the figure as evidence.
std::string say(const Figure& figure);

struct Perfdata {
  std::vector<Figure> figures;       // each label once, in order
  std::vector<std::string> refused;  // why, a sentence each, at most five
  std::size_t refused_count = 0;
};
constexpr std::size_t most_figures = 200;

Perfdata parse_perfdata(std::string_view text);

struct PluginOutput {
  std::string summary;             // the first line's text, fit to be shown; "" where there is none
  std::vector<std::string> lines;  // those after it, likewise, at most 50
  Perfdata perfdata;
};

/// The first line up to a '|' is the summary, what follows on it are figures. Later lines are text up to a '|', and
/// from there on all is figures.
PluginOutput parse_plugin_output(std::string_view text);

}  // namespace vitald::wire
