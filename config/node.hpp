// A parsed YAML document that remembers where everything stood. yaml-cpp's own nodes forget duplicate keys and columns,
// so ours are built from its parser events (config/document.cpp, the only file that includes yaml-cpp).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vitald::config {

/// Line and column count from 1, as editors do.
struct Position {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;

  /// "/etc/vitald/vitald.yaml:12:5"
  std::string text() const;
};

class Node {
 public:
  enum class Kind { null, scalar, sequence, mapping };
  struct Member;

  Kind kind = Kind::null;
  Position at;
  std::string scalar;           // the text as written, unquoted
  bool quoted = false;          // "5" is text even where 5 would be a number
  std::vector<Node> items;      // of a sequence
  std::vector<Member> members;  // of a mapping, in file order, keys unique

  /// nullptr where the key is absent or this is no mapping.
  const Node* find(std::string_view key) const;
  /// "text", "a list", "a mapping", "nothing": for messages.
  std::string_view kind_name() const;
};

struct Node::Member {
  std::string key;
  Position at;  // of the key
  Node value;
};

/// One thing that is wrong with a configuration: where, what was found and expected, and what might have been meant.
struct Problem {
  Position at;
  std::string what;      // one sentence without a full stop
  bool warning = false;  // warnings are shown, but the configuration stands

  /// "FILE:LINE:COL: error: what"
  std::string text() const;
};

/// All that was found. A configuration stands when it holds no error. The same sentence at the same place counts once.
class Problems {
 public:
  void error(Position at, std::string what);
  void warn(Position at, std::string what);
  bool any_error() const;
  void append(const Problems& others);
  /// By file, line and column.
  void sort();
  const std::vector<Problem>& all() const { return all_; }

 private:
  void add(Problem problem, std::size_t& count);

  std::vector<Problem>
      all_;  // bounded: after 200 errors, and after 200 warnings, one last line says that there are more
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
};

/// One line for each, in their order.
std::string render_problems(const Problems& problems);

}  // namespace vitald::config
