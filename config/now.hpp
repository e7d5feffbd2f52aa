// The two clocks, always passed in, never fetched: only daemon/clock.cpp reads the real ones.
#pragma once

#include <chrono>

namespace vitald {

using Duration = std::chrono::nanoseconds;                     // every length of time in the program
using Steady = std::chrono::steady_clock::time_point;          // intervals, deadlines, back-off, "for 5m"
using Wall = std::chrono::time_point<std::chrono::system_clock, Duration>;  // what people and certificates read

struct Now {
  Steady steady;
  Wall wall;
};

}  // namespace vitald
