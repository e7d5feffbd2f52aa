// A source file as the tidy rules look at it: its text, and the same text with comments and literals blanked out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitald::tidy {

struct Source {
  std::string path;  // from the top of the tree: "daemon/clock.cpp"
  std::string text;
  std::string code;  // as long as `text`, line for line; no comment, string or character literal left in it

  Source(std::string path, std::string text);

  /// "config", "alerting", "probes", "daemon" or "tests".
  std::string folder() const { return path.substr(0, path.find('/')); }
  bool is_test() const { return folder() == "tests"; }
  /// Counted from 1.
  int line_of(std::size_t at) const;
  /// What stands after #include, with its line: "config/now.hpp", "<vector>" keeps its brackets.
  std::vector<std::pair<std::string, int>> includes() const;
  /// Where `word` stands in the code with no letter, digit or underscore on either side.
  std::vector<std::size_t> find_word(std::string_view word) const;
};

/// Every .cpp and .hpp of the folders that hold our code.
std::vector<Source> source_tree();

bool is_word_character(char each);
std::string trimmed(std::string_view text);

}  // namespace vitald::tidy
