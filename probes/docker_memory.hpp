// What a docker check remembers of each container from run to run: how often it was started, and the processor time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "probes/docker.hpp"
#include "probes/remembered.hpp"

namespace vitald::probes::docker {

class Memory {
 public:
  /// `last` is what written() said in the run before.
  explicit Memory(std::string_view last) : last_(Remembered::read(last)) {}

  /// Starts after the first since this check knows the container, this one included. A new container of the same name
  /// (a deployment) begins with the engine's own count.
  double count_starts(const Container& container);
  /// Cores in use since the last run; nothing where there is none of the same start.
  std::optional<double> cores(const Container& container, double cpu_seconds, Wall now);
  /// What is known of one that is not there now (it is being created anew) is kept.
  void keep(const std::string& name);

  std::string written() const { return next_.written(); }

 private:
  std::optional<double> last(const Container& container, const char* what) const;
  void remember(const Container& container, const char* what, double value);

  Remembered last_, next_;
};

}  // namespace vitald::probes::docker
