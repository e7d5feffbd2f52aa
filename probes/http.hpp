// http: a web server answers, with the status, headers and body that it should.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/http_options.hpp"
#include "probes/net/http.hpp"
#include "probes/probe.hpp"

namespace vitald::probes::http {

struct Expect {
  StatusSet status;
  std::vector<std::string> body_contains, body_lacks;
  std::vector<Pattern::value_type> body_matches, body_not_matches;
  std::vector<Expectation> json, headers;
};

struct Config {
  net::HttpRequest request;  // without Authorization: a secret is revealed at each run
  std::string url;           // as configured, for messages
  std::optional<Secret> bearer, password;
  std::string user;
  /// Shared with a job on a worker that may outlive the run and the configuration.
  std::shared_ptr<const Expect> expect = std::make_shared<const Expect>();
  std::vector<EvidenceSource> evidence;
  bool invert = false;

  std::string target() const { return request.unix_path.empty() ? request.url.authority : request.unix_path; }
};

/// What the body holds of what is expected, in the order of Expect; `json` ends with the values for the evidence.
struct Findings {
  std::vector<bool> contains, lacks, matches, not_matches;  // whether the expectation is fulfilled
  JsonFindings json;
};

struct Facts {
  net::HttpResponse response;  // its body may be gone: findings tell what mattered
  std::size_t body_bytes = 0;
  Findings findings;
  std::optional<ProbeFailure> failure = {};  // of an inverted check: there was no answer
  Wall now{};
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// Pure, and the part that takes long with a large body.
Findings examine(const Expect& expect, std::span<const JsonPath> paths, std::string_view body);
/// The paths to look up: those of Expect::json, then those of the evidence.
std::vector<JsonPath> json_paths(const Config& config);

inline constexpr std::array samples{
    SampleSpec{.name = "status", .help = "Status code of the answer"},
    SampleSpec{.name = "body_bytes", .unit = Unit::bytes, .help = "Length of the body, decoded"},
    SampleSpec{.name = "redirects", .help = "Redirects that were followed"},
    SampleSpec{.name = "certificate_expires_in",
               .unit = Unit::seconds,
               .help = "Time until the server's certificate expires, for https",
               .lower_is_worse = true},
};
inline constexpr std::string_view default_limits = "{ certificate_expires_in: { warning: 7d } }";

}  // namespace vitald::probes::http
