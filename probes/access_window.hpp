// Requests, errors and latencies of the last minutes, in a bounded number of numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/now.hpp"
#include "probes/access_line.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes {

/// A window that slides in steps of a twentieth of itself. A request belongs to the time of the run that read it.
class AccessWindow {
 public:
  AccessWindow(const Remembered& memory, Duration length, Wall now);

  void add(const AccessLine& line, bool is_error);
  void write(Remembered& memory) const;

  std::uint64_t requests() const;
  std::uint64_t errors() const;
  /// The latency that this share of the requests stays below, within 8 %; nothing where no line told one.
  std::optional<double> quantile(double share) const;

  static constexpr std::size_t bins = 100;  // 0.5 ms times 1.15 to the power of the bin; the last holds all above 500 s

 private:
  static constexpr int steps = 20;
  struct Step {
    std::int64_t number = 0;  // of steps since the epoch
    std::uint64_t requests = 0, errors = 0;
    std::array<std::uint64_t, bins> latencies{};
  };
  Step& current();

  Duration step_;
  std::int64_t now_;
  std::vector<Step> steps_;  // oldest first
};

}  // namespace vitald::probes
