// What is generated from the readers, and what is written by hand to be read by them: the JSON Schema, the tables of
// the manual, the examples. VITALD_UPDATE_GOLDEN=1 writes the generated ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "config/document.hpp"
#include "config/schema.hpp"
#include "daemon/configuration_parts.hpp"
#include "tests/support/source_root.hpp"

namespace vitald::daemon {
namespace {

namespace fs = std::filesystem;
const fs::path source = tests::source_root();

Tables real_tables() { return {probes::probe_kinds(), alerting::notifier_kinds()}; }

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void expect_up_to_date(const fs::path& path, const std::string& wanted) {
  if (text_of(path) == wanted) return;
  if (::getenv("VITALD_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << wanted;
    return;
  }
  ADD_FAILURE() << path << " is out of date; run the tests with VITALD_UPDATE_GOLDEN=1 and look at the difference";
}

std::vector<fs::path> yaml_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  EXPECT_FALSE(files.empty()) << folder;
  return files;
}

std::string complaints(const fs::path& file, bool* stands) {
  const auto loaded = load_configuration(file, Secrets::leave, real_tables(), {"web-1", false});
  *stands = loaded.configuration.has_value();
  return config::render_problems(loaded.problems);
}

std::map<std::string, std::string> option_tables() {
  std::map<std::string, std::string> tables;
  config::Reader top = config::Reader::describing();
  read_top(top, real_tables());
  tables["top"] = config::option_table(top.options());
  tables["check"] = config::option_table(check_options());
  tables["receiver"] = config::option_table(receiver_options());
  tables["escalation"] = config::option_table(escalation_options());
  for (const auto& kind : probes::probe_kinds()) {
    tables["probe " + std::string(kind.name)] = config::option_table(kind_options(kind));
  }
  for (const auto& kind : alerting::notifier_kinds()) {
    tables["receiver " + std::string(kind.name)] = config::option_table(kind_options(kind));
  }
  tables["hours"] = config::option_table(hours_options());
  tables["maintenance"] = config::option_table(maintenance_options());
  return tables;
}

/// The page with each part between `<!-- options: NAME -->` and `<!-- end -->` made anew.
std::string with_tables(const std::string& page, const std::map<std::string, std::string>& tables,
                        const fs::path& path) {
  constexpr std::string_view begin = "<!-- options: ";
  std::string made;
  std::size_t at = 0;
  for (std::size_t mark = page.find(begin); mark != std::string::npos; mark = page.find(begin, at)) {
    const std::size_t name_end = page.find(" -->\n", mark);
    const std::size_t end = page.find("<!-- end -->", mark);
    if (name_end == std::string::npos || end == std::string::npos) {
      ADD_FAILURE() << path << ": a table has no end";
      return page;
    }
    const std::string name = page.substr(mark + begin.size(), name_end - mark - begin.size());
    EXPECT_TRUE(tables.contains(name)) << path << ": there are no options of '" << name << "'";
    made += page.substr(at, name_end + 5 - at) + (tables.contains(name) ? tables.at(name) : "");
    at = end;
  }
  return made + page.substr(at);
}

TEST(ConfigurationGolden, the_schema_is_that_of_this_build) {
  expect_up_to_date(source / "config" / "vitald.schema.json", configuration_schema());
}

TEST(ConfigurationGolden, the_tables_of_the_manual_are_those_of_this_build) {
  const auto tables = option_tables();
  for (const auto& entry : fs::recursive_directory_iterator(source / "docs")) {
    if (entry.path().extension() != ".md") continue;
    expect_up_to_date(entry.path(), with_tables(text_of(entry.path()), tables, entry.path()));
  }
}

TEST(ConfigurationGolden, every_example_stands_without_a_warning) {
  for (const fs::path& file : yaml_files(source / "config" / "examples")) {
    bool stands = false;
    EXPECT_EQ(complaints(file, &stands), "") << file;
    EXPECT_TRUE(stands) << file;
  }
}

TEST(ConfigurationGolden, every_bad_file_is_refused_for_the_reason_that_it_names) {
  constexpr std::string_view mark = "# refused: ";
  for (const fs::path& file : yaml_files(source / "tests" / "config" / "bad")) {
    const std::string text = text_of(file);
    ASSERT_EQ(text.find(mark), 0u) << file << " begins with the reason";
    const std::string reason = text.substr(mark.size(), text.find('\n') - mark.size());
    bool stands = true;
    EXPECT_THAT(complaints(file, &stands), testing::HasSubstr(reason)) << file;
    EXPECT_FALSE(stands) << file;
  }
}

/// The ```yaml blocks of the manual are whole configurations or parts of one; those that name checks have to stand.
TEST(ConfigurationGolden, the_examples_of_the_manual_stand) {
  const std::string page = text_of(source / "docs" / "configuration.md");
  const fs::path file = fs::temp_directory_path() / ("vitald-manual-" + std::to_string(::getpid()) + ".yaml");
  constexpr std::string_view begin = "```yaml\n";
  int examples = 0;
  for (std::size_t at = page.find(begin); at != std::string::npos; at = page.find(begin, at + 1)) {
    const std::size_t start = at + begin.size();
    const std::string example = page.substr(start, page.find("```", start) - start);
    std::ofstream(file) << example;
    bool stands = false;
    EXPECT_EQ(complaints(file, &stands), "") << example;
    ++examples;
  }
  fs::remove(file);
  EXPECT_GT(examples, 5);
}

/// They are part of the program: a mistake in them would be everybody's.
TEST(ConfigurationGolden, the_default_limits_of_every_kind_are_right) {
  for (const auto& kind : probes::probe_kinds()) {
    if (kind.default_limits.empty()) continue;
    config::Problems problems;
    const config::Node node = config::parse_text(kind.default_limits, std::string(kind.name), problems);
    const auto limits = config::Limits{kind.samples, false}.read(node, problems);
    EXPECT_EQ(config::render_problems(problems), "");
    EXPECT_TRUE(limits && !limits->empty()) << kind.name;
  }
}

}  // namespace
}  // namespace vitald::daemon
