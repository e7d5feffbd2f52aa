// The real clocks. daemon/clock.cpp is the only file of the program that reads them.
#pragma once

#include "config/clock.hpp"

namespace vitald::daemon {

class SystemClock final : public Clock {
 public:
  Now now() const override;
};

}  // namespace vitald::daemon
