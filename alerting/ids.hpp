// Incident ids: 100 random bits as 20 characters of Crockford's base 32 in lower case (no i, l, o, u to misread).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "alerting/notification.hpp"

namespace vitald::alerting {

/// xoshiro256** (Blackman and Vigna). The entropy comes from the shell, so that the engine itself stays deterministic.
class IdSource {
 public:
  explicit IdSource(const std::array<std::uint64_t, 4>& entropy);
  IncidentId next();

 private:
  std::uint64_t draw();
  std::array<std::uint64_t, 4> state_;
};

/// What a person typed, made comparable: lower case, o read as 0, i and l read as 1.
std::string fold_id(std::string_view typed);

/// As much of an id as a person has to type, and as messages and pages show of it.
inline constexpr std::size_t typed_prefix = 4;
std::string short_id(std::string_view id);

}  // namespace vitald::alerting
