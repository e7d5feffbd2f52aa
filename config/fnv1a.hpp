// FNV-1a with 64 bits (draft-eastlake-fnv): the same number for the same text on every build.
#pragma once

#include <cstdint>
#include <string_view>

namespace vitald {

/// `hash` goes on from an earlier text.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 14695981039346656037ULL) {
  for (const char each : text) hash = (hash ^ static_cast<unsigned char>(each)) * 1099511628211ULL;
  return hash;
}

}  // namespace vitald
