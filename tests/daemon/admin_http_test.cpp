#include "daemon/admin_http.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/admin_routes.hpp"
#include "tests/support/fake_operations.hpp"
#include "tests/support/promtool.hpp"
#include "tests/support/served.hpp"

namespace vitald::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A listener on a free port, with a few checks to show.
struct Listening : testing::Test {
  void open(AdminSettings settings = {}) {
    settings.port = 0;
    settings.host_names = {"web-1"};
    for (int i = 0; i < 100; ++i) daemon.add(row("check-" + std::to_string(i)));
    auto opened = loop.on_loop([&] { return AdminHttp::open(loop.executor(), settings, daemon); });
    ASSERT_TRUE(opened) << opened.failure().sentence();
    http = std::move(*opened);
    port = http->port();
  }
  void TearDown() override {
    if (http)
      loop.on_loop([&] {
        http.reset();
        return 0;
      });
  }

  std::string get(const std::string& path, const std::string& host = "localhost", const std::string& method = "GET") {
    Client client = Client::tcp(port);
    client.send(method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.read_all();
  }
  std::string raw(const std::string& bytes) {
    Client client = Client::tcp(port);
    client.send(bytes);
    client.finish_sending();
    return client.read_all();
  }

  FakeOperations daemon;
  LoopThread loop;
  std::unique_ptr<AdminHttp> http;
  std::uint16_t port = 0;
};

std::string body_of(const std::string& answer) {
  const auto at = answer.find("\r\n\r\n");
  return at == std::string::npos ? "" : answer.substr(at + 4);
}

std::string unchunked(std::string_view body) {
  std::string whole;
  while (!body.empty()) {
    const auto end = body.find("\r\n");
    if (end == std::string_view::npos) break;
    const std::size_t size = std::stoul(std::string(body.substr(0, end)), nullptr, 16);
    whole += body.substr(end + 2, size);
    body.remove_prefix(std::min(body.size(), end + 2 + size + 2));
    if (size == 0) break;
  }
  EXPECT_TRUE(body.empty()) << "bytes after the last chunk";
  return whole;
}

TEST_F(Listening, AnswersEveryRouteWithItsHeaders) {
  open();
  for (const Route& route : admin_routes()) {
    if (route.answer == nullptr) continue;  // pings, which ping_test.cpp knows
    const std::string answer = get(std::string(route.path));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n")) << route.path;
    EXPECT_THAT(answer, HasSubstr("\r\nContent-Security-Policy: default-src 'none'; style-src 'self'"));
    EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nReferrer-Policy: no-referrer\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\nCache-Control: no-store\r\n"));
    EXPECT_FALSE(body_of(answer).empty()) << route.path;
    EXPECT_TRUE(body_of(get(std::string(route.path), "localhost", "HEAD")).empty()) << route.path;
    EXPECT_THAT(get(std::string(route.path), "localhost", "POST"), HasSubstr("405 Method Not Allowed\r\n"));
  }
  EXPECT_EQ(body_of(get("/healthz")), "ok\n");
  EXPECT_THAT(get("/nothing"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(get("/../etc/passwd"), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(Listening, SaysWhetherItIsReady) {
  open();
  EXPECT_EQ(body_of(get("/readyz")), "ready\n");
  loop.on_loop([&] {
    daemon.is_ready = false;
    return 0;
  });
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(get("/readyz"), HasSubstr("not ready: "));
}

TEST_F(Listening, GivesMetricsThatPrometheusReads) {
  open();
  const std::string text = unchunked(body_of(get("/metrics")));
  EXPECT_THAT(text, HasSubstr("vitald_check_status{check=\"check-99\",probe=\"http\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("vitald_build_info{"));
  const std::string old = raw("GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(old, Not(HasSubstr("chunked")));
  EXPECT_THAT(old, HasSubstr("vitald_check_runs_total{check=\"check-99\",probe=\"http\"} 7\n"));
  const auto verdict = promtool(text);
  if (verdict) {
    EXPECT_EQ(verdict->exit, 0) << verdict->says;
  }
}

TEST_F(Listening, GivesTheApi) {
  open();
  const auto all = nlohmann::json::parse(unchunked(body_of(get("/api/v1/checks"))));
  EXPECT_EQ(all["checks"].size(), 100u);
  const auto one = nlohmann::json::parse(unchunked(body_of(get("/api/v1/checks?x=1&check=check%2D42"))));
  ASSERT_EQ(one["checks"].size(), 1u);
  EXPECT_EQ(one["checks"][0]["check"], "check-42");
}

TEST_F(Listening, RefusesForeignHostsOnEveryRoute) {
  open();
  for (const Route& route : admin_routes()) {
    EXPECT_THAT(get(std::string(route.path), "evil.example"), StartsWith("HTTP/1.1 421 ")) << route.path;
  }
  EXPECT_THAT(get("/nothing", "evil.example:9642"), StartsWith("HTTP/1.1 421 "));
  EXPECT_THAT(get("/healthz", "WEB-1:9642"), StartsWith("HTTP/1.1 200 "));
}

TEST(HostAllowed, TakesAddressesAndKnownNames) {
  const std::vector<std::string> names = {"web-1", "status.example.com"};
  for (const char* host : {"127.0.0.1", "127.0.0.1:9642", "[::1]:9642", "[fe80::1]", "localhost", "LOCALHOST:1",
                           "web-1.", "status.example.com:443"}) {
    EXPECT_TRUE(host_allowed(host, names)) << host;
  }
  for (const char* host : {"", "evil", "localhost.evil", "web-1.evil", "127.0.0.1.evil", "[::1", "[::1]x",
                           "localhost:x", "::1", "127.1", "0x7f.1", "2130706433", "[localhost", "web-1:80:80"}) {
    EXPECT_FALSE(host_allowed(host, names)) << host;
  }
}

TEST_F(Listening, RefusesWhatIsNoCleanRequest) {
  open();
  const std::string host = "Host: localhost\r\n";
  const std::pair<std::string, std::string> cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n" + host + host + "\r\n", "400"},
      {"GET http://localhost/ HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"GET * HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"GET / HTTP/2.0\r\n" + host + "\r\n", "505"},
      {"GET /\r\n" + host + "\r\n", "400"},
      {"G\1T / HTTP/1.1\r\n" + host + "\r\n", "400"},
      {"GET / HTTP/1.1\r\n" + host + "Bad Name: x\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\n\r\nhello", "413"},
      {"GET / HTTP/1.1\r\n" + host + "Content-Length: -5\r\n\r\nhello", "400"},
      {"GET / HTTP/1.1\r\n" + host + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"},
      {"GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413"},
      {"GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", "413"},
      {"GET / HTTP/1.1\r\n" + host + "X: " + std::string(20000, 'x') + "\r\n\r\n", "431"},
      {std::string(20000, 'x'), "4"},
  };
  for (const auto& [request, status] : cases) {
    EXPECT_THAT(raw(request), StartsWith("HTTP/1.1 " + status)) << request.substr(0, 200);
  }
}

TEST_F(Listening, KeepsTheConnectionForThePipelinedAndTheNext) {
  open();
  Client client = Client::tcp(port);
  const std::string request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
  client.send(request + request);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(client.read_until("\r\n\r\n"), HasSubstr("Connection: keep-alive"));
    EXPECT_EQ(client.read_exactly(3), "ok\n");
  }
  client.send(request.substr(0, 10));
  client.send(request.substr(10));
  EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(Listening, HangsUpOnTheSlowAndTheIdle) {
  AdminSettings settings;
  settings.header_time = 30ms;
  settings.idle_time = 30ms;
  open(settings);
  Client silent = Client::tcp(port);
  EXPECT_EQ(silent.read_all(), "");
  Client slow = Client::tcp(port);
  slow.send("GET / HTTP/1.1\r\nHost: loc");
  EXPECT_EQ(slow.read_all(), "");
  Client idle = Client::tcp(port);
  idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(idle.read_all(), HasSubstr("ok\n"));
}

TEST_F(Listening, ServesTheHonestDuringAFlood) {
  open();
  std::vector<Client> flood;
  for (int i = 0; i < 200; ++i) {
    flood.push_back(Client::tcp(port));
    flood.back().send("GET /slow");
  }
  EXPECT_EQ(body_of(get("/healthz")), "ok\n");
  EXPECT_LE(loop.on_loop([&] { return http->connections(); }), 16u);
}

TEST_F(Listening, EndsAnswersThatNobodyTakes) {
  AdminSettings settings;
  settings.answer_time = 50ms;
  open(settings);
  loop.on_loop([&] {
    for (int i = 0; i < 30000; ++i) daemon.add(row("many-" + std::to_string(i)));
    return 0;
  });
  Client stuck = Client::tcp(port);
  stuck.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  stuck.read_until("\r\n\r\n");
  while (loop.on_loop([&] { return http->connections(); }) > 0) std::this_thread::yield();
  EXPECT_THAT(stuck.read_all(), Not(HasSubstr("\r\n0\r\n\r\n")));
}

TEST_F(Listening, StopsGracefully) {
  open();
  Client idle = Client::tcp(port);
  idle.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  idle.read_until("ok\n");
  loop.on_loop([&] {
    http->stop();
    return 0;
  });
  EXPECT_EQ(idle.read_all(), "");
}

TEST_F(Listening, SaysWhyItCannotListen) {
  open();
  AdminSettings taken;
  taken.port = port;
  const auto second = loop.on_loop([&] { return AdminHttp::open(loop.executor(), taken, daemon); });
  ASSERT_FALSE(second);
  EXPECT_THAT(second.failure().sentence(), HasSubstr("another program has that port"));
  AdminSettings name;
  name.host = "localhost";
  EXPECT_FALSE(loop.on_loop([&] { return AdminHttp::open(loop.executor(), name, daemon); }));
}

}  // namespace
}  // namespace vitald::daemon
