#include "probes/docker_memory.hpp"

#include <array>
#include <chrono>

namespace vitald::probes::docker {
namespace {

constexpr std::array fields = {"/id", "/starts", "/restarts", "/started", "/cpu", "/cpu_at"};

double seconds_of(Wall at) { return std::chrono::duration<double>(at.time_since_epoch()).count(); }

/// Names have no blanks; a hostile engine's are not kept.
bool can_be_kept(const std::string& name) {
  return name.size() <= 128 && name.find_first_of(" \t\r\n") == std::string::npos;
}

}  // namespace

std::optional<double> Memory::last(const Container& container, const char* what) const {
  return last_.number(container.name + what);
}

void Memory::remember(const Container& container, const char* what, double value) {
  if (can_be_kept(container.name)) next_.set(container.name + what, value);
}

double Memory::count_starts(const Container& container) {
  const double started = container.started ? seconds_of(*container.started) : 0;
  const bool same = last_.text(container.name + "/id") == container.id;
  double starts = last(container, "/starts").value_or(0);
  const double known_restarts = same ? last(container, "/restarts").value_or(0) : 0;
  // The engine counts what it does by its policy, and begins anew when somebody starts the container by hand.
  const double by_engine =
      container.restarts >= known_restarts ? container.restarts - known_restarts : container.restarts + 1;
  const double known_start = same ? last(container, "/started").value_or(0) : 0;
  const bool by_hand = same && by_engine == 0 && known_start > 0 && started > known_start;
  const bool first_look = !last_.text(container.name + "/id");
  if (!first_look) starts += by_hand ? 1 : by_engine;
  if (can_be_kept(container.name)) next_.set(container.name + "/id", container.id);
  remember(container, "/starts", starts);
  remember(container, "/restarts", container.restarts);
  remember(container, "/started", started);
  return starts;
}

std::optional<double> Memory::cores(const Container& container, double cpu_seconds, Wall now) {
  const bool same = last_.text(container.name + "/id") == container.id;
  const double at = seconds_of(now);
  const auto before = last(container, "/cpu");
  const auto before_at = last(container, "/cpu_at");
  remember(container, "/cpu", cpu_seconds);
  remember(container, "/cpu_at", at);
  // A start by hand begins the count anew; a clock that was set back measures nothing.
  if (!same || !before || !before_at || cpu_seconds < *before || at <= *before_at) return std::nullopt;
  return (cpu_seconds - *before) / (at - *before_at);
}

void Memory::keep(const std::string& name) {
  for (const auto* field : fields) {
    if (const auto text = last_.text(name + field)) next_.set(name + field, *text);
  }
}

}  // namespace vitald::probes::docker
