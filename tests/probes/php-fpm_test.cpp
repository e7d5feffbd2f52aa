#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probes/php_fpm.hpp"
#include "tests/support/fake_network.hpp"
#include "tests/support/fastcgi_records.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::probes {
namespace {

namespace fastcgi = vitald::testing::fastcgi;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using vitald::testing::fails_at_every_step;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Script;
using vitald::testing::ScriptedNetwork;
using vitald::testing::Surroundings;

php_fpm::Config config(const std::string& yaml = "socket: /run/php/php-fpm.sock") {
  const auto parsed = parse_yaml(php_fpm::parse, yaml);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

std::string problems(const std::string& yaml) { return parse_yaml(php_fpm::parse, yaml).problems; }

// As php-fpm 8.2 says it, but for the numbers.
std::string page(const std::string& manager = "dynamic", int active = 3, const std::string& workers = "") {
  return R"({"pool":"www","process manager":")" + manager +
         R"(","start time":1795885047,"start since":300,"accepted conn":120,"listen queue":2,"max listen queue":5,)"
         R"("listen queue len":511,"idle processes":1,"active processes":)" +
         std::to_string(active) +
         R"(,"total processes":4,"max active processes":4,"max children reached":1,"slow requests":7)"
         R"(, "processes":[)" +
         workers + "]}";
}

std::string worker(const std::string& state, int microseconds, const std::string& uri) {
  return R"({"pid":22007,"state":")" + state + R"(","start time":1,"start since":3,"requests":2,"request duration":)" +
         std::to_string(microseconds) + R"(,"request method":"GET","request uri":")" + uri +
         R"(","content length":0,"user":"-","script":"/srv/index.php",)"
         R"("last request cpu":0.00,"last request memory":0})";
}

std::string reply(const std::string& body, const std::string& head = "Content-Type: application/json\r\n\r\n") {
  return fastcgi::output(head + body, 3) + fastcgi::end();
}

Observation look(const php_fpm::Config& check, const std::string& answer) {
  FakeNetwork network;
  network.answer({answer});
  Surroundings around;
  around.network = &network;
  return php_fpm::judge(check, around.run(php_fpm::run, check));
}

ProbeFailure failure(const php_fpm::Config& check, const std::vector<std::string>& pieces) {
  FakeNetwork network;
  network.answer(pieces);
  Surroundings around;
  around.network = &network;
  try {
    around.run(php_fpm::run, check);
  } catch (const ProbeFailure& thrown) {
    return thrown;
  }
  return ProbeFailure(Outcome::answered, "none", "");
}

std::optional<double> value(const Observation& seen, std::string_view name) {
  for (const Sample& sample : seen.samples)
    if (sample.name == name) return sample.value;
  return std::nullopt;
}

std::string evidence(const Observation& seen, std::string_view label) {
  for (const auto& each : seen.evidence)
    if (each.label == label) return each.text;
  return "";
}

TEST(PhpFpmParse, TakesASocketAnAddressOrAUrl) {
  EXPECT_EQ(config().where.unix_path, "/run/php/php-fpm.sock");
  EXPECT_EQ(config().status_path, "/status");
  EXPECT_EQ(config("address: '127.0.0.1:9000'\nstatus_path: /fpm").where.port, 9000);
  const auto by_url = config("url: 'https://web/fpm?html'\ntls: { server_name: a.b }");
  EXPECT_EQ(by_url.page->url.path, "/fpm?json&full");
  EXPECT_EQ(by_url.page->tls.server_name, "a.b");
  EXPECT_EQ(by_url.target(), "web");
  EXPECT_EQ(config("socket: /x\nmax_children: 50").max_children, 50);
}

TEST(PhpFpmParse, TellsWhatDoesNotFit) {
  EXPECT_THAT(problems("max_children: 5"), HasSubstr("needs one of 'socket', 'address' and 'url'"));
  EXPECT_THAT(problems("socket: /x\naddress: a:1"), HasSubstr("needs one of"));
  EXPECT_THAT(problems("socket: /x\nstatus_path: status"), HasSubstr("test.yaml:2:14: error: 'status_path' begins"));
  EXPECT_THAT(problems("url: http://a/status\nstatus_path: /x"), HasSubstr("'url' holds the path already"));
  EXPECT_THAT(problems("url: ftp://a/status"), HasSubstr("test.yaml:1:6"));
  EXPECT_THAT(problems("socket: /x\ntls: { insecure: false }"), HasSubstr("'tls' is for an https 'url'"));
  EXPECT_THAT(problems("socket: /x\nmax_children: 0"), HasSubstr("max_children"));
  EXPECT_THAT(problems("socket: /x\nmax_childen: 5"), HasSubstr("max_children"));
}

TEST(PhpFpmRun, AsksThePoolForItsPage) {
  FakeNetwork network;
  network.answer({reply(page())});
  Surroundings around;
  around.network = &network;
  const auto check = config("address: 'fpm:9000'\nstatus_path: /fpm-status");
  around.run(php_fpm::run, check);
  EXPECT_EQ(network.targets.at(0).text(), "fpm:9000");
  EXPECT_THAT(network.sent, HasSubstr("SCRIPT_NAME/fpm-status"));
  EXPECT_THAT(network.sent, HasSubstr("SCRIPT_FILENAME/fpm-status"));
  EXPECT_THAT(network.sent, HasSubstr("QUERY_STRINGjson&full"));
}

TEST(PhpFpmJudge, SaysHowManyWorkersAreBusy) {
  const auto seen = look(config("socket: /x\nmax_children: 50"), reply(page()));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "3 of 50 workers busy, 2 connections waiting");
  EXPECT_DOUBLE_EQ(*value(seen, "used"), 0.06);
  EXPECT_EQ(value(seen, "active"), 3);
  EXPECT_EQ(seen.samples.at(1).maximum, 50);
  EXPECT_EQ(value(seen, "idle"), 1);
  EXPECT_EQ(value(seen, "workers"), 4);
  EXPECT_EQ(value(seen, "max_active"), 4);
  EXPECT_EQ(value(seen, "listen_queue"), 2);
  EXPECT_EQ(value(seen, "max_children_reached"), 1);
  EXPECT_EQ(value(seen, "slow_requests"), 7);
  EXPECT_EQ(value(seen, "accepted"), 120);
  EXPECT_EQ(value(seen, "uptime"), 300);
  EXPECT_EQ(evidence(seen, "pool"), "www (dynamic), 3 of 50 workers busy, 2 connections waiting, 1 idle");
}

TEST(PhpFpmJudge, TheMostOfADynamicPoolIsNotGuessed) {
  const auto dynamic = look(config(), reply(page()));
  EXPECT_FALSE(value(dynamic, "used"));
  EXPECT_FALSE(dynamic.samples.at(0).maximum);
  EXPECT_THAT(dynamic.summary, StartsWith("3 of 4 started workers busy"));
  EXPECT_DOUBLE_EQ(*value(look(config(), reply(page("static"))), "used"), 0.75);
}

TEST(PhpFpmJudge, APoolOfOneIsNotFullOfOurQuestion) {
  EXPECT_FALSE(value(look(config("socket: /x\nmax_children: 1"), reply(page())), "used"));
}

TEST(PhpFpmJudge, TellsOfAMaximumThatCannotBe) {
  EXPECT_EQ(evidence(look(config("socket: /x\nmax_children: 3"), reply(page())), "max_children"),
            "the check says 3, but 4 workers run");
}

TEST(PhpFpmJudge, TheQueueOfAUnixSocketIsNotMeasured) {
  std::string of_unix = page();
  of_unix.replace(of_unix.find("len\":511"), 8, "len\":0");
  EXPECT_FALSE(value(look(config(), reply(of_unix)), "listen_queue"));
}

TEST(PhpFpmJudge, ShowsTheLongestRequestsWithoutTheirQueries) {
  const auto workers = worker("Idle", 90'000'000, "/idle") + "," +
                       worker("Running", 34'000'000, "/report?token=s3cret") + "," +
                       worker("Running", 271, "/status?json&full") + "," + worker("Running", 61'000'000, "/export");
  const auto seen = look(config(), reply(page("dynamic", 3, workers)));
  EXPECT_EQ(evidence(seen, "longest requests"),
            "1 min 1 s GET /export (/srv/index.php)\n34 s GET /report (/srv/index.php)");

  std::string many;
  for (int i = 1; i <= 20; ++i) many += (i == 1 ? "" : ",") + worker("Running", i * 1'000'000, "/" + std::to_string(i));
  const auto shown = evidence(look(config(), reply(page("dynamic", 3, many))), "longest requests");
  EXPECT_THAT(shown, StartsWith("20 s GET /20 "));
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 4);
}

TEST(PhpFpmJudge, FiguresAreGoodWhateverBecomesOfTheWorkers) {
  for (const auto* rest :
       {R"({"pid":1,"request uri":"/a"b"})", "{\"pid\":", R"({"state":{"deep":[[[[[[[[1]]]]]]]]}})"}) {
    const auto seen = look(config(), reply(page("static", 2, rest)));
    EXPECT_EQ(seen.outcome, Outcome::answered) << rest;
    EXPECT_EQ(value(seen, "active"), 2) << rest;
  }
}

TEST(PhpFpmRun, ALargePageIsReadOnAWorker) {
  std::string many;
  for (int i = 1; i <= 300; ++i)
    many += (i == 1 ? "" : ",") + worker("Running", i * 1'000'000, "/" + std::to_string(i));
  const auto body = page("dynamic", 3, many);
  ASSERT_GT(body.size(), 64u * 1024);
  std::string records;
  for (std::size_t at = 0; at < body.size(); at += 60'000) records += fastcgi::output(body.substr(at, 60'000));
  FakeNetwork network;
  network.answer({fastcgi::output("A: b\r\n\r\n") + records + fastcgi::end()});
  Surroundings around;
  around.network = &network;
  const auto facts = around.run(php_fpm::run, config());
  EXPECT_THAT(around.workers.keys, ::testing::ElementsAre("status page of /run/php/php-fpm.sock"));
  EXPECT_EQ(facts.page->requests.at(0).seconds, 300);
}

TEST(PhpFpmJudge, APoolWithoutAStatusPageIsNotItsFault) {
  const auto missing = fastcgi::errors("Primary script unknown") +
                       reply("File not found.\n", "Status: 404 Not Found\r\nContent-type: text/html\r\n\r\n");
  const auto seen = look(config(), missing);
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "no_status_page");
  EXPECT_EQ(seen.summary, "php-fpm answers, but /status is not its status page (404 Not Found)");
  EXPECT_THAT(seen.remedy, HasSubstr("pm.status_path = /status"));
  EXPECT_EQ(evidence(seen, "php-fpm said"), "Primary script unknown");
  EXPECT_EQ(look(config(), reply("Access denied.\n", "Status: 403 Forbidden\r\n\r\n")).reason, "no_status_page");
  EXPECT_EQ(look(config(), reply("pong")).summary, "php-fpm answers, but /status shows something else");
  EXPECT_EQ(look(config(), reply("", "Status: 500 Oops\r\n\r\n")).reason, "wrong_status");
  EXPECT_EQ(look(config(), reply(R"({"pool":"www"})")).reason, "no_status_page");
}

TEST(PhpFpmRun, TellsWhatIsNoPhpFpm) {
  const auto of_http = failure(config(), {"HTTP/1.1 400 Bad Request\r\n\r\n"});
  EXPECT_EQ(of_http.reason, "bad_reply");
  EXPECT_THAT(of_http.what(), HasSubstr("speaks no FastCGI: a record begins with the byte 72"));
  EXPECT_EQ(failure(config(), {fastcgi::end(2)}).reason, "overloaded");
  EXPECT_THAT(failure(config(), {fastcgi::end(3)}).what(), HasSubstr("no FastCGI responder"));
  EXPECT_THAT(failure(config(), {fastcgi::output("no header\n\n") + fastcgi::end()}).what(), HasSubstr("none of CGI"));
  EXPECT_THAT(failure(config(), std::vector<std::string>(50, fastcgi::output(std::string(65'000, 'x')))).what(),
              HasSubstr("more than 524288 bytes"));
}

TEST(PhpFpmRun, TellsAnAnswerThatBreaksOff) {
  EXPECT_EQ(failure(config(), {}).outcome, Outcome::refused);
  EXPECT_STREQ(failure(config(), {}).what(), "php-fpm closed the connection without an answer");
  EXPECT_EQ(failure(config(), {}).remedy, "");
  EXPECT_THAT(failure(config("address: a:1"), {}).remedy, HasSubstr("listen.allowed_clients"));
  EXPECT_STREQ(failure(config(), {"\1\6"}).what(), "php-fpm closed the connection within its answer");
}

TEST(PhpFpmRun, FailsAtEveryStep) {
  const auto steps = fails_at_every_step({Script().expect_something().reply_in_pieces(reply(page()), 50)},
                                         [](ScriptedNetwork& network) -> awaitable<void> {
                                           static const auto check = config();
                                           Surroundings around;
                                           around.network = &network;
                                           auto context = around.context();
                                           co_await php_fpm::run(context, check);
                                         });
  EXPECT_GT(steps, 4);
}

TEST(PhpFpmByUrl, ReadsTheSamePage) {
  const auto check = config("url: 'http://web/fpm'\nmax_children: 4");
  const auto http = [](const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  EXPECT_DOUBLE_EQ(*value(look(check, http("200 OK", page())), "used"), 0.75);
  const auto gateway = look(check, http("502 Bad Gateway", "<html>"));
  EXPECT_EQ(gateway.outcome, Outcome::wrong);
  EXPECT_EQ(gateway.reason, "bad_gateway");
  EXPECT_EQ(gateway.summary, "502 Bad Gateway: the web server gets no answer from php-fpm");
  EXPECT_EQ(look(check, http("500 Internal Server Error", "")).reason, "wrong_status");
  for (const auto* status : {"404 Not Found", "403 Forbidden", "301 Moved Permanently", "200 OK"}) {
    const auto seen = look(check, http(status, "<html>a front page</html>"));
    EXPECT_EQ(seen.outcome, Outcome::unmeasured) << status;
    EXPECT_EQ(seen.reason, "no_status_page") << status;
    EXPECT_THAT(seen.remedy, HasSubstr("pm.status_path = /fpm")) << status;
  }
}

}  // namespace
}  // namespace vitald::probes
