// What the service manager is told (sd_notify(3)): nothing at all where there is none.
#pragma once

#include <string>
#include <string_view>

#include "config/now.hpp"

namespace vitald::daemon {

class ServiceManager {
 public:
  /// Takes $NOTIFY_SOCKET and $WATCHDOG_USEC out of the environment, so that no child inherits them.
  ServiceManager();

  void ready(std::string_view status);
  void reloading(Steady now);
  void stopping();
  void status(std::string_view line);
  void alive();  // WATCHDOG=1

  /// How often alive() must be called at the latest, halved already (sd_watchdog_enabled(3)); zero without a watchdog.
  Duration watchdog_interval() const { return watchdog_interval_; }

 private:
  void send(std::string_view state);
  std::string socket_;
  Duration watchdog_interval_{};
};

}  // namespace vitald::daemon
