// Inputs made out of others, for the runs without libFuzzer.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/sim/random.hpp"

namespace vitald::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// One of `corpus`, changed in one to eight places; at most 64 KiB. `corpus` is not empty.
Bytes mutated(const std::vector<Bytes>& corpus, sim::Random& random);

}  // namespace vitald::fuzz
