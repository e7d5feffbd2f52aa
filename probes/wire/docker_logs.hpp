// The log stream of the Docker Engine API (docs.docker.com/engine/api, "Stream format" of attach): of a container
// without a terminal it is frames that mix standard output and error. Without I/O.
#pragma once

#include <string>
#include <string_view>

#include "config/result.hpp"

namespace vitald::wire {

/// What the container wrote, both streams in their order. A frame that is cut at the end gives what there is of it.
/// Failure: these are no frames (a container with a terminal sends its bytes as they are).
Result<std::string> docker_log_text(std::string_view frames);

}  // namespace vitald::wire
