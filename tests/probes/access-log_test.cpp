#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "probes/access_log.hpp"
#include "probes/access_window.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

std::string problems(const std::string& yaml) { return parse_yaml(access_log::parse, yaml).problems; }

TEST(AccessLogParse, TakesAll) {
  const auto parsed =
      parse_yaml(access_log::parse,
                 "{ file: /var/log/nginx/access.log, format: json, window: 10m, at_least: 1000, error_from: 400,"
                 " ignore: /health, fields: { status: $.response.status, request_time: took } }");
  EXPECT_EQ(parsed.problems, "");
  EXPECT_EQ(parsed.config.error_from, 400);
  EXPECT_EQ(parsed.config.window, std::chrono::minutes(10));
  EXPECT_EQ(parse_yaml(access_log::parse, "file: /a").config.format.text(), "combined");
}

TEST(AccessLogParse, SaysWhatDoesNotFit) {
  EXPECT_THAT(problems("{}"), HasSubstr("file"));
  EXPECT_THAT(problems("{ file: /a, format: jason }"), HasSubstr("(?P<status>"));
  EXPECT_THAT(problems("{ file: /a, format: '(?P<status>' }"), HasSubstr("no valid regular expression"));
  EXPECT_THAT(problems("{ file: /a, fields: { status: x } }"), HasSubstr("only lines of the format json"));
  EXPECT_THAT(problems("{ file: /a, format: json, fields: { status: '$[' } }"), HasSubstr("expected a path such as"));
  EXPECT_THAT(problems("{ file: /a, window: 1s }"), HasSubstr("window"));
  EXPECT_THAT(problems("{ file: /a, error_from: 200 }"), HasSubstr("error_from"));
  EXPECT_THAT(problems("{ file: /a, at_least: 0 }"), HasSubstr("at_least"));
}

std::string shown(const std::string& format, const std::string& line) {
  const auto read = AccessFormat::parse(format)->read(line);
  if (!read) return "none";
  return std::to_string(read->status) + " " + read->request +
         (read->seconds ? " " + std::to_string(static_cast<int>(*read->seconds * 1000 + 0.5)) + " ms" : "");
}

TEST(AccessLine, Combined) {
  EXPECT_EQ(shown("combined",
                  R"(192.0.2.7 - - [28/Nov/2026:02:13:41 +0000] "GET /a/b?token=secret HTTP/1.1" 502 157 "-" "curl")"),
            "502 GET /a/b");
  EXPECT_EQ(shown("combined", R"(::1 - bob [28/Nov/2026:02:13:41 +0000] "GET /a\"b HTTP/2.0" 200 1 "-" "x" 0.003)"),
            R"(200 GET /a\"b)");
  EXPECT_EQ(shown("combined", R"(192.0.2.7 - - [28/Nov/2026:02:13:41 +0000] "" 400 0 "-" "-")"), "400 ");
  EXPECT_EQ(shown("combined", R"(192.0.2.7 - - [28/Nov/2026:02:13:41 +0000] "\x16\x03\x01" 400 157 "-" "-")"),
            R"(400 \x16\x03\x01)");
  for (const auto* line :
       {"", "hello", R"(1.2.3.4 - - [x] "GET / HTTP/1.1" 999 1)", R"(1.2.3.4 - - [x] "GET / HTTP/1.1)",
        R"(1.2.3.4 - - [x] "GET / HTTP/1.1" 20 1)", R"({"status":200})"}) {
    EXPECT_EQ(shown("combined", line), "none") << line;
  }
}

TEST(AccessLine, Json) {
  EXPECT_EQ(shown("json", R"({"status":"200","request_time":"0.250","request_method":"GET","request_uri":"/a?b=c#d"})"),
            "200 GET /a 250 ms");
  EXPECT_EQ(shown("json", R"({"status":404,"request_time":1.5})"), "404  1500 ms");
  EXPECT_EQ(shown("json", R"({"status":404,"request_time":"-"})"), "404 ");
  for (const auto* line : {"{}", R"({"status":null})", R"({"status":"abc"})", R"({"status":200)", "[]", "200"}) {
    EXPECT_EQ(shown("json", line), "none") << line;
  }
}

TEST(AccessLine, Pattern) {
  const std::string format = R"re(^\S+ (?P<status>\d{3}) (?P<request_time>[\d., -]+) "(?P<request>[^"]*)")re";
  EXPECT_EQ(shown(format, R"(host 503 0.001, 0.020 "GET /a?b HTTP/1.1")"), "503 GET /a 20 ms");
  EXPECT_EQ(shown(format, R"(host 200 - "GET /a HTTP/1.1")"), "200 GET /a");
  EXPECT_EQ(shown(R"((?P<method>\w+) (?P<path>\S+) (?P<status>\d+))", "GET /a?b 201"), "201 GET /a");
  EXPECT_EQ(shown(format, "something else"), "none");
}

TEST(AccessWindow, ForgetsWhatIsOld) {
  const Duration length = std::chrono::minutes(5);
  Wall now{std::chrono::hours(500'000)};
  Remembered memory;
  AccessWindow first(memory, length, now);
  for (int i = 0; i < 100; ++i) first.add({.status = 200, .seconds = i < 95 ? 0.1 : 2.0, .request = ""}, i >= 98);
  first.write(memory);
  AccessWindow second(Remembered::read(memory.written()), length, now + std::chrono::minutes(4));
  second.add({.status = 200, .seconds = {}, .request = ""}, false);
  EXPECT_EQ(second.requests(), 101u);
  EXPECT_EQ(second.errors(), 2u);
  EXPECT_NEAR(*second.quantile(0.5), 0.1, 0.008);
  EXPECT_NEAR(*second.quantile(0.99), 2.0, 0.16);
  Remembered later;
  second.write(later);
  EXPECT_EQ(AccessWindow(later, length, now + std::chrono::minutes(6)).requests(), 1u);
  EXPECT_EQ(AccessWindow(later, length, now - std::chrono::hours(1)).requests(), 0u);  // a clock that was set back
  EXPECT_EQ(AccessWindow(later, 2 * length, now + std::chrono::minutes(4)).requests(), 0u);
  EXPECT_FALSE(AccessWindow(Remembered(), length, now).quantile(0.5));
}

TEST(AccessWindow, HoldsAnyLatencyAndStaysSmall) {
  const Wall now{std::chrono::hours(500'000)};
  Remembered memory;
  for (int step = 0; step < 25; ++step) {
    AccessWindow window(memory, std::chrono::minutes(5), now + step * std::chrono::seconds(15));
    for (double seconds = 0; seconds < 1e8; seconds = seconds * 1.1 + 0.0001)
      for (int i = 0; i < 3; ++i) window.add({.status = 200, .seconds = seconds, .request = ""}, false);
    memory = Remembered();
    window.write(memory);
  }
  EXPECT_LT(memory.written().size(), 30'000u);
}

class AccessLogRun : public ::testing::Test {
 protected:
  AccessLogRun() { around.clock.at.wall = std::chrono::system_clock::now() + std::chrono::minutes(1); }

  Observation run(const std::string& yaml = "{ file: /access.log, at_least: 10, missing: ok }") {
    const auto parsed = parse_yaml(access_log::parse, yaml);
    EXPECT_EQ(parsed.problems, "");
    auto seen = access_log::judge(parsed.config, around.run(access_log::run, parsed.config));
    if (seen.memory) around.memory = *seen.memory;
    return seen;
  }
  void request(int status, const std::string& path, int times = 1) {
    std::ofstream log(around.folder.path() + "/access.log", std::ios::app);
    for (int i = 0; i < times; ++i)
      log << R"(192.0.2.7 - - [28/Nov/2026:02:13:41 +0000] "GET )" << path << R"( HTTP/1.1" )" << status
          << " 1 \"-\" \"-\"\n";
  }
  static double value(const Observation& seen, std::string_view name, const std::string& label = "") {
    for (const Sample& sample : seen.samples) {
      if (sample.name == name && (label.empty() || sample.labels.at(0).second == label)) return sample.value;
    }
    return -1;
  }

  Surroundings around;
};

TEST_F(AccessLogRun, TellsTheShareThatFailed) {
  run();
  request(200, "/a", 37);
  request(502, "/api/orders/81?token=secret", 2);
  request(500, "/", 1);
  request(404, "/", 10);
  const auto seen = run();
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_DOUBLE_EQ(value(seen, "error_ratio"), 3.0 / 50);
  EXPECT_EQ(value(seen, "responses", "4xx"), 10);
  EXPECT_EQ(value(seen, "responses", "5xx"), 3);
  EXPECT_EQ(value(seen, "requests"), 50);
  EXPECT_EQ(seen.summary, "3 of 50 requests failed in 5 min, most often 502 GET /api/orders/#");
  ASSERT_EQ(seen.evidence.size(), 2u);
  EXPECT_EQ(seen.evidence[0].label, "2 times");
  EXPECT_THAT(around.memory, Not(HasSubstr("secret")));
  request(200, "/a", 50);
  EXPECT_DOUBLE_EQ(value(run(), "error_ratio"), 0.03);
  around.clock.at.wall += std::chrono::minutes(6);
  const auto quiet = run();
  EXPECT_EQ(value(quiet, "error_ratio"), -1);
  EXPECT_EQ(value(quiet, "window_requests"), 0);
  EXPECT_EQ(value(quiet, "requests"), 100);
}

TEST_F(AccessLogRun, FewRequestsAreNotJudged) {
  run();
  request(500, "/", 9);
  EXPECT_EQ(value(run(), "error_ratio"), -1);
  request(500, "/");
  EXPECT_EQ(value(run(), "error_ratio"), 1);
}

TEST_F(AccessLogRun, IgnoredLinesDoNotCount) {
  const std::string check = "{ file: /access.log, ignore: '/health', missing: ok, error_from: 400 }";
  run(check);
  request(500, "/health", 5);
  request(404, "/", 1);
  const auto seen = run(check);
  EXPECT_EQ(value(seen, "requests"), 1);
  EXPECT_EQ(seen.summary, "1 of 1 request failed in 5 min, most often 404 GET /");
}

TEST_F(AccessLogRun, AWrongFormatIsSaid) {
  const std::string check = "{ file: /access.log, format: json, missing: ok }";
  run(check);
  request(200, "/reset?token=secret", 3);
  const auto seen = run(check);
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "wrong_format");
  EXPECT_EQ(seen.summary, "the last 3 lines are not of the format json");
  EXPECT_EQ(value(seen, "unreadable"), 3);
  EXPECT_THAT(seen.evidence.back().text, Not(HasSubstr("secret")));
  EXPECT_EQ(run(check).reason, "wrong_format");  // nothing new does not make it better
  std::ofstream(around.folder.path() + "/access.log", std::ios::app) << R"({"status":200})"
                                                                     << "\n";
  EXPECT_EQ(run(check).outcome, Outcome::answered);
}

TEST_F(AccessLogRun, ALogThatIsNotThereIsUnknown) { EXPECT_EQ(run("file: /access.log").reason, "missing:/access.log"); }

}  // namespace
}  // namespace vitald::probes
