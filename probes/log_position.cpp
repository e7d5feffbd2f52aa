#include "probes/log_position.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "config/fnv1a.hpp"
#include "probes/log_lines.hpp"

namespace vitald::probes {
namespace {

constexpr std::size_t most_positions = 64;

std::size_t tail_of(const Position& position) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(position.seen, tail_bytes));
}
std::size_t head_of(const Position& position) {
  return static_cast<std::size_t>(std::min<std::uint64_t>(position.seen, LogBytes::head_bytes));
}

/// Numbers in base 36, one after the other.
class Numbers {
 public:
  explicit Numbers(std::string_view text) : text_(text) {}
  template <class T>
  void next(T& number) {
    const auto end = std::min(text_.find(' '), text_.size());
    const auto [stop, error] = std::from_chars(text_.data(), text_.data() + end, number, 36);
    good_ = good_ && error == std::errc{} && stop == text_.data() + end;
    text_.remove_prefix(std::min(end + 1, text_.size()));
  }
  void next(bool& flag) {
    int number = 0;
    next(number);
    flag = number != 0;
  }
  bool good() const { return good_; }

 private:
  std::string_view text_;
  bool good_ = true;
};

template <class T>
void add(std::string& text, T number) {
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, 36);
  text += (text.empty() ? "" : " ") + std::string(digits, end);
}
void add(std::string& text, bool flag) { add(text, flag ? 1 : 0); }

}  // namespace

std::string written(const LogMemory& memory) {
  std::string text;
  add(text, memory.since);
  add(text, memory.horizon);
  add(text, memory.current);
  add(text, memory.positions.size());
  for (const Position& each : memory.positions) {
    add(text, each.born);
    for (const auto number : {each.device, each.inode, each.offset, each.seen, each.head, each.tail}) add(text, number);
    for (const bool flag : {each.skipping, each.carries, each.continued, each.unread}) add(text, flag);
    add(text, each.missed);
  }
  return text + "\n" + memory.carry;
}

std::optional<LogMemory> parse_log_memory(std::string_view text) {
  const auto newline = text.find('\n');
  if (newline == std::string_view::npos) return std::nullopt;
  LogMemory memory;
  Numbers numbers(text.substr(0, newline));
  std::size_t count = 0;
  numbers.next(memory.since);
  numbers.next(memory.horizon);
  numbers.next(memory.current);
  numbers.next(count);
  if (!numbers.good() || count > most_positions) return std::nullopt;
  for (std::size_t i = 0; i < count; ++i) {
    Position each;
    numbers.next(each.born);
    for (auto* number : {&each.device, &each.inode, &each.offset, &each.seen, &each.head, &each.tail})
      numbers.next(*number);
    for (auto* flag : {&each.skipping, &each.carries, &each.continued, &each.unread}) numbers.next(*flag);
    numbers.next(each.missed);
    memory.positions.push_back(each);
  }
  if (!numbers.good() || (memory.current && memory.positions.empty())) return std::nullopt;
  memory.carry = std::string(text.substr(newline + 1));
  return memory;
}

Position position_in(const LogFile& file) { return {.device = file.device, .inode = file.inode, .born = file.born}; }

bool same_file(const LogFile& file, const Position& position) {
  return file.device == position.device && file.inode == position.inode && file.born == position.born;
}

bool continues(LogBytes& bytes, const Position& position) {
  constexpr std::uint64_t told_by_gzip = std::uint64_t{1} << 32;
  if (position.seen == 0) return true;
  if (bytes.size() < position.seen && (!bytes.packed() || position.seen < told_by_gzip)) return false;
  const std::string_view head = std::string_view(bytes.head()).substr(0, head_of(position));
  if (head.size() != head_of(position) || fnv1a(head) != position.head) return false;
  if (bytes.packed() && bytes.size() == position.seen) return true;
  const std::string tail = bytes.read(position.seen - tail_of(position), tail_of(position));
  return tail.size() == tail_of(position) && fnv1a(tail) == position.tail;
}

void take_fingerprint(LogBytes& bytes, std::string_view tail, Position& position) {
  // A file that grows may have had less of a head when it was opened.
  const std::string head = bytes.packed() ? bytes.head() : bytes.read(0, head_of(position));
  position.head = fnv1a(std::string_view(head).substr(0, head_of(position)));
  position.tail = fnv1a(tail.substr(tail.size() - std::min(tail.size(), tail_of(position))));
}

Position at_the_end(LogBytes& bytes) {
  Position position = position_in(bytes.file());
  position.offset = position.seen = bytes.size();
  std::string last;
  if (!bytes.packed()) {
    const std::uint64_t from = position.seen - std::min<std::uint64_t>(position.seen, LogLines::longest_line);
    last = bytes.read(from, static_cast<std::size_t>(position.seen - from));
    const auto newline = last.rfind('\n');
    position.skipping = newline == std::string::npos && from > 0;
    if (!position.skipping) position.offset = newline == std::string::npos ? from : from + newline + 1;
  }
  take_fingerprint(bytes, last, position);
  return position;
}

}  // namespace vitald::probes
