// Keeps the beginning and the end of what a program writes, and counts the rest.
#pragma once

#include <algorithm>
#include <string_view>

#include "probes/program.hpp"

namespace vitald::probes {

class Capture {
 public:
  Capture(std::size_t head, std::size_t tail) : most_head_(head), most_tail_(tail) {}

  void add(std::string_view piece) {
    total_ += piece.size();
    const std::size_t room = most_head_ - kept_.head.size();
    kept_.head.append(piece.substr(0, room));
    piece.remove_prefix(std::min(room, piece.size()));
    if (piece.size() > most_tail_) {
      kept_.dropped += kept_.tail.size() + (piece.size() - most_tail_);
      kept_.tail.assign(piece.substr(piece.size() - most_tail_));
      return;
    }
    kept_.tail.append(piece);
    const std::size_t over = kept_.tail.size() - std::min(most_tail_, kept_.tail.size());
    kept_.tail.erase(0, over);
    kept_.dropped += over;
  }

  std::uint64_t total() const { return total_; }
  const Captured& kept() const { return kept_; }

 private:
  std::size_t most_head_, most_tail_;
  std::uint64_t total_ = 0;
  Captured kept_;
};

}  // namespace vitald::probes
