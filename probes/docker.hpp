// docker: containers run, are healthy, and do not restart: some by name, or all of a compose project, over the Docker
// Engine API. Only ever asks (GET); nothing is started, stopped or changed.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "probes/docker_json.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::docker {

struct Config {
  net::Target where;
  std::vector<std::string> containers;        // by name; none: there is a project
  std::string project;                        // of compose
  std::vector<std::string> services;          // that it must have; none: those that there are
  std::map<std::string, std::string> images;  // wanted, by container or service
  Duration start_within{};
  std::size_t log_lines = 8;
  bool statistics = true;

  std::string target() const { return where.text(); }
  bool of_project() const { return !project.empty(); }
};

/// One container, or one that should be there.
struct Seen {
  std::string name;                         // of the container; of the service where it has none
  std::string service;                      // of compose, or ""
  std::optional<Container> container = {};  // nothing: there is none
  Statistics statistics = {};
  std::string log = {};     // its last lines, where it is in trouble
  bool ended_well = false;  // and others wait for that (depends_on: service_completed_successfully)
};

struct Facts {
  std::string peer;
  std::vector<Seen> seen;                 // at most most_containers
  std::size_t left_out = 0;               // containers of the project beyond those
  std::vector<std::string> unasked = {};  // what could not be asked besides: "statistics of web: …"
  std::string memory = {};                // of the last run
  Wall now{};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "running",
               .help = "Containers that run; the maximum is how many there should be",
               .has_maximum = true,
               .lower_is_worse = true},
    SampleSpec{.name = "not_running",
               .help =
                   "Containers, and services without one, that should run and are missing, exited, restarting, paused "
                   "or dead"},
    SampleSpec{.name = "unhealthy",
               .help = "Running containers whose health check fails, or has not succeeded within start_within"},
    SampleSpec{.name = "wrong_image", .help = "Containers that were made from another image than the check wants"},
    SampleSpec{.name = "restarts",
               .kind = SampleKind::counter,
               .help =
                   "Starts after the first, by the engine or by hand, since this check first saw the container; a new "
                   "container in its place is none (label container)"},
    SampleSpec{.name = "memory",
               .unit = Unit::bytes,
               .help = "Memory in use without reclaimable page cache; the maximum is the container's limit (label "
                       "container)",
               .has_maximum = true},
    SampleSpec{
        .name = "cpu",
        .help = "Processor cores in use since the last run; the maximum is the container's limit (label container)",
        .has_maximum = true},
    SampleSpec{.name = "processes", .help = "Processes and threads (label container)"},
    SampleSpec{.name = "uptime",
               .unit = Unit::seconds,
               .help = "Since the container was last started (label container)",
               .lower_is_worse = true},
};
inline constexpr std::string_view default_limits =
    "{ not_running: { warning: 1 }, unhealthy: { warning: 1 }, wrong_image: { warning: 1 }, "
    "restarts: { warning: 3 per 1h, critical: 10 per 1h }, memory: { warning: 90%, critical: 97% } }";

}  // namespace vitald::probes::docker
