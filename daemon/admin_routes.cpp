#include "daemon/admin_routes.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>

#include "daemon/api.hpp"
#include "daemon/api_incidents.hpp"
#include "daemon/exposition.hpp"
#include "daemon/incident_page.hpp"
#include "daemon/page.hpp"
#include "daemon/ping_route.hpp"

namespace vitald::daemon {
namespace {

constexpr const char* json_type = "application/json";

Answer metrics(const HttpAsk&, Operations& operations) {
  Answer answer{.type = "text/plain; version=0.0.4; charset=utf-8"};
  answer.body = operations.instruments().serialize();
  // shared: a std::function must be copyable, and a half-written scrape is nothing to copy.
  answer.more = [writer = std::make_shared<SeriesWriter>(operations.board().rows())](std::string& out) {
    return writer->next(out);
  };
  return answer;
}

Answer healthz(const HttpAsk&, Operations&) { return {.body = "ok\n"}; }

Answer readyz(const HttpAsk&, Operations& operations) {
  if (operations.ready()) return {.body = "ready\n"};
  return {.status = 503, .body = "not ready: no full pass from probe to store yet, or none lately\n"};
}

Answer style(const HttpAsk&, Operations&) {
  return {.type = "text/css; charset=utf-8", .body = std::string(page_style())};
}

Answer checks(const HttpAsk& ask, Operations& operations) {
  return {.type = json_type, .body = "", .more = checks_document(operations, ask.parameter("check"))};
}

Answer incidents(const HttpAsk&, Operations& operations) {
  return {.type = json_type, .body = incidents_document(operations)};
}

Answer silences(const HttpAsk&, Operations& operations) {
  return {.type = json_type, .body = silences_document(operations)};
}

constexpr std::string_view ping_route = "/ping/<check>";
constexpr std::string_view incident_api_route = "/api/v1/incidents/<id>";
constexpr std::string_view incident_page_route = "/incidents/<id>";
constexpr std::string_view incident_api = "/api/v1/incidents/";
constexpr std::string_view incident_page_path = "/incidents/";

constexpr std::array routes = {
    Route{"/", "the status page", nullptr},
    Route{"/style.css", "its stylesheet", style},
    Route{"/metrics", "Prometheus text exposition 0.0.4", metrics},
    Route{"/healthz", "200 while the loop turns", healthz},
    Route{"/readyz", "200 once a full pass from probe to store has happened, 503 before", readyz},
    Route{"/api/v1/checks", "every check as JSON; `?check=NAME` for one", checks},
    Route{"/api/v1/incidents", "open incidents as JSON", incidents},
    Route{"/api/v1/silences", "what is muted: silences and maintenance windows", silences},
    Route{incident_api_route, "one incident whole, open or closed, with its timeline", nullptr},
    Route{incident_page_route, "the same as a page", nullptr},
    Route{ping_route, "tells a heartbeat that its job is well; /start, /fail or an exit code behind it", nullptr},
};

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> bytes;
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The host without port and brackets, or "" when it is malformed.
std::string bare_host(std::string_view host) {
  if (host.starts_with('[')) {
    const auto close = host.find(']');
    if (close == std::string_view::npos) return "";
    const std::string_view rest = host.substr(close + 1);
    const bool fine = rest.empty() || (rest[0] == ':' && all_digits(rest.substr(1)));
    return fine ? std::string(host.substr(1, close - 1)) : "";
  }
  const auto colon = host.find(':');
  if (colon == std::string_view::npos) return std::string(host);
  return all_digits(host.substr(colon + 1)) ? std::string(host.substr(0, colon)) : "";
}

bool reads(const HttpAsk& ask) { return ask.method == "GET" || ask.method == "HEAD"; }

/// With the incidents that have ended of late, where the disk has an answer.
boost::asio::awaitable<Answer> answer_page(Operations& operations) {
  HistoryQuery query;
  query.since = operations.view().now - std::chrono::hours(24 * 7);
  query.most = most_closed_on_page;
  auto closed = co_await operations.history(std::move(query));
  std::vector<alerting::IncidentRecord> recent;
  if (closed) recent = std::move(*closed);
  co_return Answer{.type = "text/html; charset=utf-8", .body = status_page(operations, recent)};
}

bool is_about_one_incident(const HttpAsk& ask) {
  return reads(ask) && (ask.path.starts_with(incident_api) || ask.path.starts_with(incident_page_path));
}

boost::asio::awaitable<Answer> answer_incident(const HttpAsk& ask, Operations& operations) {
  const bool as_json = ask.path.starts_with(incident_api);
  std::string id = ask.path.substr(as_json ? incident_api.size() : incident_page_path.size());
  const auto story = co_await operations.incident(std::move(id));
  if (!story) co_return Answer{.status = 404, .body = story.failure().sentence() + "\n"};
  if (as_json) co_return Answer{.type = json_type, .body = dump(json_of(*story)) + "\n"};
  co_return Answer{.type = "text/html; charset=utf-8", .body = incident_page(*story, operations.view())};
}

/// The routes that only read.
Answer read_request(const HttpAsk& ask, Operations& operations) {
  const auto route =
      std::find_if(routes.begin(), routes.end(), [&](const Route& known) { return known.path == ask.path; });
  if (route == routes.end() || route->answer == nullptr) {
    std::string body = "There is nothing here. What there is:\n";
    for (const Route& known : routes) body += "  " + std::string(known.path) + "  " + std::string(known.says) + "\n";
    return {.status = 404, .body = std::move(body)};
  }
  if (!reads(ask)) {
    return {.status = 405, .body = "Only GET and HEAD are answered here.\n", .headers = {{"Allow", "GET, HEAD"}}};
  }
  return route->answer(ask, operations);
}

}  // namespace

std::span<const Route> admin_routes() { return routes; }

bool host_allowed(std::string_view host, const std::vector<std::string>& names) {
  std::string bare = bare_host(host);
  if (bare.ends_with('.')) bare.pop_back();
  if (bare.empty() || bare.find('\0') != std::string::npos) return false;
  if (is_address(bare) || same_name(bare, "localhost")) return true;
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return same_name(bare, name); });
}

boost::asio::awaitable<Answer> answer_request(const HttpAsk& ask, const std::vector<std::string>& host_names,
                                              Operations& operations) {
  if (!host_allowed(ask.host, host_names)) {
    co_return Answer{.status = 421,
                     .body =
                         "This daemon does not answer to that name. Use its address, localhost or its instance "
                         "name, or add the name to listen.host_names.\n"};
  }
  if (ask.path == "/" && reads(ask)) {
    Answer answer = co_await answer_page(operations);
    co_return std::move(answer);
  }
  if (is_about_one_incident(ask)) {
    Answer answer = co_await answer_incident(ask, operations);
    co_return std::move(answer);
  }
  if (!is_ping_path(ask.path)) co_return read_request(ask, operations);
  Answer answer = co_await answer_ping(ask, operations);
  co_return std::move(answer);
}

}  // namespace vitald::daemon
