// The recipe of docs/adding-a-notifier.md cannot rot: every row of the table has its page, tests, golden files and
// example.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "alerting/notifiers/notifier.hpp"
#include "config/reader.hpp"
#include "config/schema.hpp"
#include "tests/support/source_root.hpp"

namespace vitald::alerting {
namespace {

using testing::HasSubstr;

const std::filesystem::path top = tests::source_root();

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(NotifierRegistry, NamesAreUniqueAndFound) {
  std::set<std::string_view> names;
  for (const NotifierKind& kind : notifier_kinds()) {
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
    EXPECT_EQ(find_notifier(kind.name), &kind);
    EXPECT_FALSE(kind.title.empty());
  }
  EXPECT_EQ(find_notifier("carrier-pigeon"), nullptr);
}

TEST(NotifierRegistry, EachHasItsSourceTestAndGoldenFiles) {
  for (const NotifierKind& kind : notifier_kinds()) {
    const std::string name(kind.name);
    EXPECT_TRUE(exists(top / "alerting/notifiers" / (name + ".cpp"))) << name;
    EXPECT_TRUE(exists(top / "tests/alerting" / (name + "_test.cpp"))) << name;
    EXPECT_TRUE(exists(top / "tests/golden" / name)) << name;
  }
}

TEST(NotifierRegistry, EachPageTellsTheOptionsThatTheParserAsksFor) {
  for (const NotifierKind& kind : notifier_kinds()) {
    const std::string page = text_of(top / "docs/notifiers" / (std::string(kind.name) + ".md"));
    config::Reader reader = config::Reader::describing();
    ASSERT_NE(kind.parse(reader), nullptr);
    EXPECT_THAT(page, HasSubstr(config::option_table(reader.options())))
        << "docs/notifiers/" << kind.name << ".md needs this table";
    EXPECT_THAT(page, HasSubstr("{ " + std::string(kind.name) + ":")) << "no example of " << kind.name;
  }
}

TEST(NotifierRegistry, EachStandsInAnExampleConfiguration) {
  std::string examples;
  for (const auto& file : std::filesystem::directory_iterator(top / "config/examples")) {
    if (file.is_regular_file()) examples += text_of(file);
  }
  for (const NotifierKind& kind : notifier_kinds()) {
    EXPECT_THAT(examples, ::testing::ContainsRegex("[ {]" + std::string(kind.name) + ": ")) << kind.name;
  }
}

TEST(NotifierRegistry, EachPageShowsAPayloadThatIsReallySent) {
  for (const NotifierKind& kind : notifier_kinds()) {
    const std::string page = text_of(top / "docs/notifiers" / (std::string(kind.name) + ".md"));
    const auto folder = std::filesystem::directory_iterator(top / "tests/golden" / kind.name);
    const bool shown = std::any_of(begin(folder), end(folder),
                                   [&](const auto& file) { return page.find(text_of(file)) != std::string::npos; });
    EXPECT_TRUE(shown) << "docs/notifiers/" << kind.name << ".md shows no file of tests/golden/" << kind.name;
  }
}

}  // namespace
}  // namespace vitald::alerting
