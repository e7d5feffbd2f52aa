// fetch() over scripted connections: what is sent, what is understood, and every failure on the way.
#include <gmock/gmock.h>
#include <zlib.h>

#include "tests/probes/net/kit.hpp"
#include "tests/support/scripted_stream.hpp"

namespace vitald::testing {
namespace {

using net::HttpRequest;
using net::HttpResponse;
using ::testing::HasSubstr;
using ::testing::Not;

struct Fetched {
  HttpResponse response;
  std::vector<std::string> written;
  std::vector<net::Target> targets;
  std::string reason;  // of the failure
  std::string what;
};

Fetched fetched(const HttpRequest& request, std::vector<Script> scripts, const std::string& peer = "192.0.2.1:80") {
  boost::asio::io_context loop;
  ScriptedNetwork network(loop, std::move(scripts));
  network.peer = peer;
  const StandingClock clock;
  net::PhaseLog phases(clock);
  Fetched out;
  try {
    out.response = finish(loop, net::fetch(network, request, phases));
  } catch (const probes::ProbeFailure& failure) {
    out.reason = failure.reason;
    out.what = failure.what();
  }
  out.written = network.written;
  out.targets = network.targets;
  return out;
}

Script answer(const std::string& bytes) { return Script().expect_something().reply(bytes); }

std::string packed(const std::string& text, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}
constexpr int gzip = 15 + 16, zlib = 15, raw = -15;

std::string with_encoding(const std::string& encoding, const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Encoding: " + encoding + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

TEST(Fetch, SendsOneWholeRequestAndReadsTheAnswer) {
  auto request = request_for("http://example.com:8080/health?x=1");
  request.headers = {{"X-Token", "abc"}};
  const auto got =
      fetched(request,
              {Script()
                   .expect("GET /health?x=1 HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent: vitald\r\n"
                           "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nConnection: close\r\nX-Token: abc\r\n\r\n")
                   .reply("HTTP/1.1 200 Fine\r\nX-Id: 7\r\nContent-Length: 2\r\n\r\nok")});
  EXPECT_EQ(got.response.status, 200);
  EXPECT_EQ(got.response.reason, "Fine");
  EXPECT_EQ(got.response.body, "ok");
  EXPECT_EQ(*got.response.header("x-ID"), "7");
  EXPECT_EQ(got.response.peer, "192.0.2.1:80");
  EXPECT_EQ(got.response.received_bytes, 51U);
  EXPECT_EQ(got.targets.at(0).text(), "example.com:8080");
}

TEST(Fetch, GivenHeadersReplaceOursAndABodyHasALength) {
  auto request = request_for("http://example.com/");
  request.method = "POST";
  request.headers = {{"host", "other"}, {"User-Agent", "me"}, {"accept", "x/y"}, {"Connection", "x"}};
  request.compressed = false;
  request.body = "hello";
  const auto got =
      fetched(request, {Script()
                            .expect("POST / HTTP/1.1\r\nContent-Length: 5\r\nhost: other\r\nUser-Agent: me\r\n"
                                    "accept: x/y\r\nConnection: x\r\n\r\nhello")
                            .reply("HTTP/1.1 204 No Content\r\n\r\n")});
  EXPECT_EQ(got.response.status, 204);
}

TEST(Fetch, NothingCanSmuggleAHeaderIn) {
  auto request = request_for("http://example.com/");
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>{"X", "a\r\nEvil: 1"}, {"X", "a\nb"}, {"X: y\r\nZ", "a"}, {"", "a"}}) {
    request.headers = {{name, value}};
    const auto got = fetched(request, {});
    EXPECT_EQ(got.reason, "bad_request");
    EXPECT_TRUE(got.targets.empty());
  }
}

TEST(Fetch, EveryStepThatFailsIsNoticed) {
  auto request = request_for("http://example.com/");
  request.limits.redirects = 1;
  const std::vector<Script> scripts = {
      Script().expect_something().reply("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"),
      Script().expect_something().reply_in_pieces(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 16)};
  const StandingClock clock;
  net::PhaseLog phases(clock);
  const int steps =
      fails_at_every_step(scripts, [&](net::Network& network) { return net::fetch(network, request, phases); });
  EXPECT_EQ(steps, 2 + 1 + 2 + 4);  // connect and write twice, one read, then four
}

TEST(Fetch, TheAnswerMayComeInAnyPieces) {
  const std::string text =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: "
      "chunked\r\n\r\n4;x=y\r\nwxyz\r\n2\r\n12\r\n0\r\nT: u\r\n\r\n";
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const auto got =
        fetched(request_for("http://example.com/"), {Script().expect_something().reply_in_pieces(text, size)});
    EXPECT_EQ(got.reason, "") << size << got.what;
    EXPECT_EQ(got.response.status, 200);
    EXPECT_EQ(got.response.body, "wxyz12") << size;
    EXPECT_EQ(got.response.headers.size(), 2U);
  }
}

TEST(Fetch, SomeAnswersHaveNoBodyWhateverTheySay) {
  auto request = request_for("http://example.com/");
  EXPECT_EQ(fetched(request, {answer("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n")}).response.status, 304);
  request.method = "HEAD";
  EXPECT_EQ(fetched(request, {answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")}).response.body, "");
}

TEST(Fetch, ABodyWithoutLengthLastsUntilTheEnd) {
  EXPECT_EQ(fetched(request_for("http://e.com/"), {answer("HTTP/1.0 200 OK\r\n\r\nabc")}).response.body, "abc");
}

TEST(Fetch, WhatIsNoAnswerIsToldApart) {
  const auto reason = [](const std::string& bytes) {
    return fetched(request_for("http://e.com/"), {answer(bytes)}).reason;
  };
  EXPECT_EQ(reason(""), "closed_early");
  EXPECT_EQ(reason("HTTP/1.1 200 O"), "closed_early");
  EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), "closed_early");
  EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"), "closed_early");
  EXPECT_EQ(reason("SSH-2.0-OpenSSH_9.2\r\n"), "bad_response");
  EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"), "bad_response");
  EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabc"), "bad_response");
  EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nabc"), "bad_response");
  EXPECT_EQ(reason("HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n"), "bad_response");
}

TEST(Fetch, TheHeaderHasALimit) {
  auto request = request_for("http://e.com/");
  request.limits.header_bytes = 1000;
  EXPECT_EQ(
      fetched(request, {answer("HTTP/1.1 200 OK\r\nA: " + std::string(900, 'x') + "\r\nContent-Length: 0\r\n\r\n")})
          .reason,
      "");
  EXPECT_EQ(
      fetched(request, {answer("HTTP/1.1 200 OK\r\nA: " + std::string(1000, 'x') + "\r\nContent-Length: 0\r\n\r\n")})
          .reason,
      "header_too_large");
}

TEST(Fetch, TheBodyIsCutAtItsLimit) {
  auto request = request_for("http://e.com/");
  request.limits.body_bytes = 10;
  const auto whole = fetched(request, {answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")}).response;
  EXPECT_FALSE(whole.truncated);
  EXPECT_EQ(whole.body, "0123456789");
  const auto cut =
      fetched(request, {answer("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n0123456789abc")}).response;
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.body, "0123456789");
}

TEST(Fetch, InterimAnswersAreCounted) {
  std::string many;
  for (int at = 0; at < 17; ++at) many += "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const auto got = fetched(request_for("http://e.com/"), {answer(many)});
  EXPECT_EQ(got.reason, "bad_response");
  EXPECT_THAT(got.what, HasSubstr("interim"));
}

TEST(Fetch, CompressedBodiesAreDecoded) {
  std::string text;
  for (int at = 0; at < 30'000; ++at) text += "line " + std::to_string(at) + "\n";
  const auto request = request_for("http://e.com/");
  EXPECT_EQ(fetched(request, {answer(with_encoding("gzip", packed(text, gzip)))}).response.body, text);
  EXPECT_EQ(fetched(request, {answer(with_encoding("GZIP", packed(text, gzip)))}).response.body, text);
  EXPECT_EQ(fetched(request, {answer(with_encoding("deflate", packed(text, zlib)))}).response.body, text);
  EXPECT_EQ(fetched(request, {answer(with_encoding("deflate", packed(text, raw)))}).response.body, text);
  EXPECT_EQ(fetched(request, {answer(with_encoding("gzip", packed("one ", gzip) + packed("two", gzip)))}).response.body,
            "one two");
  EXPECT_EQ(fetched(request, {answer(with_encoding("br", "opaque"))}).response.body, "opaque");
  EXPECT_EQ(fetched(request, {answer(with_encoding("gzip", ""))}).response.body, "");
}

TEST(Fetch, DamagedAndExplosiveBodiesFail) {
  auto request = request_for("http://e.com/");
  const auto good = packed(std::string(3000, 'a') + "b", gzip);
  EXPECT_EQ(fetched(request, {answer(with_encoding("gzip", good.substr(0, good.size() - 9)))}).reason, "bad_response");
  EXPECT_EQ(fetched(request, {answer(with_encoding("gzip", "\x1f\x8b" + std::string(30, 'z')))}).reason,
            "bad_response");
  const auto bomb = packed(std::string(64 << 20, '\0'), gzip);
  ASSERT_LT(bomb.size(), 70'000U);
  const auto got = fetched(request, {answer(with_encoding("gzip", bomb))});
  EXPECT_EQ(got.reason, "decode_bomb");
}

Script redirect(int status, const std::string& location) {
  return answer("HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + location +
                "\r\nContent-Length: 0\r\n\r\n");
}
const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST(Redirect, IsNotFollowedUnasked) {
  const auto got = fetched(request_for("http://e.com/"), {redirect(302, "/x")});
  EXPECT_EQ(got.response.status, 302);
  EXPECT_EQ(got.response.final_url, "");
}

TEST(Redirect, CredentialsGoNowhereElse) {
  auto request = request_for("https://a.example/");
  request.limits.redirects = 3;
  request.headers = {{"Authorization", "Bearer s3cret"}, {"Cookie", "c00kie"}, {"X-Mine", "kept"}};
  request.tls.client_certificate = "/c.pem";
  request.tls.server_name = "front.example";
  const auto got = fetched(request, {redirect(302, "/same"), redirect(302, "https://b.example/x"),
                                     redirect(302, "https://a.example/back"), answer(fine)});
  ASSERT_EQ(got.written.size(), 4U) << got.what;
  EXPECT_THAT(got.written[1], HasSubstr("s3cret"));
  EXPECT_EQ(got.targets[1].tls->server_name, "front.example");
  for (const int hop : {2, 3}) {
    EXPECT_THAT(got.written[static_cast<std::size_t>(hop)], Not(HasSubstr("s3cret")));
    EXPECT_THAT(got.written[static_cast<std::size_t>(hop)], Not(HasSubstr("c00kie")));
    EXPECT_THAT(got.written[static_cast<std::size_t>(hop)], HasSubstr("X-Mine: kept"));
    EXPECT_EQ(got.targets[static_cast<std::size_t>(hop)].tls->client_certificate, "");
    EXPECT_EQ(got.targets[static_cast<std::size_t>(hop)].tls->server_name, "");
  }
  EXPECT_EQ(got.response.redirects, 3);
  EXPECT_EQ(got.response.final_url, "https://a.example/back");
}

TEST(Redirect, TheMethodChangesAsBrowsersChangeIt) {
  for (const auto& [status, method, expected] :
       std::initializer_list<std::tuple<int, const char*, const char*>>{{301, "POST", "GET /n"},
                                                                        {302, "POST", "GET /n"},
                                                                        {303, "POST", "GET /n"},
                                                                        {303, "PUT", "GET /n"},
                                                                        {307, "POST", "POST /n"},
                                                                        {308, "POST", "POST /n"},
                                                                        {302, "HEAD", "HEAD /n"},
                                                                        {303, "HEAD", "HEAD /n"},
                                                                        {301, "GET", "GET /n"}}) {
    auto request = request_for("http://e.com/");
    request.limits.redirects = 1;
    request.method = method;
    request.body = "payload";
    const auto got = fetched(request, {redirect(status, "/n"), answer(fine)});
    ASSERT_EQ(got.written.size(), 2U) << got.what;
    EXPECT_THAT(got.written[1], HasSubstr(expected)) << status << method;
    EXPECT_EQ(got.written[1].find("payload") != std::string::npos, std::string_view(expected).starts_with(method))
        << status << method;
  }
}

TEST(Redirect, HasItsRules) {
  const auto reason = [](const std::string& from, const std::vector<std::string>& to, auto set) {
    auto request = request_for(from);
    request.limits.redirects = 2;
    set(request);
    std::vector<Script> scripts;
    for (const auto& location : to) scripts.push_back(redirect(302, location));
    scripts.push_back(answer(fine));
    return fetched(request, scripts).reason;
  };
  const auto nothing = [](HttpRequest&) {};
  EXPECT_EQ(reason("http://e.com/", {"/1", "/2"}, nothing), "");
  EXPECT_EQ(reason("http://e.com/", {"/1", "/2", "/3"}, nothing), "too_many_redirects");
  EXPECT_EQ(reason("http://e.com/", {"/1", "/"}, nothing), "too_many_redirects");
  EXPECT_EQ(reason("https://e.com/", {"http://e.com/"}, nothing), "redirect_refused");
  EXPECT_EQ(reason("https://e.com/", {"http://e.com/"}, [](HttpRequest& r) { r.limits.redirect_downgrade = true; }),
            "");
  EXPECT_EQ(reason("http://e.com/", {"http://f.com/"}, [](HttpRequest& r) { r.limits.redirect_to_other_host = false; }),
            "redirect_refused");
  EXPECT_EQ(reason("http://e.com/", {"http://f.com/"}, [](HttpRequest& r) { r.unix_path = "/run/x"; }),
            "redirect_refused");
  for (const char* scheme : {"ftp://e.com/", "file:///etc/passwd", "javascript:x", "http://u:p@e.com/", "http://"})
    EXPECT_EQ(reason("http://e.com/", {scheme}, nothing), "redirect_refused") << scheme;
}

// The address that a redirect's name turns out to have counts, not what its name looks like.
TEST(Redirect, NeverLeadsToALessPublicAddress) {
  struct MovingPeer final : net::Network {
    MovingPeer(boost::asio::io_context& loop, std::vector<Script> scripts, std::vector<std::string> peers_)
        : scripted(loop, std::move(scripts)), peers(std::move(peers_)) {}
    net::awaitable<std::vector<std::string>> resolve(const net::Target& target, net::PhaseLog&) override {
      std::vector<std::string> as_it_is{target.host};
      co_return as_it_is;
    }
    net::awaitable<std::unique_ptr<net::Stream>> connect(const net::Target& target, net::PhaseLog& phases) override {
      scripted.peer = peers.at(scripted.targets.size());
      auto stream = co_await scripted.connect(target, phases);
      co_return stream;
    }
    ScriptedNetwork scripted;
    std::vector<std::string> peers;
  };
  const auto run = [](const std::string& from, const std::string& to) {
    boost::asio::io_context loop;
    MovingPeer network(loop, {redirect(302, "http://b.example/"), answer(fine)}, {from, to});
    auto request = request_for("http://a.example/");
    request.limits.redirects = 1;
    const StandingClock clock;
    net::PhaseLog phases(clock);
    const auto failed = failure_of(loop, net::fetch(network, request, phases));
    EXPECT_EQ(network.scripted.written.at(1).empty(), !failed.reason.empty());
    return failed.reason;
  };
  EXPECT_EQ(run("8.8.8.8:80", "9.9.9.9:80"), "");
  EXPECT_EQ(run("10.0.0.1:80", "9.9.9.9:80"), "");
  EXPECT_EQ(run("10.0.0.1:80", "192.168.1.1:80"), "");
  EXPECT_EQ(run("127.0.0.1:80", "10.0.0.1:80"), "");
  EXPECT_EQ(run("8.8.8.8:80", "169.254.169.254:80"), "redirect_refused");
  EXPECT_EQ(run("8.8.8.8:80", "127.0.0.1:80"), "redirect_refused");
  EXPECT_EQ(run("8.8.8.8:80", "[::ffff:127.0.0.1]:80"), "redirect_refused");
  EXPECT_EQ(run("8.8.8.8:80", "[::1]:80"), "redirect_refused");
  EXPECT_EQ(run("8.8.8.8:80", "[fd00::1]:80"), "redirect_refused");
  EXPECT_EQ(run("10.0.0.1:80", "127.0.0.1:80"), "redirect_refused");
}

}  // namespace
}  // namespace vitald::testing
