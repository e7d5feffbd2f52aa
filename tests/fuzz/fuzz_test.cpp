// Walks the table of targets: every file of its corpus, then so many changed ones. FUZZ_RUNS=N runs N of each instead
// of 3000, FUZZ_SEED=S begins with that seed; the seed is printed before it is used, since a broken promise ends the
// program.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <sstream>

#include "tests/fuzz/mutation.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/support/source_root.hpp"

namespace vitald::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path(tests::source_root()) / "tests/fuzz";

std::vector<Bytes> corpus_of(std::string_view target) {
  std::set<fs::path> files;  // in the same order everywhere, so that a seed means the same
  for (const auto& entry : fs::directory_iterator(folder / "corpus" / target)) files.insert(entry.path());
  std::vector<Bytes> corpus;
  for (const auto& file : files) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    const std::string bytes = text.str();
    corpus.emplace_back(bytes.begin(), bytes.end());
  }
  return corpus;
}

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class EveryTarget : public ::testing::TestWithParam<Target> {};

TEST_P(EveryTarget, TakesItsCorpusAndWhatIsMadeOfIt) {
  const Target target = GetParam();
  const auto corpus = corpus_of(target.name);
  ASSERT_FALSE(corpus.empty()) << "tests/fuzz/corpus/" << target.name << " is empty";
  for (const Bytes& bytes : corpus) target.run(bytes.data(), bytes.size());
  const Bytes nothing;
  target.run(nothing.data(), 0);

  const auto runs = from_environment("FUZZ_RUNS", 3000);
  const auto seed = from_environment("FUZZ_SEED", std::random_device()());
  std::cout << target.name << ": FUZZ_SEED=" << seed << " FUZZ_RUNS=" << runs << std::endl;
  sim::Random random(seed);
  for (std::uint64_t i = 0; i < runs; ++i) {
    const Bytes bytes = mutated(corpus, random);
    target.run(bytes.data(), bytes.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, EveryTarget, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Fuzz, EveryTargetHasItsFileAndEveryCorpusItsTarget) {
  std::set<std::string> names, corpora, files;
  for (const Target& target : targets()) names.insert(std::string(target.name));
  for (const auto& entry : fs::directory_iterator(folder / "corpus"))
    if (entry.is_directory()) corpora.insert(entry.path().filename());
  for (const auto& entry : fs::directory_iterator(folder / "targets")) files.insert(entry.path().stem());
  EXPECT_EQ(names, corpora);
  EXPECT_EQ(names, files);
}

TEST(Fuzz, ASeedMeansTheSameEverywhere) {
  const std::vector<Bytes> corpus{{'*', '1', '\r', '\n', ':', '7', '\r', '\n'}, {'+', 'O', 'K', '\r', '\n'}};
  sim::Random one(7), other(7);
  std::set<Bytes> different;
  for (int i = 0; i < 100; ++i) {
    const Bytes bytes = mutated(corpus, one);
    EXPECT_EQ(bytes, mutated(corpus, other));
    different.insert(bytes);
  }
  EXPECT_GT(different.size(), 80u);
}

}  // namespace
}  // namespace vitald::fuzz
