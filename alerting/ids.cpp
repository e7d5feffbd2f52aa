#include "alerting/ids.hpp"

#include <bit>

namespace vitald::alerting {
namespace {

constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

}  // namespace

IdSource::IdSource(const std::array<std::uint64_t, 4>& entropy) : state_(entropy) {
  // All zeroes is the one state that the generator never leaves.
  if ((state_[0] | state_[1] | state_[2] | state_[3]) == 0) state_[0] = 1;
  for (int warm_up = 0; warm_up < 8; ++warm_up) draw();
}

std::uint64_t IdSource::draw() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

IncidentId IdSource::next() {
  IncidentId id;
  id.reserve(20);
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = draw() >> 14;  // the upper 50 are the better ones
    for (int digit = 0; digit < 10; ++digit, bits >>= 5) id += alphabet[bits & 31];
  }
  return id;
}

std::string short_id(std::string_view id) { return std::string(id.substr(0, typed_prefix)); }

std::string fold_id(std::string_view typed) {
  std::string folded;
  folded.reserve(typed.size());
  for (char letter : typed) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (letter == 'o') letter = '0';
    if (letter == 'i' || letter == 'l') letter = '1';
    folded += letter;
  }
  return folded;
}

}  // namespace vitald::alerting
