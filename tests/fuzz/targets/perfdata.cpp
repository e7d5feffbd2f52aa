// What a Nagios plug-in prints.
#include "probes/wire/perfdata.hpp"

#include <cmath>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

bool fit_to_show(std::string_view text) { return text.find_first_of(std::string_view("\0\x1b\n\r", 4)) == text.npos; }

}  // namespace

void perfdata(const std::uint8_t* data, std::size_t size) {
  const auto output = wire::parse_plugin_output(std::string_view(reinterpret_cast<const char*>(data), size));
  must(fit_to_show(output.summary) && output.summary.size() <= 310, "a summary is bounded and fit to show");
  must(output.lines.size() <= 50, "lines are bounded");
  for (const auto& line : output.lines) must(fit_to_show(line) && line.size() <= 210, "a line is fit to show");
  const auto& found = output.perfdata;
  must(found.figures.size() <= wire::most_figures, "figures are bounded");
  must(found.refused.size() <= 5 && found.refused.size() <= found.refused_count, "refusals are bounded");
  for (const auto& figure : found.figures) {
    must(!figure.label.empty() && figure.label.size() <= 64 && fit_to_show(figure.label), "a label is fit to show");
    for (const auto& number : {figure.value, figure.minimum, figure.maximum}) {
      must(!number || std::isfinite(*number), "a number is finite");
    }
    for (const auto& range : {figure.warning, figure.critical}) {
      must(!range || range->low <= range->high, "a range is in order");
    }
    must(say(figure).size() < 1000, "words are bounded");
  }
}

}  // namespace vitald::fuzz
