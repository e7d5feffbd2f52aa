// Answers of the Docker Engine API: the list of containers, one container, its statistics, an error.
#include "probes/docker_json.hpp"

#include <cmath>

#include "tests/fuzz/targets.hpp"

namespace vitald::fuzz {
namespace {

namespace docker = probes::docker;

void look_at(const docker::Container& container) {
  must(!container.id.empty() && !container.state.empty(), "a container has an id and a state");
  must(std::isfinite(container.memory_limit) && container.memory_limit >= 0, "a limit is no less than none");
  must(container.cpu_limit >= 0, "cores are not negative");
  must(container.restarts >= 0 && container.failed_in_a_row >= 0, "counts are not negative");
  must(container.health != "none", "none is no health");
}

}  // namespace

void docker_json(const std::uint8_t* data, std::size_t size) {
  if (size > 64 * 1024) return;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  if (const auto list = docker::read_list(json)) {
    must(list->containers.size() <= docker::most_containers, "a list is bounded");
    must(list->containers.size() <= list->all, "no more are kept than there are");
    for (const auto& each : list->containers)
      must(!each.id.empty() && each.id.size() <= 1024, "an id is there and bounded");
  }
  if (const auto container = docker::read_container(json)) look_at(*container);
  if (const auto statistics = docker::read_statistics(json)) {
    must(statistics->memory.value_or(0) >= 0, "memory is not negative");
    must(statistics->cpu_seconds.value_or(0) >= 0, "time is not negative");
  }
  must(docker::read_message(json).size() <= 8 * 1024, "a message is bounded");
  static_cast<void>(docker::read_time(json));
}

}  // namespace vitald::fuzz
