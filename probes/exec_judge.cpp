#include <string.h>

#include <algorithm>
#include <utility>

#include "config/units.hpp"
#include "probes/exec.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/tail.hpp"
#include "probes/wire/perfdata.hpp"

namespace vitald::probes::exec {
namespace {

using wire::Figure;
using wire::PluginOutput;

constexpr std::size_t most_lines = 10;      // of output, as evidence
constexpr std::size_t most_thresholds = 5;  // figures with thresholds of the plug-in's own, as evidence

std::string signal_name(int number) {
  const char* const name = sigabbrev_np(number);
  return name == nullptr ? "signal " + std::to_string(number) : std::string("SIG") + name;
}

/// The one line of it that says most: the last of what went wrong.
std::string last_line(const Captured& captured) { return last_lines_of(captured.text(), 1); }

std::string joined(const std::vector<std::string>& lines, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) text += (i > 0 ? "\n" : "") + lines[i];
  return text;
}

void add_output(const Config& config, const ProgramEnd& end, const PluginOutput& output, Observation& seen) {
  const std::string text = config.nagios ? joined(output.lines, most_lines) : last_lines_of(end.out.text(), most_lines);
  if (!text.empty()) seen.evidence.push_back({"output", text});
  if (const std::string errors = last_lines_of(end.err.text()); !errors.empty())
    seen.evidence.push_back({"error output", errors});
  if (end.left_behind > 0) {
    const std::string count = std::to_string(end.left_behind) + (end.left_behind == 1 ? " process" : " processes");
    seen.evidence.push_back({"left behind", count + " that it had started, ended by vitald"});
  }
}

/// A figure may be named as it likes; those that every check has keep theirs.
std::string sample_name(const Figure& figure) {
  return is_own_sample(figure.label) ? "plugin_" + figure.label : figure.label;
}

void add_figures(const PluginOutput& output, Observation& seen) {
  std::size_t shown = 0;
  for (const Figure& figure : output.perfdata.figures) {
    if (figure.value) {
      seen.samples.push_back({.name = sample_name(figure), .value = *figure.value, .maximum = figure.maximum});
    }
    const bool telling = figure.warning || figure.critical || !figure.value;
    if (telling && shown++ < most_thresholds) seen.evidence.push_back({figure.label, wire::say(figure)});
  }
  if (output.perfdata.refused_count == 0) return;
  std::string text = joined(output.perfdata.refused, 5);
  const std::size_t more = output.perfdata.refused_count - output.perfdata.refused.size();
  if (more > 0) text += "\nand " + std::to_string(more) + " more";
  seen.evidence.push_back({"figures that cannot be read", text});
}

/// A limit on what the program does not give would never be crossed, and nobody would notice.
void judge_limited(const Config& config, const PluginOutput& output, Observation& seen) {
  for (const std::string& name : config.limited) {
    const auto& figures = output.perfdata.figures;
    const auto same = [&](const Figure& figure) { return sample_name(figure) == name; };
    if (is_own_sample(name) || std::any_of(figures.begin(), figures.end(), same)) continue;
    std::string known;
    for (std::size_t i = 0; i < std::min<std::size_t>(figures.size(), 10); ++i)
      known += (i > 0 ? ", " : "") + sample_name(figures[i]);
    blame(unmeasured(
              "limit_without_figure",
              "limits name '" + foreign_text(name) + "', which " + foreign_text(config.target()) + " does not give",
              known.empty() ? "it gives no figures" : "it gives: " + known),
          seen);
    seen.samples.clear();
    return;
  }
}

/// "DISK OK - free space: …", or what else there is to say.
std::string headline(const Config& config, const ProgramEnd& end, const PluginOutput& output) {
  std::string line = config.nagios ? output.summary : last_line(end.out);
  const bool failed = end.fate != ProgramFate::exited || end.code != 0;
  const std::string errors = failed && (line.empty() || !config.nagios) ? last_line(end.err) : "";
  return errors.empty() ? line : errors;
}

ProbeFailure late(const Config& config, const Facts& facts) {
  return refused("timeout", "did not end within " + say_duration(facts.patience),
                 "run it by hand to see what it waits for: " + config.target());
}

/// One that was ended by a signal had no say: a plug-in is not asked what it would have said.
ProbeFailure ended_by_signal(const Config& config, const ProgramEnd& end) {
  const std::string name = signal_name(end.code);
  const std::string summary = "the program was ended by " + name;
  // Nobody but the kernel, for want of memory, or an administrator sends this one.
  if (end.code == 9) {
    return unmeasured("killed:" + config.target(), summary,
                      "see whether the memory ran out: dmesg | grep -i 'killed process'; the unit's MemoryMax= counts "
                      "programs as well");
  }
  if (config.nagios) return unmeasured("signal:" + config.target(), summary, "run it by hand: " + config.target());
  return wrong("signal", summary);
}

void judge_exit(const Config& config, const ProgramEnd& end, const PluginOutput& output, Observation& seen) {
  const std::string status = "exit status " + std::to_string(end.code);
  const std::string line = headline(config, end, output);
  seen.summary = line.empty() ? status + ", no output" : line;
  const bool plugin_like = end.code >= 0 && end.code <= 2;
  if (config.nagios && plugin_like) {
    Sample verdict{.name = "exit_status", .value = static_cast<double>(end.code), .says = seen.summary};
    seen.samples.insert(seen.samples.begin(), std::move(verdict));
    if (end.code == 0) judge_limited(config, output, seen);
  } else if (config.nagios && end.code == 3) {
    blame(unmeasured("plugin_unknown:" + config.target(), seen.summary, "run it by hand: " + config.target()), seen);
  } else if (config.nagios) {
    blame(unmeasured("exit_status:" + config.target(),
                     status + ", which means nothing to Nagios" + (line.empty() ? "" : ": " + line),
                     "if it is no plug-in, write 'nagios: false': then every status but 0 is critical"),
          seen);
  } else if (end.code == 0) {
    seen.samples.push_back({.name = "exit_status", .value = 0});
  } else {
    blame(wrong("exit_status", status + (line.empty() ? "" : ": " + line)), seen);
  }
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  const ProgramEnd& end = facts.end;
  // With output in the middle left out, figures could be cut in two.
  const auto output =
      config.nagios ? wire::parse_plugin_output(end.out.dropped > 0 ? end.out.head : end.out.text()) : PluginOutput{};
  Observation seen;
  if (end.fate == ProgramFate::exited) {
    if (config.nagios) add_figures(output, seen);
    judge_exit(config, end, output, seen);
  } else if (end.fate == ProgramFate::late) {
    blame(late(config, facts), seen);
  } else if (end.fate == ProgramFate::signalled) {
    blame(ended_by_signal(config, end), seen);
  } else {
    blame(unmeasured("flooded:" + config.target(), "wrote more than 64 MiB and was ended", "let it print less"), seen);
  }
  const std::string line = headline(config, end, output);
  if (!line.empty() && end.fate != ProgramFate::exited) seen.evidence.push_back({"it said", line});
  add_output(config, end, output, seen);
  return seen;
}

}  // namespace vitald::probes::exec
