#include <algorithm>

#include "config/units.hpp"
#include "probes/foreign_text.hpp"
#include "probes/http.hpp"

namespace vitald::probes::http {
namespace {

constexpr std::size_t evidence_bytes = 200;

struct Complaint {
  std::string reason, summary;
};
using Complaints = std::vector<Complaint>;

std::string quoted(const std::string& text) { return "'" + foreign_text(text) + "'"; }

/// The phrases of RFC 9110 for those that people meet, where the server (HTTP/2 gateways) left its own away.
std::string_view phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "";
  }
}

/// "502 Bad Gateway", "301 Moved Permanently to https://…".
std::string say_status(const net::HttpResponse& response) {
  std::string text = std::to_string(response.status);
  const std::string words =
      response.reason.empty() ? std::string(phrase(response.status)) : foreign_text(response.reason);
  if (!words.empty()) text += " " + words;
  const std::string* location = response.header("Location");
  if (response.status / 100 == 3 && location != nullptr) text += " to " + foreign_text(*location, evidence_bytes);
  return text;
}

void check_status(const Config& config, const Facts& facts, Complaints& complaints) {
  if (config.expect->status.holds(facts.response.status)) return;
  complaints.push_back({"wrong_status", say_status(facts.response) + " instead of " + config.expect->status.text});
}

void check_header(const Expectation& expected, const std::string* value, Complaints& complaints) {
  const std::string header = "header " + expected.name;
  if (expected.rule == Expectation::Rule::absent) {
    if (value != nullptr) complaints.push_back({"wrong_header", header + " is there, " + quoted(*value)});
  } else if (value == nullptr) {
    complaints.push_back({"wrong_header", header + " is missing"});
  } else if (expected.rule == Expectation::Rule::equals && *value != expected.text) {
    complaints.push_back({"wrong_header", header + " is " + quoted(*value) + " instead of " + quoted(expected.text)});
  } else if (expected.rule == Expectation::Rule::matches && !matches(*expected.pattern, *value)) {
    complaints.push_back({"wrong_header", header + " is " + quoted(*value) + ", which does not match " +
                                              quoted(pattern_text(*expected.pattern))});
  }
}

void check_json_value(const Expectation& expected, const JsonValue& value, Complaints& complaints) {
  const bool absent = value.kind == JsonValue::Kind::absent;
  const auto complain = [&](const std::string& what) {
    complaints.push_back({"wrong_json", expected.name + " is " + what});
  };
  switch (expected.rule) {
    case Expectation::Rule::present:
      if (absent) complain("missing");
      return;
    case Expectation::Rule::absent:
      if (!absent) complain(value.show() + ", although it must not be there");
      return;
    case Expectation::Rule::equals:
      if (!same_value(value, expected.value)) complain(value.show() + " instead of " + expected.value.show());
      return;
    case Expectation::Rule::matches: {
      const std::string text = value.kind == JsonValue::Kind::text ? value.text : value.show();
      if (absent || !matches(*expected.pattern, text)) {
        complain(value.show() + (absent ? "" : ", which does not match " + quoted(pattern_text(*expected.pattern))));
      }
    }
  }
}

void check_body(const Expect& expect, const Facts& facts, Complaints& complaints) {
  const auto& found = facts.findings;
  const std::string body = facts.response.truncated
                               ? "the first " + say_bytes(static_cast<double>(facts.body_bytes)) + " of the body"
                               : "body";
  const auto complain = [&](const std::string& what) { complaints.push_back({"wrong_body", body + what}); };
  for (std::size_t i = 0; i < found.contains.size(); ++i) {
    if (!found.contains[i]) complain(" lacks " + quoted(expect.body_contains[i]));
  }
  for (std::size_t i = 0; i < found.lacks.size(); ++i) {
    if (!found.lacks[i]) complain(" contains " + quoted(expect.body_lacks[i]));
  }
  for (std::size_t i = 0; i < found.matches.size(); ++i) {
    if (!found.matches[i]) complain(" does not match " + quoted(pattern_text(*expect.body_matches[i])));
  }
  for (std::size_t i = 0; i < found.not_matches.size(); ++i) {
    if (!found.not_matches[i]) complain(" matches " + quoted(pattern_text(*expect.body_not_matches[i])));
  }
}

void check_json(const Expect& expect, const Facts& facts, Complaints& complaints) {
  if (expect.json.empty()) return;
  const auto& found = facts.findings.json;
  if (!found.error.empty()) {
    const std::string why =
        facts.response.truncated ? "is longer than max_body, so its JSON cannot be read" : "is " + found.error;
    complaints.push_back({"bad_json", facts.body_bytes == 0 ? "body is empty instead of JSON" : "body " + why});
    return;
  }
  for (std::size_t i = 0; i < expect.json.size(); ++i) check_json_value(expect.json[i], found.values[i], complaints);
}

Complaints find_complaints(const Config& config, const Facts& facts) {
  Complaints complaints;
  check_status(config, facts, complaints);
  for (const auto& expected : config.expect->headers) {
    check_header(expected, facts.response.header(expected.name), complaints);
  }
  check_body(*config.expect, facts, complaints);
  check_json(*config.expect, facts, complaints);
  return complaints;
}

void add_samples(const Facts& facts, Observation& seen) {
  seen.samples.push_back({.name = "status", .value = static_cast<double>(facts.response.status)});
  seen.samples.push_back({.name = "body_bytes", .value = static_cast<double>(facts.body_bytes)});
  seen.samples.push_back({.name = "redirects", .value = static_cast<double>(facts.response.redirects)});
  if (!facts.response.certificate_expires) return;
  // In whole seconds: the difference of two far dates does not fit a Duration.
  using std::chrono::floor;
  using std::chrono::seconds;
  const auto left = floor<seconds>(*facts.response.certificate_expires) - floor<seconds>(facts.now);
  seen.samples.push_back({.name = "certificate_expires_in", .value = static_cast<double>(left.count())});
}

void add_evidence(const Config& config, const Facts& facts, Observation& seen) {
  std::size_t next = config.expect->json.size();  // behind those of the expectations, see json_paths()
  for (const auto& source : config.evidence) {
    if (!source.header.empty()) {
      const std::string* value = facts.response.header(source.header);
      if (value != nullptr) seen.evidence.push_back({source.header, foreign_text(*value, evidence_bytes)});
      continue;
    }
    const std::size_t place = next++;
    if (place >= facts.findings.json.values.size()) continue;
    const JsonValue& value = facts.findings.json.values[place];
    if (value.kind == JsonValue::Kind::absent) continue;
    const bool text = value.kind == JsonValue::Kind::text;
    seen.evidence.push_back({source.path.last_name(), text ? foreign_text(value.text, evidence_bytes) : value.show()});
  }
  if (!facts.response.final_url.empty())
    seen.evidence.push_back({"redirected to", foreign_text(facts.response.final_url, evidence_bytes)});
  if (!facts.response.peer.empty()) seen.evidence.push_back({"address", facts.response.peer});
}

void judge_inverted(const Facts& facts, const Complaints& complaints, Observation& seen) {
  if (facts.failure || !complaints.empty()) {
    seen.summary =
        std::string("fails as it should: ") + (facts.failure ? facts.failure->what() : complaints.front().summary);
    return;
  }
  seen.outcome = Outcome::wrong;
  seen.reason = "answered";
  seen.summary = say_status(facts.response) + ", although the request must fail";
}

}  // namespace

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  Complaints complaints;
  if (!facts.failure) {
    complaints = find_complaints(config, facts);
    add_samples(facts, seen);
    add_evidence(config, facts, seen);
  }
  if (config.invert) {
    judge_inverted(facts, complaints, seen);
  } else if (complaints.empty()) {
    seen.summary = say_status(facts.response);
  } else {
    seen.outcome = Outcome::wrong;
    seen.reason = complaints.front().reason;
    seen.summary = complaints.front().summary;
    for (std::size_t i = 1; i < std::min<std::size_t>(complaints.size(), 8); ++i) {
      seen.evidence.push_back({"also", complaints[i].summary});
    }
  }
  return seen;
}

}  // namespace vitald::probes::http
