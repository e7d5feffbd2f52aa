// Where Now comes from. The real one is daemon/clock.cpp; tests and the simulator have their own.
#pragma once

#include "config/now.hpp"

namespace vitald {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Now now() const = 0;
};

}  // namespace vitald
