// gzip and deflate bodies, decoded a little at a time so that no body holds the loop.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace vitald::net {

class Inflater {
 public:
  enum class Step { need_input, more_output, finished, broken };

  Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater();

  /// Decodes from the front of `input` (what is used is taken off) onto `out`, at most slice_size bytes. more_output:
  /// call again, even with no input left. What follows the last gzip member is ignored.
  Step step(std::string_view& input, std::string& out);
  static constexpr std::size_t slice_size = 16 * 1024;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitald::net
