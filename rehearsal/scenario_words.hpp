// The words that scenario lines are made of.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "config/limit.hpp"
#include "config/observation.hpp"
#include "config/units.hpp"

namespace vitald::rehearsal {

struct Misunderstood : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
T wanted(Result<T> result) {
  if (!result) throw Misunderstood(result.failure().what);
  return std::move(*result);
}

/// Words of a line; text in double quotes is one word, without them.
class Words {
 public:
  explicit Words(std::string_view line) {
    while (true) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      if (line.empty()) return;
      const bool quoted = line.front() == '"';
      if (quoted) line.remove_prefix(1);
      const std::size_t end = std::min(line.find(quoted ? '"' : ' '), line.size());
      words_.emplace_back(line.substr(0, end));
      line.remove_prefix(std::min(end + (quoted ? 1 : 0), line.size()));
    }
  }
  bool done() const { return next_ == words_.size(); }
  bool skip(std::string_view word) {
    if (done() || words_[next_] != word) return false;
    ++next_;
    return true;
  }
  std::string take(const char* what) {
    if (done()) throw Misunderstood(std::string("expected ") + what);
    return words_[next_++];
  }
  Duration length() { return wanted(parse_duration(take("a duration"))); }

 private:
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

/// "web-{1..3} ok" is three lines; any other line is itself.
std::vector<std::string> expanded(const std::string& line);
std::vector<std::string> split(const std::string& text, char at);
Severity severity(const std::string& word);
double number(std::string_view text);
/// In the configuration's own grammar, on the samples that scenarios may measure.
std::vector<Limit> limits(const std::string& yaml);
/// used{mount=/data}=0.93, connections=96/100
Sample sample(const std::string& word);

}  // namespace vitald::rehearsal
