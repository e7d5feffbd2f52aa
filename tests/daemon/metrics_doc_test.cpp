// docs/metrics.md against the code. VITALD_UPDATE_GOLDEN=1 rewrites the generated tables.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "daemon/exposition.hpp"
#include "daemon/instruments.hpp"
#include "tests/support/fake_operations.hpp"
#include "tests/support/promtool.hpp"
#include "tests/support/source_root.hpp"

namespace vitald::daemon {
namespace {

const std::string page = std::string(tests::source_root()) + "/docs/metrics.md";
const std::string table_head = "| metric | type | meaning |\n| --- | --- | --- |\n";

std::string line(std::string_view name, std::string_view labels, std::string_view type, std::string_view help) {
  return "| `" + std::string(name) + std::string(labels) + "` | " + std::string(type) + " | " + std::string(help) +
         " |\n";
}

std::string check_table() {
  std::string table = table_head;
  for (const CheckMetric& metric : check_metrics()) {
    table += line(metric.name, metric.name == "vitald_check_phase_seconds" ? "{phase}" : "", metric.type, metric.help);
  }
  return table;
}

/// The label names of the first series of `metric`, but for a histogram's own.
std::string labels_in(const std::string& text, const std::string& metric) {
  auto at = text.find("\n" + metric + "{");
  if (at == std::string::npos) at = text.find("\n" + metric + "_count{");
  if (at == std::string::npos) return "";
  const auto open = text.find('{', at);
  std::istringstream labels(text.substr(open + 1, text.find('}', open) - open - 1));
  std::string names;
  for (std::string label; std::getline(labels, label, ',');) {
    const auto equals = label.find("=\"");
    if (equals != std::string::npos) names += (names.empty() ? "" : ",") + label.substr(0, equals);
  }
  return names.empty() ? "" : "{" + names + "}";
}

std::string daemon_table() {
  Instruments instruments;
  instruments.probe_ran("http", std::chrono::seconds(1));
  instruments.notification("ops", "accepted");
  instruments.outbox("ops", 1, std::chrono::seconds(1));
  std::istringstream lines(instruments.serialize());
  std::map<std::string, std::string> helps, types;
  std::string word, what, name, rest;
  for (std::string each; std::getline(lines, each);) {
    std::istringstream in(each);
    in >> word >> what >> name;
    std::getline(in >> std::ws, rest);
    if (word == "#") (what == "HELP" ? helps : types)[name] = rest;
  }
  std::string table = table_head;
  for (const auto& [metric, help] : helps) table += line(metric, labels_in(lines.str(), metric), types[metric], help);
  return table;
}

std::string with_table(std::string text, const std::string& title, const std::string& table) {
  const std::string begin = "<!-- generated: " + title + " -->\n";
  const auto from = text.find(begin);
  const auto to = text.find("<!-- end -->", from);
  if (from == std::string::npos || to == std::string::npos) return "no place for " + title;
  return text.replace(from + begin.size(), to - from - begin.size(), table);
}

TEST(MetricsPage, ListsWhatTheCodeExports) {
  std::ostringstream read;
  read << std::ifstream(page).rdbuf();
  const std::string wanted =
      with_table(with_table(read.str(), "check metrics", check_table()), "daemon metrics", daemon_table());
  if (std::getenv("VITALD_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(page) << wanted;
    return;
  }
  EXPECT_EQ(read.str(), wanted) << "VITALD_UPDATE_GOLDEN=1 brings docs/metrics.md up to date";
}

TEST(ProbeKinds, HaveSamplesThatMakeGoodMetrics) {
  Board board;
  for (const probes::ProbeKind& kind : probes::probe_kinds()) {
    BoardRow one = row(std::string(kind.name));
    one.kind = &kind;
    for (const SampleSpec& spec : kind.samples)
      one.observation.samples.push_back({.name = std::string(spec.name), .value = 1});
    board.put(std::make_shared<const BoardRow>(std::move(one)));
  }
  SeriesWriter writer(board.rows());
  std::string text;
  while (writer.next(text)) {
  }
  const auto verdict = promtool(text);
  if (!verdict) GTEST_SKIP() << "promtool is not installed";
  EXPECT_EQ(verdict->exit, 0) << verdict->says;
}

}  // namespace
}  // namespace vitald::daemon
