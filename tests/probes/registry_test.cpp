// Walks the table of kinds as docs/adding-a-probe.md describes it: what a row needs besides its code is there and true.
// VITALD_UPDATE_GOLDEN=1 writes the generated parts of the pages anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "config/document.hpp"
#include "config/schema.hpp"
#include "probes/probe.hpp"
#include "tests/support/source_root.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path source = tests::source_root();

std::string read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string words(SampleKind kind) {
  return kind == SampleKind::gauge ? "level" : kind == SampleKind::counter ? "counter" : "event";
}

std::string suffix(Unit unit) {
  return unit == Unit::seconds ? "_seconds" : unit == Unit::bytes ? "_bytes" : unit == Unit::ratio ? "_ratio" : "";
}

/// A metric's name has no '-', and neither has a test's.
std::string in_letters(std::string_view name) {
  std::string made(name);
  std::replace(made.begin(), made.end(), '-', '_');
  return made;
}

/// As daemon/exposition.cpp names it.
std::string metric(const ProbeKind& kind, const SampleSpec& row) {
  std::string name = "vitald_" + in_letters(kind.name) + "_" + std::string(row.name);
  if (!name.ends_with(suffix(row.unit))) name += suffix(row.unit);
  return row.kind == SampleKind::gauge ? name : name + "_total";
}

std::string sample_row(const ProbeKind& kind, const SampleSpec& row) {
  std::string limit = row.lower_is_worse ? "below" : "above";
  if (row.has_maximum) limit += ", or a share of its maximum";
  return "| `" + std::string(row.name) + "` | `" + metric(kind, row) + "` | " + words(row.kind) + " | " + limit +
         " | " + std::string(row.help) + " |\n";
}

/// The generated part of a page: what a user can write, and what comes out.
std::string generated(const ProbeKind& kind) {
  config::Reader reader = config::Reader::describing();
  static_cast<void>(kind.make(reader));
  std::string text = "\n## Options\n\n" + config::option_table(reader.options());
  text +=
      "\n## Samples\n\n| sample | metric | kind | a limit is crossed | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const SampleSpec& row : kind.samples) text += sample_row(kind, row);
  text += sample_row(kind, duration_sample);
  if (!kind.default_limits.empty()) {
    text += "\nLimits that apply where a check sets none for the sample: `" + std::string(kind.default_limits) + "`\n";
  }
  return text + "\n";
}

constexpr std::string_view begin_mark = "<!-- generated from the code: begin -->";
constexpr std::string_view end_mark = "<!-- generated from the code: end -->";

class EveryKind : public ::testing::TestWithParam<const ProbeKind*> {};

TEST_P(EveryKind, HasAPageWhoseTablesAreTrue) {
  const auto path = source / "docs/probes" / (std::string(GetParam()->name) + ".md");
  const std::string page = read(path);
  const auto begin = page.find(begin_mark), end = page.find(end_mark);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos)
      << path << " lacks the marks of its generated part";
  const auto from = begin + begin_mark.size();
  const std::string wanted = "\n" + generated(*GetParam());
  if (std::getenv("VITALD_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << page.substr(0, from) << wanted << page.substr(end);
    return;
  }
  EXPECT_EQ(page.substr(from, end - from), wanted)
      << path << " is out of date: run probes_tests with VITALD_UPDATE_GOLDEN=1";
}

TEST_P(EveryKind, HasAnExample) {
  std::string examples;
  for (const auto& entry : std::filesystem::directory_iterator(source / "config/examples"))
    examples += read(entry.path());
  EXPECT_THAT(examples, HasSubstr("probe: " + std::string(GetParam()->name) + "\n"));
}

TEST_P(EveryKind, HasATest) {
  EXPECT_TRUE(std::filesystem::exists(source / "tests/probes" / (std::string(GetParam()->name) + "_test.cpp")));
}

TEST_P(EveryKind, NamesEachSampleOnceInMetricLetters) {
  std::set<std::string_view> seen{duration_sample.name};
  for (const SampleSpec& row : GetParam()->samples) {
    EXPECT_TRUE(seen.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string_view::npos) << row.name;
    EXPECT_FALSE(row.help.empty() || row.help.ends_with('.')) << row.name;
    EXPECT_EQ(find_sample(*GetParam(), row.name), &row);
  }
  EXPECT_EQ(find_sample(*GetParam(), "duration"), &duration_sample);
  EXPECT_EQ(find_sample(*GetParam(), "no such sample"), nullptr);
}

TEST_P(EveryKind, HasDefaultLimitsThatCanBeRead) {
  if (GetParam()->default_limits.empty()) return;
  config::Problems problems;
  const auto node = config::parse_text(GetParam()->default_limits, "default limits", problems);
  const auto limits = config::Limits{.samples = GetParam()->samples}.read(node, problems);
  for (const auto& problem : problems.all()) ADD_FAILURE() << problem.text();
  ASSERT_TRUE(limits) << limits.failure().what;
  EXPECT_FALSE(limits->empty());
}

TEST_P(EveryKind, IsFoundByItsName) { EXPECT_EQ(find_probe(GetParam()->name), GetParam()); }

std::vector<const ProbeKind*> all_kinds() {
  std::vector<const ProbeKind*> kinds;
  for (const ProbeKind& kind : probe_kinds()) kinds.push_back(&kind);
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Table, EveryKind, ::testing::ValuesIn(all_kinds()),
                         [](const auto& each) { return in_letters(each.param->name); });

TEST(Registry, IsTheTableOfTheManual) {
  std::string table = "| kind | watches |\n| --- | --- |\n";
  for (const ProbeKind& kind : probe_kinds()) {
    const std::string name(kind.name);
    table += "| [" + name + "](probes/" + name + ".md) | " + std::string(kind.title) + " |\n";
  }
  EXPECT_THAT(read(source / "docs/configuration.md"), HasSubstr("\n" + table + "\n"));
}

TEST(Registry, KnowsNoOtherName) { EXPECT_EQ(find_probe("htp"), nullptr); }

}  // namespace
}  // namespace vitald::probes
