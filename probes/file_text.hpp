// The content of one file against what it must and must not hold. Blocks: for workers' jobs.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "probes/options.hpp"

namespace vitald::probes::file {

struct Forbidden {
  std::size_t line = 0;     // from 1
  std::size_t pattern = 0;  // which of them
  std::string text;         // of the line, fit for a message
};

struct Text {
  std::string sha256;                // hexadecimal
  std::vector<bool> contained;       // for each pattern that must match a line
  std::vector<Forbidden> forbidden;  // the first few
  std::size_t forbidden_in_all = 0;
  std::size_t lines = 0;
};

struct Wanted {
  std::vector<Pattern::value_type> contains, forbidden;
  std::string comment;
};

inline constexpr std::size_t most_bytes = 256 << 20;

/// Takes the content piece by piece.
class Examination {
 public:
  explicit Examination(Wanted wanted);
  ~Examination();
  void feed(std::string_view bytes);
  Text finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitald::probes::file
