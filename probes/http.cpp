#include "probes/http.hpp"

#include "probes/authorization.hpp"
#include "probes/options.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::http {
namespace {

constexpr std::size_t inline_body = 64 * 1024;  // up to here JSON and patterns take well under a millisecond

using config::ListOf;
using config::Text;

void read_request(config::Reader& in, Config& config) {
  net::HttpRequest& request = config.request;
  config.url = in.required("url", Text{}, "Address to fetch, http:// or https://");
  request.unix_path =
      in.optional("unix_socket", Text{.may_be_empty = true}, "", "Unix socket to connect to instead of the url's host");
  const config::OneOf methods{{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}};
  request.method = in.optional("method", methods, "GET", "Request method");
  request.headers = in.optional("headers", config::TextMap{}, {}, "Request headers");
  request.body = in.optional("body", Text{.longest = 64 * 1024, .may_be_empty = true}, "", "Request body");
  request.family = read_family(in);
  const auto redirects =
      in.optional("follow_redirects", config::Integer{.largest = 10}, 0, "Follow at most so many redirects");
  request.limits.redirects = static_cast<int>(redirects);
  request.compressed = in.optional("compressed", config::Boolean{}, true, "Offer to take gzip and deflate");
  const std::uint64_t fallback = request.limits.body_bytes;
  const std::uint64_t most =
      in.optional("max_body", config::Bytes{}, fallback, "Read at most so much of the body, up to 16MiB");
  request.limits.body_bytes = most;
  request.limits.decoded_bytes = std::max<std::size_t>(4 * most, 64 * 1024);
  in.object("tls", "How to verify the server, and who we are",
            [&](config::Reader& tls) { request.tls = read_tls(tls); });
}

void read_auth(config::Reader& in, Config& config) {
  in.object("auth", "Who asks: `basic` or `bearer`", [&](config::Reader& auth) {
    const bool basic = auth.object("basic", "User name and password (RFC 7617)", [&](config::Reader& pair) {
      config.user = pair.required("user", Text{}, "User name");
      config.password = pair.required("password", config::SecretText{}, "Password");
    });
    config.bearer = auth.maybe("bearer", config::SecretText{}, "Token (RFC 6750)");
    if (basic && config.bearer) auth.problem("bearer", "'basic' and 'bearer' exclude each other");
    if (config.user.find(':') != std::string::npos) auth.problem("basic", "a user name cannot hold a colon (RFC 7617)");
  });
}

std::shared_ptr<const Expect> read_expect(config::Reader& in) {
  auto expect = std::make_shared<Expect>();
  in.object("expect", "What the answer must look like", [&](config::Reader& here) {
    const ListOf<Text> texts{.kind = {}, .single = true, .most = 32};
    const ListOf<Pattern> patterns{.kind = {}, .single = true, .most = 32};
    expect->status = here.optional("status", Statuses{}, StatusSet{}, "Status of the answer");
    expect->body_contains = here.optional("body_contains", texts, {}, "Texts that the body must contain");
    expect->body_lacks = here.optional("body_lacks", texts, {}, "Texts that the body must not contain");
    expect->body_matches = here.optional("body_matches", patterns, {}, "Patterns that the body must match");
    expect->body_not_matches = here.optional("body_not_matches", patterns, {}, "Patterns that the body must not match");
    expect->json = here.maybe("json", Expectations{.json = true}, "Values in a JSON body, by path ($.a.b[0]['c'])")
                       .value_or(std::vector<Expectation>{});
    expect->headers =
        here.maybe("headers", Expectations{}, "Headers of the answer").value_or(std::vector<Expectation>{});
  });
  return expect;
}

net::HttpRequest authorized(const Config& config) {
  net::HttpRequest request = config.request;
  if (config.bearer) request.headers.emplace_back("Authorization", "Bearer " + reveal(*config.bearer));
  if (config.password) {
    request.headers.emplace_back("Authorization", basic_authorization(config.user, reveal(*config.password)));
  }
  return request;
}

/// An inverted check wants to see the failure; what is our own fault is none.
awaitable<void> ask(ProbeContext& context, const Config& config, Facts& facts) {
  const net::HttpRequest request = authorized(config);
  try {
    facts.response = co_await net::fetch(context.network, request, context.phases);
  } catch (const ProbeFailure& failure) {
    if (!config.invert || failure.outcome == Outcome::unmeasured) throw;
    facts.failure = failure;
  }
}

/// Everything that a worker needs, its own: the run may be over before the job is.
struct Examination {
  std::shared_ptr<const Expect> expect;
  std::vector<JsonPath> paths;
  std::string body;
  Findings findings;
};

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  read_request(in, config);
  read_auth(in, config);
  config.expect = read_expect(in);
  config.invert =
      in.optional("invert", config::Boolean{}, false, "The request must fail: an answer as expected is the fault");
  const ListOf<EvidenceName> evidence{.kind = {}, .single = true, .most = 16};
  config.evidence =
      in.optional("evidence", evidence, {}, "What of the answer to show in messages: json:PATH, header:NAME");

  for (const auto& [name, value] : config.request.headers) {
    if (!is_header_name(name)) in.problem("headers", "'" + name + "' is no name of a header");
  }
  if (config.request.limits.body_bytes > (16u << 20)) in.problem("max_body", "'max_body' can be 16MiB at most");
  if (config.url.empty()) return config;
  const auto url = net::parse_url(config.url);
  if (url) {
    config.request.url = *url;
  } else {
    in.problem("url", url.failure().what);
  }
  return config;
}

std::vector<JsonPath> json_paths(const Config& config) {
  std::vector<JsonPath> paths;
  for (const auto& expectation : config.expect->json) paths.push_back(expectation.path);
  for (const auto& source : config.evidence) {
    if (source.header.empty()) paths.push_back(source.path);
  }
  return paths;
}

Findings examine(const Expect& expect, std::span<const JsonPath> paths, std::string_view body) {
  Findings found;
  for (const auto& text : expect.body_contains) found.contains.push_back(body.find(text) != std::string_view::npos);
  for (const auto& text : expect.body_lacks) found.lacks.push_back(body.find(text) == std::string_view::npos);
  for (const auto& pattern : expect.body_matches) found.matches.push_back(matches(*pattern, body));
  for (const auto& pattern : expect.body_not_matches) found.not_matches.push_back(!matches(*pattern, body));
  if (!paths.empty()) found.json = find_in_json(body, paths);
  return found;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  co_await ask(context, config, facts);
  facts.now = context.clock.now().wall;
  facts.body_bytes = facts.response.body.size();
  if (facts.failure) co_return facts;
  if (facts.body_bytes <= inline_body) {
    facts.findings = examine(*config.expect, json_paths(config), facts.response.body);
    co_return facts;
  }
  const auto work = std::make_shared<Examination>();
  work->expect = config.expect;
  work->paths = json_paths(config);
  work->body = std::move(facts.response.body);
  std::function<void()> job = [work] { work->findings = examine(*work->expect, work->paths, work->body); };
  std::string key = "body of " + config.url;
  co_await context.workers.run(std::move(key), std::move(job));
  facts.findings = std::move(work->findings);
  co_return facts;
}

}  // namespace vitald::probes::http
