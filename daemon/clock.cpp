#include "daemon/clock.hpp"

namespace vitald::daemon {

Now SystemClock::now() const { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

}  // namespace vitald::daemon
