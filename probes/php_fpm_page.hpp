// The status page of php-fpm (`?json&full`): its figures and the requests that its workers serve. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.hpp"

namespace vitald::probes::php_fpm {

struct Figures {
  std::string pool, manager;  // "www"; "static", "dynamic" or "ondemand"
  double active = 0, idle = 0, total = 0;
  std::optional<double> max_active, accepted, slow_requests, max_children_reached, uptime;
  std::optional<double> listen_queue, listen_queue_length;  // of a Unix socket php-fpm does not know them: length 0
};

/// What a worker is busy with.
struct Request {
  double seconds = 0;
  std::string method, uri, script;  // foreign; the uri without its query, which may hold a secret
};

struct Page {
  Figures figures = {};
  std::vector<Request> requests = {};  // the longest first, at most five, without the one that asked for this page
};

/// One pass. The figures stand at the beginning: where the list of workers behind them is cut, or is no JSON (old
/// versions do not escape an odd uri), what came so far is good. Failure: there are no figures.
Result<Page> read_page(std::string_view json, std::string_view own_path);

}  // namespace vitald::probes::php_fpm
