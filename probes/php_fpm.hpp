// php-fpm: a pool answers, and how many of its workers are busy, by its status page over FastCGI or a web server.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "probes/net/http.hpp"
#include "probes/php_fpm_page.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::php_fpm {

struct Config {
  net::Target where;                     // FastCGI, unless there is a page
  std::optional<net::HttpRequest> page;  // by way of a web server
  std::string status_path;               // as the pool's pm.status_path
  std::optional<double> max_children;

  std::string target() const { return page ? page->url.authority : where.text(); }
};

struct Facts {
  std::string peer;
  int status = 200;         // of CGI or HTTP
  std::string reason = {};  // "Not Found"
  std::string said = {};    // the beginning of an answer that is no status page
  std::string errors = {};  // what php-fpm wrote to standard error meanwhile
  std::optional<Page> page = {};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

inline constexpr std::array samples{
    SampleSpec{.name = "used",
               .unit = Unit::ratio,
               .help =
                   "Share of pm.max_children that is busy; absent where that number is known neither from the check "
                   "nor from a static pool"},
    SampleSpec{.name = "active",
               .help =
                   "Workers that serve a request, the one that answers us included; the maximum is pm.max_children, "
                   "where it is known",
               .has_maximum = true},
    SampleSpec{.name = "idle", .help = "Workers that wait for a request", .lower_is_worse = true},
    SampleSpec{.name = "workers", .help = "Workers that run"},
    SampleSpec{.name = "max_active", .help = "Most workers that were ever busy at once since php-fpm started"},
    SampleSpec{.name = "listen_queue",
               .help = "Connections that wait for a worker, on a TCP port; of a Unix socket php-fpm does not know it",
               .has_maximum = true},
    SampleSpec{.name = "max_children_reached",
               .kind = SampleKind::counter,
               .help = "Times that the pool wanted more workers than pm.max_children allows"},
    SampleSpec{
        .name = "slow_requests", .kind = SampleKind::counter, .help = "Requests slower than request_slowlog_timeout"},
    SampleSpec{.name = "accepted", .kind = SampleKind::counter, .help = "Connections accepted"},
    SampleSpec{.name = "uptime", .unit = Unit::seconds, .help = "Since the pool started", .lower_is_worse = true},
};
inline constexpr std::string_view default_limits =
    "{ used: { warning: 80%, critical: 95%, for: 1m }, listen_queue: { warning: 1, critical: 50%, for: 1m }, "
    "max_children_reached: { warning: 1 per 10m } }";

}  // namespace vitald::probes::php_fpm
