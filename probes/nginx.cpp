#include "probes/nginx.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/options.hpp"

namespace vitald::probes::nginx {
namespace {

constexpr std::size_t most_body = 4096;  // the page has about 100 bytes

/// Reads the page's words in their order: a word is there, or a number is.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  /// Skips to behind the first `word`.
  bool find(std::string_view word) {
    const auto at = rest_.find(word);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + word.size());
    return true;
  }
  bool number(double& into) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
    std::uint64_t value = 0;
    const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    into = static_cast<double>(value);
    return true;
  }

 private:
  std::string_view rest_;
};

std::string remedy(const Config& config) {
  return "have nginx serve its figures: location = " + config.request.url.path +
         " { stub_status; allow 127.0.0.1; allow ::1; deny all; } in the server that the url leads to, then run: nginx "
         "-t "
         "&& nginx -s reload";
}

std::string answered(const Facts& facts) {
  return std::to_string(facts.status) + (facts.reason.empty() ? "" : " " + foreign_text(facts.reason, 40));
}

ProbeFailure no_page(const Config& config, const Facts& facts) {
  if (facts.status >= 500) return wrong("wrong_status", answered(facts) + " instead of the figures of stub_status");
  if (facts.status != 200)
    return unmeasured("no_status_page", answered(facts) + " instead of the figures of stub_status", remedy(config));
  return unmeasured("no_status_page", "the answer is not the page of stub_status", remedy(config));
}

std::string say(const Figures& figures) {
  return say_count(figures.active, "connection") + ": " + say_number(figures.reading) + " reading, " +
         say_number(figures.writing) + " writing, " + say_number(figures.waiting) + " waiting";
}

}  // namespace

std::optional<Figures> parse_page(std::string_view text) {
  Words words(text);
  Figures seen;
  const bool whole = words.find("Active connections:") && words.number(seen.active) &&
                     words.find("server accepts handled requests") && words.find("\n") && words.number(seen.accepts) &&
                     words.number(seen.handled) && words.number(seen.requests) && words.find("Reading:") &&
                     words.number(seen.reading) && words.find("Writing:") && words.number(seen.writing) &&
                     words.find("Waiting:") && words.number(seen.waiting);
  if (!whole || seen.handled > seen.accepts) return std::nullopt;
  return seen;
}

Config parse(config::Reader& in) {
  Config config;
  net::HttpRequest& request = config.request;
  const auto text = in.required("url", config::Text{}, "Address of the page, http:// or https://");
  request.unix_path = in.optional("unix_socket", config::Text{.may_be_empty = true}, "",
                                  "Unix socket to connect to instead of the url's host");
  const auto most = in.maybe("max_connections", config::Integer{.smallest = 1, .largest = 100'000'000},
                             "worker_processes times worker_connections, so that 'active' has a maximum");
  request.family = read_family(in);
  in.object("tls", "How to verify the server, for an https url",
            [&](config::Reader& tls) { request.tls = read_tls(tls); });
  request.limits.body_bytes = most_body;
  request.limits.decoded_bytes = most_body;
  if (most) config.max_connections = static_cast<double>(*most);
  if (text.empty()) return config;
  const auto url = net::parse_url(text);
  if (url) {
    request.url = *url;
  } else {
    in.problem("url", url.failure().what);
  }
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  const auto response = co_await net::fetch(context.network, config.request, context.phases);
  Facts facts{.peer = response.peer,
              .status = response.status,
              .reason = response.reason,
              .server = "",
              .said = foreign_text(response.body, 120),
              .figures = {}};
  if (const std::string* server = response.header("server")) facts.server = foreign_text(*server, 40);
  if (response.status == 200) facts.figures = parse_page(response.body);
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  seen.evidence.push_back({"address", facts.peer + (facts.server.empty() ? "" : ", " + facts.server)});
  if (!facts.figures) {
    if (!facts.said.empty()) seen.evidence.push_back({"answer", facts.said});
    blame(no_page(config, facts), seen);
    return seen;
  }
  const Figures& figures = *facts.figures;
  seen.summary = say(figures);
  seen.evidence.push_back({"connections", seen.summary});
  seen.samples = {{.name = "active", .value = figures.active, .maximum = config.max_connections},
                  {.name = "reading", .value = figures.reading},
                  {.name = "writing", .value = figures.writing},
                  {.name = "waiting", .value = figures.waiting},
                  {.name = "accepts", .value = figures.accepts},
                  {.name = "handled", .value = figures.handled},
                  {.name = "dropped", .value = figures.accepts - figures.handled},
                  {.name = "requests", .value = figures.requests}};
  return seen;
}

}  // namespace vitald::probes::nginx
