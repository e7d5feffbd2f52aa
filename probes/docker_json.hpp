// What the Docker Engine API's answers hold: pure, one pass over the text each, and a bounded number of values out of
// it. Environment variables and commands are not among them. The text of a Failure says what is wrong with an answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald::probes::docker {

/// One entry of /containers/json.
struct Listed {
  std::string id;
  std::string service, number;  // labels of compose
  std::string depends_on;  // label of compose: "db:service_healthy:false,migrate:service_completed_successfully:false"
  bool one_off = false;    // `docker compose run`
};

struct ContainerList {
  std::vector<Listed> containers = {};  // at most most_containers
  std::size_t all = 0;                  // how many there are
};
inline constexpr std::size_t most_containers = 50;
Result<ContainerList> read_list(std::string_view json);

/// /containers/NAME/json.
struct Container {
  std::string id, name;        // without the slash in front
  std::string state;           // created, running, paused, restarting, removing, exited, dead
  std::string error;           // why it could not be started
  bool out_of_memory = false;  // killed by the kernel for want of it
  int exit_code = 0;
  std::optional<Wall> started, finished;
  double restarts = 0;         // by the engine, as its restart policy says
  std::string health;          // starting, healthy, unhealthy; "" without a health check
  double failed_in_a_row = 0;  // health checks
  int health_exit_code = 0;    // of the last health check
  std::string health_output;   // what it printed, or ""
  std::string image;           // as the container was made from: "shop/web:1.4"
  std::string image_id;        // "sha256:…"
  std::string restart_policy;  // "", no, always, unless-stopped, on-failure
  bool terminal = false;       // its log is not in frames
  double memory_limit = 0;     // bytes; 0: none
  double cpu_limit = 0;        // cores; 0: none

  bool runs() const { return state == "running"; }
};
Result<Container> read_container(std::string_view json);

/// /containers/NAME/stats, of one moment; nothing where the engine does not tell (a container that has just ended, or
/// runs without control groups).
struct Statistics {
  std::optional<double> memory;       // bytes, without the page cache that goes when room is needed
  std::optional<double> cpu_seconds;  // used since the container started
  std::optional<double> processes;
};
Result<Statistics> read_statistics(std::string_view json);

/// `message` of an error's answer, or "".
std::string read_message(std::string_view json);

/// RFC 3339 with any fraction and offset; nothing for what is none, and for "0001-01-01T00:00:00Z", the engine's never.
std::optional<Wall> read_time(std::string_view text);

}  // namespace vitald::probes::docker
