// Every file in tests/scenarios is one test. VITALD_UPDATE_GOLDEN=1 rewrites the expected lines: read the difference,
// and commit only what you can explain.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "rehearsal/scenario.hpp"
#include "tests/support/source_root.hpp"

namespace vitald::tests {
namespace {

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(tests::source_root()) / "tests/scenarios")) {
    if (entry.path().extension() == ".txt") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

class scenarios : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(scenarios, gives_the_expected_lines) {
  std::ifstream file(GetParam());
  const std::string written{std::istreambuf_iterator<char>(file), {}};
  const std::string ran = rehearsal::run_scenario(written);
  EXPECT_EQ(ran.find("> error"), std::string::npos) << ran;
  if (std::getenv("VITALD_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(GetParam()) << ran;
    return;
  }
  EXPECT_EQ(written, ran);
}

INSTANTIATE_TEST_SUITE_P(all, scenarios, testing::ValuesIn(files()), [](const auto& each) {
  std::string name = each.param.stem();
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace vitald::tests
