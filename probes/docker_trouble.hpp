// What is wrong with a container, in words. Pure.
#pragma once

#include <optional>
#include <string>

#include "probes/docker.hpp"

namespace vitald::probes::docker {

struct Trouble {
  std::string reason;  // exited, out_of_memory, missing, restarting, paused, dead, never_started, removing, unhealthy,
                       // starting, wrong_image
  std::string words;   // "web exited with code 1 3 min ago"
  std::string remedy;
  bool runs = false;  // it does, but is unhealthy
};

/// Nothing where it runs and is not unhealthy. Does not know that some may end (Seen::ended_well).
std::optional<Trouble> trouble_of(const Config& config, const Seen& seen, Wall now);
/// Nothing where the image is the one wanted, or none is.
std::optional<Trouble> image_trouble_of(const Config& config, const Seen& seen);

/// "web runs for 3 d 4 h, healthy, 2 restarts", or its trouble.
std::string say(const Config& config, const Seen& seen, Wall now);
/// "docker.io/library/nginx" and "nginx:latest" are one.
bool same_image(const std::string& wanted, const Container& container);

}  // namespace vitald::probes::docker
