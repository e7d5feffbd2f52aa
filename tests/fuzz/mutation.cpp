#include "tests/fuzz/mutation.hpp"

#include <algorithm>
#include <string_view>

namespace vitald::fuzz {
namespace {

constexpr std::size_t most_bytes = 64 * 1024;

struct Range {
  std::ptrdiff_t begin, end;
};

Range range_of(const Bytes& bytes, sim::Random& random) {
  const std::size_t begin = random.below(bytes.size() + 1);
  const std::size_t length = random.below(std::min<std::size_t>(bytes.size() - begin, 64) + 1);
  return {static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(begin + length)};
}

void insert(Bytes& bytes, const Bytes& what, sim::Random& random) {
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(random.below(bytes.size() + 1)), what.begin(), what.end());
}

/// What protocols trip over: the ends of number ranges, as digits and as big-endian bytes.
Bytes telling(sim::Random& random) {
  using namespace std::string_view_literals;
  static constexpr std::string_view all[] = {
      "-1"sv,
      "0"sv,
      "10001"sv,
      "2147483647"sv,
      "2147483648"sv,
      "9223372036854775807"sv,
      "\r\n"sv,
      "\r"sv,
      "\n"sv,
      "\0"sv,
      "\xff\xff\xff\xff"sv,
      "\x7f\xff\xff\xff"sv,
      "\0\0\0\0"sv,
      "\x80\0\0\0"sv,
      ","sv,
      ":"sv,
      "="sv,
      "\xc3"sv,
  };
  const auto one = all[random.below(std::size(all))];
  return Bytes(one.begin(), one.end());
}

void change(Bytes& bytes, const std::vector<Bytes>& corpus, sim::Random& random) {
  const std::size_t at = bytes.empty() ? 0 : random.below(bytes.size());
  const auto [begin, end] = range_of(bytes, random);
  const auto kind = random.below(8);
  if (kind == 0) insert(bytes, {static_cast<std::uint8_t>(random.below(256))}, random);
  if (kind == 1) insert(bytes, telling(random), random);
  if (kind == 2) insert(bytes, Bytes(bytes.begin() + begin, bytes.begin() + end), random);
  if (kind == 3) {
    const Bytes& other = corpus[random.below(corpus.size())];
    const auto part = range_of(other, random);
    insert(bytes, Bytes(other.begin() + part.begin, other.begin() + part.end), random);
  }
  if (bytes.empty()) return;
  if (kind == 4) bytes.erase(bytes.begin() + begin, bytes.begin() + end);
  if (kind == 5) bytes[at] = static_cast<std::uint8_t>(random.below(256));
  if (kind == 6) bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1u << random.below(8)));
  if (kind == 7) bytes.resize(at);
}

}  // namespace

Bytes mutated(const std::vector<Bytes>& corpus, sim::Random& random) {
  Bytes bytes = corpus[random.below(corpus.size())];
  for (auto changes = random.below(8) + 1; changes > 0; --changes) change(bytes, corpus, random);
  if (bytes.size() > most_bytes) bytes.resize(most_bytes);
  return bytes;
}

}  // namespace vitald::fuzz
