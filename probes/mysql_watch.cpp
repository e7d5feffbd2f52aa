#include "probes/mysql_watch.hpp"

#include <algorithm>
#include <utility>

namespace vitald::probes::mysql {
namespace {

constexpr std::size_t header_size = 4;
constexpr unsigned char error_mark = 0xff;
constexpr unsigned char file_mark = 0xfb;
// Above this a column count has three or eight bytes, which no honest answer needs: MySQL has at most 4096 columns.
constexpr unsigned char widest_count = 0xfc;
constexpr unsigned tls_flag = 0x0800;
// Behind the version in the greeting: thread id, eight bytes of salt, a filler, the lower half of the capabilities.
constexpr std::size_t before_capabilities = 4 + 8 + 1;
constexpr std::size_t longest_greeting = 4096;

unsigned char byte(char c) { return static_cast<unsigned char>(c); }

}  // namespace

void Watch::expect_answer(std::size_t most) {
  part_ = Part::head;
  received_ = 0;
  most_ = most;
}

Watch::Fault Watch::see(std::string_view bytes) {
  received_ += bytes.size();
  if (received_ > most_) fault_ = Fault::too_much;
  while (!bytes.empty() && fault_ == Fault::none) {
    if (left_ > 0) {
      const auto payload = bytes.substr(0, left_);
      left_ -= payload.size();
      see_payload(payload, left_ == 0);
      bytes.remove_prefix(payload.size());
      continue;
    }
    header_ += bytes.front();
    bytes.remove_prefix(1);
    if (header_.size() < header_size) continue;
    begin_packet(byte(header_[0]) + (std::size_t{byte(header_[1])} << 8) + (std::size_t{byte(header_[2])} << 16));
    header_.clear();
  }
  return fault_;
}

void Watch::begin_packet(std::size_t length) {
  left_ = length;
  first_ = true;
  if (length > most_) fault_ = Fault::too_much;
}

void Watch::see_payload(std::string_view payload, bool last) {
  const unsigned char mark = byte(payload.front());
  const bool first = std::exchange(first_, false);
  if (part_ == Part::greeting) {
    if (first && mark == error_mark) {
      part_ = Part::login;
      return;
    }
    greeting_ += payload.substr(0, longest_greeting - std::min(greeting_.size(), longest_greeting));
    check_greeting(last);
  } else if (part_ == Part::head && first) {
    // An error mark can be a report of progress, with the answer behind it.
    if (mark == file_mark) fault_ = Fault::asked_for_file;
    if (mark > widest_count && mark != error_mark) fault_ = Fault::too_much;
    if (mark != error_mark) part_ = Part::rest;
  }
}

void Watch::check_greeting(bool whole) {
  const auto version_end = greeting_.find('\0', 1);
  const auto at = version_end == std::string::npos ? version_end : version_end + 1 + before_capabilities;
  const bool there = at != std::string::npos && at + 2 <= greeting_.size();
  if (!there && !whole && greeting_.size() < longest_greeting) return;
  const unsigned capabilities = there ? byte(greeting_[at]) + (unsigned{byte(greeting_[at + 1])} << 8) : 0;
  if (wants_tls_ && (capabilities & tls_flag) == 0) fault_ = Fault::no_tls;
  if (fault_ == Fault::none && !whole && !there) fault_ = Fault::too_much;
  greeting_.clear();
  part_ = Part::login;
}

}  // namespace vitald::probes::mysql
