#include "probes/nginx.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using vitald::testing::fails_at_every_step;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Script;
using vitald::testing::ScriptedNetwork;
using vitald::testing::Surroundings;

const std::string page =
    "Active connections: 291 \nserver accepts handled requests\n 16630948 16630946 31070465 \n"
    "Reading: 6 Writing: 179 Waiting: 106 \n";

nginx::Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(nginx::parse, "url: http://127.0.0.1/nginx_status\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string http(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nServer: nginx/1.22.1\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

Observation look(const nginx::Config& check, const std::string& answer) {
  FakeNetwork network;
  network.answer({answer});
  Surroundings around;
  around.network = &network;
  return nginx::judge(check, around.run(nginx::run, check));
}

double value(const Observation& seen, std::string_view name) {
  for (const Sample& sample : seen.samples)
    if (sample.name == name) return sample.value;
  return -1;
}

TEST(NginxPage, IsReadWithWhatAForkAdds) {
  ASSERT_TRUE(nginx::parse_page(page));
  EXPECT_EQ(nginx::parse_page(page)->requests, 31070465);
  const auto tengine = nginx::parse_page(
      "Active connections: 1 \r\nserver accepts handled requests request_time\r\n 4 3 5 1000\r\n"
      "Reading: 0 Writing: 1 Waiting: 0 \r\n");
  ASSERT_TRUE(tengine);
  EXPECT_EQ(tengine->handled, 3);
  EXPECT_EQ(tengine->writing, 1);
}

TEST(NginxPage, IsWholeOrNone) {
  for (std::size_t size = 0; size < page.size() - 4; ++size)
    EXPECT_FALSE(nginx::parse_page(page.substr(0, size))) << size;
  EXPECT_FALSE(nginx::parse_page("Active connections: many"));
  EXPECT_FALSE(
      nginx::parse_page("Active connections: 1 \nserver accepts handled requests\n 1 2 3 \n"
                        "Reading: 0 Writing: 1 Waiting: 0 \n"))
      << "more handled than accepted";
  EXPECT_FALSE(nginx::parse_page("Active connections: 99999999999999999999"));
}

TEST(NginxParse, TakesAUrlOrASocketAndItsHost) {
  EXPECT_EQ(config().request.url.path, "/nginx_status");
  EXPECT_EQ(config("unix_socket: /run/nginx.sock").target(), "/run/nginx.sock");
  EXPECT_EQ(config().target(), "127.0.0.1");
  EXPECT_EQ(config("max_connections: 1024").max_connections, 1024);
  EXPECT_THAT(parse_yaml(nginx::parse, "{}").problems, HasSubstr("'url'"));
  EXPECT_THAT(parse_yaml(nginx::parse, "url: nginx_status").problems, HasSubstr("test.yaml:1:6"));
  EXPECT_THAT(parse_yaml(nginx::parse, "url: http://a/\nmax_connections: 0").problems, HasSubstr("max_connections"));
  EXPECT_THAT(parse_yaml(nginx::parse, "url: https://a/\ntls: { client_key: x }").problems, HasSubstr("go together"));
  EXPECT_THAT(parse_yaml(nginx::parse, "url: http://a/\nurls: x").problems, HasSubstr("urls"));
}

TEST(NginxJudge, SaysWhatGoesOn) {
  const auto seen = look(config("max_connections: 1024"), http("200 OK", page));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "291 connections: 6 reading, 179 writing, 106 waiting");
  EXPECT_EQ(value(seen, "active"), 291);
  EXPECT_EQ(seen.samples.at(0).maximum, 1024);
  EXPECT_EQ(value(seen, "reading"), 6);
  EXPECT_EQ(value(seen, "writing"), 179);
  EXPECT_EQ(value(seen, "waiting"), 106);
  EXPECT_EQ(value(seen, "accepts"), 16630948);
  EXPECT_EQ(value(seen, "handled"), 16630946);
  EXPECT_EQ(value(seen, "dropped"), 2);
  EXPECT_EQ(value(seen, "requests"), 31070465);
  EXPECT_EQ(seen.evidence.at(0).text, "192.0.2.7:443, nginx/1.22.1");
  EXPECT_FALSE(look(config(), http("200 OK", page)).samples.at(0).maximum);
}

TEST(NginxJudge, WithoutThePageNothingIsMeasured) {
  for (const auto* status : {"404 Not Found", "403 Forbidden", "401 Unauthorized", "301 Moved Permanently"}) {
    const auto seen = look(config(), http(status, "<html>"));
    EXPECT_EQ(seen.outcome, Outcome::unmeasured) << status;
    EXPECT_EQ(seen.reason, "no_status_page") << status;
    EXPECT_EQ(seen.summary, std::string(status) + " instead of the figures of stub_status");
    EXPECT_THAT(seen.remedy, HasSubstr("location = /nginx_status { stub_status; allow 127.0.0.1;"));
    EXPECT_TRUE(seen.samples.empty());
  }
  const auto other = look(config(), http("200 OK", "<html>welcome to nginx</html>"));
  EXPECT_EQ(other.outcome, Outcome::unmeasured);
  EXPECT_EQ(other.summary, "the answer is not the page of stub_status");
  EXPECT_EQ(other.evidence.at(1).text, "<html>welcome to nginx</html>");
}

TEST(NginxJudge, AServerInTroubleIsWrong) {
  const auto seen = look(config(), http("500 Internal Server Error", ""));
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "wrong_status");
  EXPECT_EQ(seen.summary, "500 Internal Server Error instead of the figures of stub_status");
}

TEST(NginxRun, ReadsNoMoreThanAPage) {
  const auto seen = look(config(), http("200 OK", std::string(1 << 20, 'x') + page));
  EXPECT_EQ(seen.reason, "no_status_page");
}

TEST(NginxRun, FailsAtEveryStep) {
  const auto steps = fails_at_every_step({Script().expect_something().reply_in_pieces(http("200 OK", page), 50)},
                                         [](ScriptedNetwork& network) -> awaitable<void> {
                                           static const auto check = config();
                                           Surroundings around;
                                           around.network = &network;
                                           auto context = around.context();
                                           co_await nginx::run(context, check);
                                         });
  EXPECT_GT(steps, 4);
}

}  // namespace
}  // namespace vitald::probes
