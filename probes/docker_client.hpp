// GET requests to the Docker Engine API.
#pragma once

#include <cstddef>
#include <string>

#include "probes/docker.hpp"
#include "probes/net/http.hpp"

namespace vitald::probes::docker {

struct Reply {
  int status = 0;
  std::string body;
  std::string peer;
};

/// Throws the failures of net::fetch, "denied:…" with the remedy that fits, and `too_large` where the answer has more
/// than `most` bytes. Any status is an answer.
awaitable<Reply> get(ProbeContext& context, const Config& config, std::string path, std::size_t most);

/// What a status other than 200 means: `not_allowed`, `bad_version` (ours), or `engine_error` and `bad_reply`.
ProbeFailure failure_of(const Reply& reply, const std::string& what);

/// The request that lists the project's containers, exited ones too.
std::string list_path(const std::string& project);

}  // namespace vitald::probes::docker
