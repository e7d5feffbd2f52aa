// Pings on their way in: the route, the request's codec, and the small rules around them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/admin_http.hpp"
#include "daemon/hearing.hpp"
#include "daemon/ping_budget.hpp"
#include "daemon/ping_route.hpp"
#include "tests/support/fake_operations.hpp"
#include "tests/support/served.hpp"

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;
using probes::Ping;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// A listener whose daemon knows one check, `backup`, and notes its pings.
struct Pinged : testing::Test {
  Pinged() {
    daemon.add(row("backup"));
    AdminSettings settings;
    settings.port = 0;
    auto opened = loop.on_loop([&] { return AdminHttp::open(loop.executor(), settings, daemon); });
    EXPECT_TRUE(opened);
    http = std::move(*opened);
  }
  ~Pinged() override {
    loop.on_loop([&] {
      http.reset();
      return 0;
    });
  }

  std::string raw(const std::string& bytes) {
    Client client = Client::tcp(http->port());
    client.send(bytes);
    client.finish_sending();
    return client.read_all();
  }
  std::string ask(const std::string& path, const std::string& method = "GET", const std::string& header = "",
                  const std::string& body = "") {
    return raw(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header +
               (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" + body);
  }
  /// What came of one request.
  Ping one() {
    return loop.on_loop([&] {
      EXPECT_EQ(daemon.pinged.size(), 1U);
      Ping ping = daemon.pinged.empty() ? Ping{} : daemon.pinged.back().second;
      daemon.pinged.clear();
      return ping;
    });
  }
  std::size_t count() {
    return loop.on_loop([&] { return daemon.pinged.size(); });
  }

  FakeOperations daemon;
  LoopThread loop;
  std::unique_ptr<AdminHttp> http;
};

TEST_F(Pinged, TellsSuccessStartFailureAndExitCodesApart) {
  EXPECT_THAT(ask("/ping/backup"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(one().kind, Ping::Kind::success);
  EXPECT_THAT(ask("/ping/backup", "HEAD"), EndsWith("\r\n\r\n"));
  EXPECT_EQ(one().kind, Ping::Kind::success);
  EXPECT_THAT(ask("/ping/backup", "POST"), EndsWith("\r\n\r\nok\n"));
  EXPECT_EQ(one().kind, Ping::Kind::success);
  ask("/ping/backup/start");
  EXPECT_EQ(one().kind, Ping::Kind::start);
  ask("/ping/backup/fail");
  const Ping failed = one();
  EXPECT_EQ(failed.kind, Ping::Kind::failure);
  EXPECT_FALSE(failed.exit_code);
  ask("/ping/backup/0");
  EXPECT_EQ(one().kind, Ping::Kind::success);
  ask("/ping/backup/255");
  const Ping code = one();
  EXPECT_EQ(code.kind, Ping::Kind::failure);
  EXPECT_EQ(code.exit_code, 255);
}

TEST_F(Pinged, RefusesOtherPathsAndMethods) {
  for (const char* path : {"/ping/", "/ping//start", "/ping/backup/", "/ping/backup/256", "/ping/backup/-1",
                           "/ping/backup/1x", "/ping/backup/done", "/ping/backup/start/x"}) {
    EXPECT_THAT(ask(path), StartsWith("HTTP/1.1 404 Not Found\r\n")) << path;
  }
  EXPECT_THAT(ask("/ping/backup/1x"), EndsWith("behind it.\n"));
  EXPECT_THAT(ask("/ping"), HasSubstr("There is nothing here"));
  EXPECT_THAT(ask("/ping/<check>"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(ask("/ping/nothing"), EndsWith("no check is named 'nothing'\n"));
  const std::string put = ask("/ping/backup", "PUT");
  EXPECT_THAT(put, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(put, HasSubstr("\r\nAllow: GET, HEAD, POST\r\n"));
  EXPECT_EQ(count(), 0U);
}

TEST_F(Pinged, ChecksTheHostBeforeAnythingElse) {
  EXPECT_THAT(raw("GET /ping/backup HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 421 "));
  EXPECT_THAT(ask("/ping/backup/fail", "GET", "Sec-Fetch-Site: cross-site\r\n"), StartsWith("HTTP/1.1 403 "));
  EXPECT_EQ(count(), 0U);
  ask("/ping/backup", "GET", "Sec-Fetch-Site: none\r\n");
  EXPECT_EQ(count(), 1U);
}

TEST_F(Pinged, TakesTheTokenFromThreePlaces) {
  ask("/ping/backup?token=a%20b");
  EXPECT_EQ(one().token, "a b");
  ask("/ping/backup", "GET", "Authorization: Bearer s3cret\r\n");
  EXPECT_EQ(one().token, "s3cret");
  ask("/ping/backup", "GET", "X-Token: s3cret\r\n");
  EXPECT_EQ(one().token, "s3cret");
  ask("/ping/backup", "GET", "Authorization: Basic s3cret\r\n");
  EXPECT_EQ(one().token, "");
}

TEST_F(Pinged, KeepsTheEndOfABody) {
  ask("/ping/backup/1", "POST", "", "copying\nno space left\n");
  EXPECT_EQ(one().output, "copying\nno space left\n");
  ask("/ping/backup", "POST", "", std::string(500'000, 'a') + "the end");
  const std::string kept = one().output;
  EXPECT_EQ(kept.size(), HttpDecoder::most_body_kept);
  EXPECT_THAT(kept, EndsWith("aaathe end"));
  raw("POST /ping/backup HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n");
  EXPECT_EQ(one().output, "abcdef");
}

TEST_F(Pinged, RefusesABodyThatIsTooLongOrInTheWrongPlace) {
  EXPECT_THAT(ask("/ping/backup", "POST", "", std::string(HttpDecoder::most_body_bytes + 1, 'a')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("/metrics", "POST", "", "x"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("/ping/backup", "GET", "", "x"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(raw("POST /ping/backup HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\nx"),
              StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(raw("POST /ping/backup HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_EQ(count(), 0U);
}

TEST_F(Pinged, TakesSeveralOnOneConnection) {
  Client client = Client::tcp(http->port());
  const std::string first = "POST /ping/backup/start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
  const std::string second = "POST /ping/backup/7 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nde";
  client.send(first + second);
  EXPECT_THAT(client.read_until("ok\n"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_THAT(client.read_until("ok\n"), StartsWith("HTTP/1.1 200 OK"));
  loop.on_loop([&] {
    EXPECT_EQ(daemon.pinged.size(), 2U);
    EXPECT_EQ(daemon.pinged[0].second.output, "abc");
    EXPECT_EQ(daemon.pinged[1].second.output, "de");
    EXPECT_EQ(daemon.pinged[1].second.exit_code, 7);
    return 0;
  });
}

TEST_F(Pinged, SaysWhenAnotherTryIsWorthIt) {
  loop.on_loop([&] {
    daemon.ping_reply = {503, "the state cannot be saved now", 5};
    return 0;
  });
  const std::string answer = ask("/ping/backup");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nRetry-After: 5\r\n"));
  EXPECT_THAT(answer, EndsWith("the state cannot be saved now\n"));
}

TEST(PingBudget, BoundsAFloodAndRefills) {
  PingBudget budget;
  const Steady start{1h};
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += budget.take("backup", start) ? 1 : 0;
  EXPECT_EQ(taken, 60);
  EXPECT_TRUE(budget.take("another", start)) << "each check has its own";
  EXPECT_FALSE(budget.take("backup", start + 499ms));
  EXPECT_TRUE(budget.take("backup", start + 500ms));
  EXPECT_FALSE(budget.take("backup", start + 500ms));
  taken = 0;
  for (int i = 0; i < 1000; ++i) taken += budget.take("backup", start + 24h) ? 1 : 0;
  EXPECT_EQ(taken, 60) << "a day's rest saves up no more";
}

TEST(Hearing, BeginsAnewWhenTheClockIsSetOrTheHostSlept) {
  const Now start{Steady{1h}, Wall{1000h}};
  Hearing hearing(start);
  const auto at = [&](Duration steady, Duration wall) {
    return hearing.since({start.steady + steady, start.wall + wall});
  };
  EXPECT_EQ(at(10h, 10h), start.wall);
  EXPECT_EQ(at(11h, 11h + 2s), start.wall) << "a small correction";
  EXPECT_EQ(at(12h, 12h + 4s), start.wall) << "and another";
  EXPECT_EQ(at(12h + 1s, 14h), start.wall + 14h) << "the host slept";
  EXPECT_EQ(at(13h, 14h + 59min + 59s), start.wall + 14h);
  EXPECT_EQ(at(13h, 2h), start.wall + 2h) << "set back";
}

}  // namespace
}  // namespace vitald::daemon
