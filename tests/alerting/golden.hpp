// Golden files: tests/golden/NAME holds what the code under test must produce, byte for byte. After a change that is
// meant, run the test with VITALD_UPDATE_GOLDEN=1 and read the difference before you commit it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/source_root.hpp"

namespace vitald::golden {

inline std::filesystem::path path(const std::string& name) {
  return std::filesystem::path(tests::source_root()) / "tests/golden" / name;
}

inline std::string read(const std::string& name) {
  std::ifstream file(path(name), std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void expect(const std::string& name, const std::string& actual) {
  if (std::getenv("VITALD_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << actual;
  }
  EXPECT_EQ(actual, read(name)) << "differs from tests/golden/" << name;
}

}  // namespace vitald::golden
