#include "probes/docker_client.hpp"

#include <utility>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"

namespace vitald::probes::docker {
namespace {

/// Who may write to the engine's socket can become root, so the usual remedy will not do without a word of warning.
ProbeFailure denied(const ProbeFailure& failure, const Config& config) {
  return unmeasured(failure.reason, failure.what(),
                    "run: systemctl edit vitald, and add SupplementaryGroups=docker under [Service]; the group is as "
                    "good as root, so better put a proxy that only reads before " +
                        config.where.unix_path + " (docs/rights.md has both)");
}

net::HttpRequest request_for(const Config& config, std::string path, std::size_t most) {
  net::HttpRequest request;
  request.url.https = config.where.tls.has_value();
  request.url.host = config.where.host;
  request.url.port = config.where.port;
  // Unversioned: the engine's own newest version. Old ones refuse a newer number, and new ones an older.
  request.url.path = std::move(path);
  request.url.authority = config.where.unix_path.empty() ? config.where.text() : "docker";
  request.unix_path = config.where.unix_path;
  request.family = config.where.family;
  request.tls = config.where.tls.value_or(net::TlsOptions{});
  request.compressed = false;
  request.limits.body_bytes = most;
  request.limits.decoded_bytes = most;
  return request;
}

}  // namespace

awaitable<Reply> get(ProbeContext& context, const Config& config, std::string path, std::size_t most) {
  const net::HttpRequest request = request_for(config, std::move(path), most);
  std::optional<ProbeFailure> refusal;
  net::HttpResponse response;
  try {
    response = co_await net::fetch(context.network, request, context.phases);
  } catch (const ProbeFailure& failure) {
    if (!failure.reason.starts_with("denied")) throw;
    refusal = denied(failure, config);
  }
  if (refusal) throw *refusal;
  if (response.truncated)
    throw wrong("too_large", "the engine's answer has more than " + say_bytes(static_cast<double>(most)));
  Reply reply;
  reply.status = response.status;
  reply.body = std::move(response.body);
  reply.peer = std::move(response.peer);
  co_return reply;
}

ProbeFailure failure_of(const Reply& reply, const std::string& what) {
  std::string said = foreign_text(read_message(reply.body), 200);
  const std::string answer =
      "answers " + what + " with " + std::to_string(reply.status) + (said.empty() ? "" : ": " + said);
  if (reply.status == 401 || reply.status == 403)
    return unmeasured("not_allowed", "the engine's socket " + answer,
                      "allow GET of /containers there: a socket proxy has a setting such as CONTAINERS=1");
  if (said.empty()) return wrong("bad_reply", "what listens there is no Docker engine: it " + answer);
  if (reply.status == 400) return unmeasured("bad_version", "the engine " + answer);
  return wrong("engine_error", "the engine " + answer);
}

std::string list_path(const std::string& project) {
  // {"label":["com.docker.compose.project=NAME"]}; the name was looked at when the configuration was read.
  return "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project%3D" + project + "%22%5D%7D";
}

}  // namespace vitald::probes::docker
