#include "probes/php_fpm.hpp"

#include <memory>
#include <utility>

#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/options.hpp"
#include "probes/wire/fastcgi.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::php_fpm {
namespace {

constexpr std::size_t most_body = 512 * 1024;   // a worker takes about 300 bytes
constexpr std::size_t inline_body = 64 * 1024;  // up to here one pass takes well under a millisecond
constexpr std::string_view query = "json&full";

std::string question(const Config& config) {
  // What php-fpm looks at is SCRIPT_NAME, equal to pm.status_path, and the query. Where there is no such page it looks
  // for SCRIPT_FILENAME, which must be no file that could run.
  return wire::fastcgi_request({{"GATEWAY_INTERFACE", "CGI/1.1"},
                                {"SERVER_SOFTWARE", "vitald"},
                                {"SERVER_PROTOCOL", "HTTP/1.1"},
                                {"REQUEST_METHOD", "GET"},
                                {"REQUEST_URI", config.status_path},
                                {"SCRIPT_NAME", config.status_path},
                                {"SCRIPT_FILENAME", config.status_path},
                                {"QUERY_STRING", std::string(query)}});
}

ProbeFailure ended_early(const Config& config, bool begun) {
  if (begun) return refused("closed_early", "php-fpm closed the connection within its answer");
  if (!config.where.unix_path.empty())
    return refused("closed_early", "php-fpm closed the connection without an answer");
  return refused("closed_early", "php-fpm closed the connection without an answer",
                 "see whether listen.allowed_clients of the pool allows this host");
}

void check_end(wire::FastCgiReader::End end) {
  using End = wire::FastCgiReader::End;
  if (end == End::overloaded) throw wrong("overloaded", "php-fpm refuses the request: it is overloaded");
  if (end != End::complete) throw wrong("bad_reply", "what listens there is no FastCGI responder, so no php-fpm");
}

/// The text of the answer, whatever it is.
awaitable<std::string> ask_pool(ProbeContext& context, const Config& config, Facts& facts) {
  const auto stream = co_await context.network.connect(config.where, context.phases);
  facts.peer = stream->peer();
  context.phases.begin("send");
  const std::string request = question(config);
  co_await stream->write(request);
  context.phases.mark("send");
  context.phases.begin("worker");
  wire::FastCgiReader reader({.output_bytes = most_body, .error_bytes = 1024, .all_bytes = 2 * most_body});
  std::string piece(16 * 1024, '\0');
  while (reader.end() == wire::FastCgiReader::End::none) {
    const auto size = co_await stream->read_some(piece);
    if (!reader.begun()) {
      context.phases.mark("first_byte");
      context.phases.begin("rest");
    }
    if (size == 0) throw ended_early(config, reader.begun());
    const auto fed = reader.feed(std::string_view(piece.data(), size));
    if (!fed) throw wrong("bad_reply", "what listens there speaks no FastCGI: " + fed.failure().what);
  }
  context.phases.mark("rest");
  check_end(reader.end());
  const auto answer = wire::cgi_answer(reader.output());
  if (!answer) throw wrong("bad_reply", "php-fpm's answer is none of CGI: " + answer.failure().what);
  facts.status = answer->status;
  facts.reason = answer->reason;
  facts.errors = reader.errors();
  co_return std::string(answer->body);
}

awaitable<std::string> ask_page(ProbeContext& context, const Config& config, Facts& facts) {
  auto response = co_await net::fetch(context.network, *config.page, context.phases);
  facts.peer = response.peer;
  facts.status = response.status;
  facts.reason = response.reason;
  co_return std::move(response.body);
}

/// Everything that a worker needs, its own: the run may be over before the job is.
struct Search {
  std::string body, own_path;
  std::optional<Page> found = {};

  void run() {
    auto page = read_page(body, own_path);
    if (page) found = std::move(*page);
  }
};

/// The url with the query that asks for JSON, in place of any other.
void read_page_url(config::Reader& in, const std::string& text, net::HttpRequest request, Config& config) {
  const auto url = net::parse_url(text);
  if (!url) {
    in.problem("url", url.failure().what);
    return;
  }
  request.url = *url;
  config.status_path = url->path.substr(0, url->path.find('?'));
  request.url.path = config.status_path + "?" + std::string(query);
  request.limits.body_bytes = most_body;
  config.page = std::move(request);
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  net::HttpRequest request;
  const auto socket = in.maybe("socket", config::Text{}, "Unix socket of the pool, as its `listen` says");
  const auto address = in.maybe("address", HostPort{}, "Host and port of the pool, where it listens on TCP");
  const auto url = in.maybe("url", config::Text{}, "Address of the status page on a web server, instead of FastCGI");
  config.status_path = in.optional("status_path", config::Text{.longest = 512}, "/status",
                                   "Path of the status page, as the pool's `pm.status_path` says; not with 'url'");
  const auto children = in.maybe("max_children", config::Integer{.smallest = 1, .largest = 100'000},
                                 "The pool's `pm.max_children`; of a static pool it is known anyway");
  request.family = read_family(in);
  const bool tls = in.object("tls", "How to verify the web server, for an https url",
                             [&](config::Reader& nested) { request.tls = read_tls(nested); });

  if (children) config.max_children = static_cast<double>(*children);
  if (address.has_value() + socket.has_value() + url.has_value() != 1)
    in.problem("", "needs one of 'socket', 'address' and 'url'");
  if (!config.status_path.starts_with('/')) in.problem("status_path", "'status_path' begins with a slash");
  if (url && in.has("status_path")) in.problem("status_path", "'url' holds the path already");
  if (tls && !url) in.problem("tls", "'tls' is for an https 'url': FastCGI has none");
  config.where = address.value_or(net::Target{});
  config.where.unix_path = socket.value_or("");
  config.where.family = request.family;
  if (url) read_page_url(in, *url, std::move(request), config);
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  const auto search = std::make_shared<Search>();
  search->own_path = config.status_path;
  if (config.page) {
    search->body = co_await ask_page(context, config, facts);
  } else {
    search->body = co_await ask_pool(context, config, facts);
  }
  facts.said = foreign_text(search->body, 120);
  if (facts.status != 200) co_return facts;
  if (search->body.size() <= inline_body) {
    search->run();
  } else {
    std::function<void()> job = [search] { search->run(); };
    std::string key = "status page of " + config.target();
    co_await context.workers.run(std::move(key), std::move(job));
  }
  facts.page = std::move(search->found);
  co_return facts;
}

}  // namespace vitald::probes::php_fpm
