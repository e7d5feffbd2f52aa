#include "probes/http.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;
using namespace std::chrono_literals;

http::Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(http::parse, "url: http://example.com/health\n" + more);
  EXPECT_THAT(parsed.problems, Not(HasSubstr("error")));
  return parsed.config;
}

std::string reply(const std::string& status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

/// Runs the check against one answer, and judges it.
Observation probe(const http::Config& check, const std::string& answer, Surroundings& around, FakeNetwork& network) {
  network.answer({answer});
  around.network = &network;
  const auto facts = around.run(http::run, check);
  return http::judge(check, facts);
}

Observation probe(const http::Config& check, const std::string& answer) {
  Surroundings around;
  FakeNetwork network;
  return probe(check, answer, around, network);
}

double sample(const Observation& seen, std::string_view name) {
  for (const Sample& each : seen.samples) {
    if (each.name == name) return each.value;
  }
  return -1;
}

std::vector<std::string> evidence(const Observation& seen) {
  std::vector<std::string> lines;
  for (const auto& each : seen.evidence) lines.push_back(each.label + ": " + each.text);
  return lines;
}

TEST(HttpJudge, AnAnswerAsExpected) {
  const auto seen = probe(config(), reply("200 OK", "hello"));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "200 OK");
  EXPECT_EQ(seen.reason, "");
  EXPECT_EQ(sample(seen, "status"), 200);
  EXPECT_EQ(sample(seen, "body_bytes"), 5);
  EXPECT_EQ(sample(seen, "redirects"), 0);
  EXPECT_EQ(sample(seen, "certificate_expires_in"), -1);
}

struct Case {
  const char* name;
  const char* expect;
  std::string answer;
  const char* reason;
  const char* summary;
};

class HttpComplaint : public ::testing::TestWithParam<Case> {};

TEST_P(HttpComplaint, IsSaidInWords) {
  const auto& each = GetParam();
  const auto seen = probe(config(std::string("expect: ") + each.expect), each.answer);
  EXPECT_EQ(seen.summary, each.summary);
  EXPECT_EQ(seen.reason, each.reason);
  EXPECT_EQ(seen.outcome, std::string(each.reason).empty() ? Outcome::answered : Outcome::wrong);
}

const Case cases[] = {
    {"Status", "{ status: 200 }", reply("502 Bad Gateway", ""), "wrong_status", "502 Bad Gateway instead of 200"},
    {"StatusClass", "{}", reply("404 Not Found", ""), "wrong_status", "404 Not Found instead of 2xx"},
    {"StatusWithoutPhrase", "{}", reply("503 ", ""), "wrong_status", "503 Service Unavailable instead of 2xx"},
    {"StatusList", "{ status: [ 200, 4xx, 503 ] }", reply("500 Oops", ""), "wrong_status",
     "500 Oops instead of 200, 4xx or 503"},
    {"StatusInList", "{ status: [ 200, 4xx ] }", reply("418 Teapot", ""), "", "418 Teapot"},
    {"Redirect", "{}", reply("301 Moved Permanently", "", "Location: https://example.com/\r\n"), "wrong_status",
     "301 Moved Permanently to https://example.com/ instead of 2xx"},
    {"BodyLacks", "{ body_contains: [ Hello, Welcome ] }", reply("200 OK", "Hello"), "wrong_body",
     "body lacks 'Welcome'"},
    {"BodyHas", "{ body_lacks: error }", reply("200 OK", "fatal error"), "wrong_body", "body contains 'error'"},
    {"BodyMatches", "{ body_matches: 'v[0-9]+' }", reply("200 OK", "version x"), "wrong_body",
     "body does not match 'v[0-9]+'"},
    {"BodyMustNotMatch", "{ body_not_matches: '(?i)panic' }", reply("200 OK", "PANIC"), "wrong_body",
     "body matches '(?i)panic'"},
    {"BodyFine", "{ body_contains: a, body_lacks: z, body_matches: '^a', body_not_matches: '^b' }",
     reply("200 OK", "abc"), "", "200 OK"},
    {"HeaderMissing", "{ headers: { X-Frame-Options: { present: true } } }", reply("200 OK", ""), "wrong_header",
     "header X-Frame-Options is missing"},
    {"HeaderDiffers", "{ headers: { x-frame-options: DENY } }", reply("200 OK", "", "X-Frame-Options: SAMEORIGIN\r\n"),
     "wrong_header", "header x-frame-options is 'SAMEORIGIN' instead of 'DENY'"},
    {"HeaderDoesNotMatch", "{ headers: { Server: { matches: '^nginx' } } }", reply("200 OK", "", "Server: Apache\r\n"),
     "wrong_header", "header Server is 'Apache', which does not match '^nginx'"},
    {"HeaderMustNotBe", "{ headers: { X-Powered-By: { present: false } } }",
     reply("200 OK", "", "X-Powered-By: PHP\r\n"), "wrong_header", "header X-Powered-By is there, 'PHP'"},
    {"HeadersFine", "{ headers: { Server: { matches: '^nginx' }, X-A: 1, X-B: { present: false } } }",
     reply("200 OK", "", "Server: nginx\r\nX-A: 1\r\n"), "", "200 OK"},
    {"JsonText", "{ json: { $.status: ok } }", reply("200 OK", R"({"status":"degraded"})"), "wrong_json",
     "$.status is 'degraded' instead of 'ok'"},
    {"JsonMissing", "{ json: { $.status: ok } }", reply("200 OK", "{}"), "wrong_json",
     "$.status is missing instead of 'ok'"},
    {"JsonNumberIsNoText", "{ json: { $.n: '5' } }", reply("200 OK", R"({"n":5})"), "wrong_json",
     "$.n is 5 instead of '5'"},
    {"JsonPresent", "{ json: { $.id: { present: true } } }", reply("200 OK", "{}"), "wrong_json", "$.id is missing"},
    {"JsonAbsent", "{ json: { $.error: { present: false } } }", reply("200 OK", R"({"error":null})"), "wrong_json",
     "$.error is null, although it must not be there"},
    {"JsonDoesNotMatch", "{ json: { $.v: { matches: '^1[.]' } } }", reply("200 OK", R"({"v":"2.0"})"), "wrong_json",
     "$.v is '2.0', which does not match '^1[.]'"},
    {"JsonFine",
     "{ json: { $.a: 5, $.b: 1.5, $.c: true, $.d: null, $.e: 'true', '$.f[0]': x, $.g: { matches: '^7' } } }",
     reply("200 OK", R"({"a":5.0,"b":1.5,"c":true,"d":null,"e":"true","f":["x"],"g":77})"), "", "200 OK"},
    {"JsonBroken", "{ json: { $.a: 1 } }", reply("200 OK", "<html>"), "bad_json", "body is not valid JSON at byte 1"},
    {"JsonEmpty", "{ json: { $.a: 1 } }", reply("200 OK", ""), "bad_json", "body is empty instead of JSON"},
    {"JsonTooDeep", "{ json: { $.a: 1 } }", reply("200 OK", std::string(1000, '[')), "bad_json",
     "body is nested more than 64 deep"},
};
INSTANTIATE_TEST_SUITE_P(All, HttpComplaint, ::testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(HttpJudge, EveryComplaintIsToldTheStatusFirst) {
  const auto seen =
      probe(config("expect: { body_contains: Welcome, headers: { X-A: { present: true } } }"), reply("500 Oops", "no"));
  EXPECT_EQ(seen.reason, "wrong_status");
  EXPECT_THAT(evidence(seen),
              ElementsAre("address: 192.0.2.7:443", "also: header X-A is missing", "also: body lacks 'Welcome'"));
}

TEST(HttpJudge, ShowsTheEvidenceThatWasAskedFor) {
  const auto check = config(
      "expect: { json: { $.status: ok } }\nevidence: [ 'json:$.meta.request_id', 'header:X-Request-Id', 'json:$.none' "
      "]");
  const auto seen =
      probe(check, reply("200 OK", R"({"status":"ok","meta":{"request_id":"7f3c91d2"}})", "x-request-id: a\xffz\r\n"));
  EXPECT_EQ(seen.outcome, Outcome::answered) << seen.summary;
  EXPECT_THAT(evidence(seen), ElementsAre("request_id: 7f3c91d2", "X-Request-Id: a?z", "address: 192.0.2.7:443"));
}

TEST(HttpJudge, ForeignTextIsBoundedAndCleaned) {
  const auto seen = probe(config("expect: { json: { $.a: x } }"),
                          reply("200 OK", R"({"a":"\u001b[31m)" + std::string(500, 'y') + "\"}"));
  EXPECT_THAT(seen.summary, HasSubstr("$.a is '?[31myyy"));
  EXPECT_LT(seen.summary.size(), 200u);
}

TEST(HttpJudge, ABodyThatWasCutSaysSo) {
  const auto check = config("max_body: 1KiB\nexpect: { body_contains: Welcome }");
  const auto seen = probe(check, reply("200 OK", std::string(5000, 'x')));
  EXPECT_EQ(seen.summary, "the first 1 KiB of the body lacks 'Welcome'");
  const auto json = probe(config("max_body: 1KiB\nexpect: { json: { $.a: 1 } }"),
                          reply("200 OK", "{\"a\":\"" + std::string(5000, 'x')));
  EXPECT_EQ(json.summary, "body is longer than max_body, so its JSON cannot be read");
}

TEST(HttpJudge, AnInvertedCheckWantsAFailure) {
  const auto check = config("invert: true");
  const auto bad = probe(check, reply("200 OK", ""));
  EXPECT_EQ(bad.outcome, Outcome::wrong);
  EXPECT_EQ(bad.summary, "200 OK, although the request must fail");
  const auto good = probe(check, reply("403 Forbidden", ""));
  EXPECT_EQ(good.outcome, Outcome::answered);
  EXPECT_EQ(good.summary, "fails as it should: 403 Forbidden instead of 2xx");

  Surroundings around;
  FakeNetwork network;
  around.network = &network;
  network.refuse(ProbeFailure(Outcome::refused, "connect_refused", "connection refused"));
  EXPECT_EQ(http::judge(check, around.run(http::run, check)).summary, "fails as it should: connection refused");
  network.refuse(ProbeFailure(Outcome::unmeasured, "out_of_descriptors", "vitald has no descriptor left"));
  EXPECT_THROW(around.run(http::run, check), ProbeFailure);
}

TEST(HttpRun, ALargeBodyIsReadOnAWorkerASmallOneHere) {
  Surroundings around;
  FakeNetwork network;
  const auto check = config("expect: { json: { $.a: ok }, body_matches: 'o.\"' }");
  const auto large = "{\"pad\":\"" + std::string(100'000, 'x') + "\",\"a\":\"ok\"}";
  const auto seen = probe(check, reply("200 OK", large), around, network);
  EXPECT_EQ(seen.outcome, Outcome::answered) << seen.summary;
  EXPECT_EQ(sample(seen, "body_bytes"), static_cast<double>(large.size()));
  EXPECT_THAT(around.workers.keys, ElementsAre("body of http://example.com/health"));
  probe(check, reply("200 OK", "{\"a\":\"ok\"}"), around, network);
  EXPECT_EQ(around.workers.keys.size(), 1u);
}

TEST(HttpRun, SendsWhatWasConfigured) {
  Surroundings around;
  FakeNetwork network;
  const auto check = config(
      "method: POST\nbody: ping\nheaders: { Accept: application/json }\nunix_socket: /run/x.sock\n"
      "auth: { basic: { user: Aladdin, password: open sesame } }");
  probe(check, reply("200 OK", ""), around, network);
  EXPECT_THAT(network.sent, HasSubstr("POST /health HTTP/1.1\r\n"));
  EXPECT_THAT(network.sent, HasSubstr("Accept: application/json\r\n"));
  EXPECT_THAT(network.sent, HasSubstr("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
  EXPECT_THAT(network.sent, HasSubstr("\r\n\r\nping"));
  EXPECT_EQ(network.targets.at(0).unix_path, "/run/x.sock");
  EXPECT_EQ(check.target(), "/run/x.sock");
}

TEST(HttpRun, AMissingSecretIsOursAndSendsNothing) {
  Surroundings around;
  FakeNetwork network;
  around.network = &network;
  try {
    around.run(http::run, config("auth: { bearer: { env: VITALD_TEST_NO_SUCH_TOKEN } }"));
    FAIL();
  } catch (const ProbeFailure& failure) {
    EXPECT_EQ(failure.outcome, Outcome::unmeasured);
    EXPECT_EQ(failure.reason, "secret_missing:VITALD_TEST_NO_SUCH_TOKEN");
  }
  EXPECT_THAT(network.targets, IsEmpty());
}

TEST(HttpRun, TellsWhenTheCertificateExpires) {
  Surroundings around;
  FakeNetwork network;
  network.proves.emplace();
  network.proves->served.push_back({.subject = "example.com", .issuer = "", .serial = "", .sha256 = "", .names = {}});
  network.proves->served[0].not_after = around.clock.now().wall + 24h * 5;
  const auto check = parse_yaml(http::parse, "url: https://example.com/").config;
  EXPECT_EQ(sample(probe(check, reply("200 OK", ""), around, network), "certificate_expires_in"), 5 * 86400.0);
  EXPECT_TRUE(network.targets.at(0).tls);
}

TEST(HttpRun, FollowsRedirectsOnlyWhereThatIsAllowed) {
  Surroundings around;
  FakeNetwork network;
  around.network = &network;
  network.answer({reply("302 Found", "", "Location: /login\r\n")});
  network.answer({reply("200 OK", "")});
  const auto check = config("follow_redirects: 2");
  const auto seen = http::judge(check, around.run(http::run, check));
  EXPECT_EQ(seen.summary, "200 OK");
  EXPECT_EQ(sample(seen, "redirects"), 1);
  EXPECT_THAT(evidence(seen), ElementsAre("redirected to: http://example.com/login", "address: 192.0.2.7:443"));
}

struct Mistake {
  const char* yaml;
  const char* message;
};

TEST(HttpParse, SaysWhatIsWrongAndWhere) {
  const Mistake mistakes[] = {
      {"url: ftp://example.com/", "test.yaml:1:6: error: the address must begin with http:// or https://"},
      {"{}", "'url'"},
      {"url: http://a/\nmethod: GETT", "test.yaml:2:9"},
      {"url: http://a/\nexpect: { status: 600 }", "expected a status such as 200 or 2xx, found '600'"},
      {"url: http://a/\nexpect: { status: [] }", "expected 1 to 32 statuses"},
      {"url: http://a/\nexpect: { body_matches: '(a' }",
       "test.yaml:2:25: error: 'body_matches': no valid regular expression"},
      {"url: http://a/\nexpect: { json: { status: ok } }",
       "expected a path such as $.status or $.items[0]['name'], found 'status'"},
      {"url: http://a/\nexpect: { json: { $.a: { is: 1 } } }",
       "expected a value, { matches: pattern } or { present: true } for '$.a'"},
      {"url: http://a/\nexpect: { json: { $.a: { matches: '(' } } }",
       "'matches' of '$.a': no valid regular expression"},
      {"url: http://a/\nexpect: { headers: { 'X A': b } }", "'X A' is no name of a header"},
      {"url: http://a/\nheaders: { 'X: A': b }", "'X: A' is no name of a header"},
      {"url: http://a/\nevidence: [ cookie ]", "expected json:PATH or header:NAME, found 'cookie'"},
      {"url: http://a/\nmax_body: 1GiB", "'max_body' can be 16MiB at most"},
      {"url: http://a/\nauth: { bearer: { env: A }, basic: { user: a, password: { env: B } } }", "exclude each other"},
      {"url: http://a/\nauth: { basic: { user: 'a:b', password: { env: B } } }", "cannot hold a colon"},
      {"url: http://a/\nexpects: {}", "did you mean 'expect'"},
  };
  for (const auto& each : mistakes)
    EXPECT_THAT(parse_yaml(http::parse, each.yaml).problems, HasSubstr(each.message)) << each.yaml;
}

TEST(HttpParse, APlainPasswordNeverStandsInAMessage) {
  EXPECT_THAT(parse_yaml(http::parse, "url: http://u:hunter2@a/").problems, Not(HasSubstr("hunter2")));
  EXPECT_THAT(parse_yaml(http::parse, "url: http://a/\nauth: { bearer: hunter2, bearre: x }").problems,
              Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace vitald::probes
