// nginx: its connections and requests, by the page of its module stub_status.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.hpp"
#include "probes/net/http.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::nginx {

struct Config {
  net::HttpRequest request;
  std::optional<double> max_connections;

  std::string target() const { return request.unix_path.empty() ? request.url.authority : request.unix_path; }
};

/// Since nginx started, and now.
struct Figures {
  double accepts = 0, handled = 0, requests = 0;
  double active = 0, reading = 0, writing = 0, waiting = 0;
};

struct Facts {
  std::string peer;
  int status = 0;
  std::string reason;  // "Not Found"
  std::string server;  // as the header says, "nginx/1.22.1", or ""
  std::string said;    // the beginning of the body
  std::optional<Figures> figures;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Of ngx_http_stub_status_module's page. Columns that a fork adds behind the three are left alone.
std::optional<Figures> parse_page(std::string_view text);

inline constexpr std::array samples{
    SampleSpec{.name = "active",
               .help = "Open client connections, those that wait for a next request included; the maximum is what "
                       "max_connections says",
               .has_maximum = true},
    SampleSpec{.name = "reading", .help = "Connections whose request is being read"},
    SampleSpec{.name = "writing", .help = "Connections whose request is being worked on or answered, ours included"},
    SampleSpec{.name = "waiting", .help = "Connections kept alive without a request"},
    SampleSpec{.name = "accepts", .kind = SampleKind::counter, .help = "Connections accepted"},
    SampleSpec{.name = "handled", .kind = SampleKind::counter, .help = "Connections accepted and not dropped"},
    SampleSpec{
        .name = "dropped",
        .kind = SampleKind::counter,
        .help = "Connections closed as soon as they were accepted, for want of worker_connections or descriptors"},
    SampleSpec{.name = "requests", .kind = SampleKind::counter, .help = "Requests"},
};
inline constexpr std::string_view default_limits =
    "{ dropped: { warning: 1 per 10m }, active: { warning: 80%, critical: 95% } }";

}  // namespace vitald::probes::nginx
