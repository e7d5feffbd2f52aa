// The daemon's own metrics (docs/metrics.md): held by prometheus-cpp's core, serialised with the checks' series.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "config/now.hpp"
#include "config/observation.hpp"

namespace vitald::daemon {

class Instruments {
 public:
  Instruments();
  ~Instruments();

  void probe_ran(std::string_view kind, Duration took);  // vitald_probe_duration_seconds{probe}
  void schedule_lag(Duration late);                      // vitald_schedule_lag_seconds
  void loop_lag(Duration late);                          // vitald_loop_lag_seconds
  void slots_missed(std::uint64_t count);                // vitald_schedule_missed_slots_total
  void notification(std::string_view receiver,
                    std::string_view outcome);  // vitald_notifications_total: accepted retried refused dropped
  void outbox(std::string_view receiver, std::size_t pending, Duration oldest);
  void incidents_open(Severity severity, std::size_t count);
  void silences_active(std::size_t count);  // vitald_silences_active
  void reload(bool success, Wall at);       // vitald_config_last_reload_success and …_timestamp_seconds
  void runs_in_flight(std::size_t running, std::size_t waiting);
  void workers(std::size_t busy, std::size_t wedged);
  void log_dropped(std::uint64_t count);  // vitald_log_lines_dropped_total
  void store_degraded(bool degraded);

  /// Text exposition 0.0.4 of the above, vitald_build_info and the process metrics.
  std::string serialize() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vitald::daemon
