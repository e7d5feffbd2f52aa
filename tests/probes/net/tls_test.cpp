// TLS against a real OpenSSL server, with certificates made on the spot: every way of being wrong has its own reason.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <boost/asio/post.hpp>

#include "tests/probes/net/kit.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/loopback.hpp"

namespace vitald::testing {
namespace {

using ::testing::HasSubstr;

struct TlsTest : NetTest {
  Folder folder;
  Identity root = make_identity({.subject = "Test Root", .authority = true});
  Identity intermediate = make_identity({.subject = "Test Intermediate", .authority = true, .issuer = &root});
  Identity leaf = make_identity({.issuer = &root});
  std::string ca_file = folder.path() + "/ca.pem";

  void SetUp() override { write_certificates(ca_file, {root}); }

  Identity issued(Wish wish) {
    if (wish.issuer == nullptr) wish.issuer = &root;
    return make_identity(wish);
  }

  /// A server that greets who completes the handshake.
  Loopback::Serve serve(std::vector<Identity> chain) {
    auto server = std::make_shared<TlsServer>(chain);
    return [server](Peer& peer) {
      const auto connection = server->accept(peer.descriptor());
      if (!connection) return;
      SSL_write(connection.get(), "hello", 5);
      SSL_shutdown(connection.get());
    };
  }

  net::Target target(const Loopback& server, net::TlsOptions options) {
    return {.host = "127.0.0.1", .port = server.port(), .tls = std::move(options)};
  }

  Failed fails(std::vector<Identity> chain, net::TlsOptions options) {
    const Loopback server(serve(std::move(chain)));
    return connect_fails(target(server, std::move(options)));
  }

  net::TlsPeer seen(std::vector<Identity> chain, net::TlsOptions options) {
    options.judge_later = true;
    const Loopback server(serve(std::move(chain)));
    const auto stream = finish(loop, network->connect(target(server, std::move(options)), phases));
    return *stream->tls();
  }
};

TEST_F(TlsTest, AGoodCertificateIsTakenAndBytesFlow) {
  const Loopback server(serve({leaf}));
  const auto stream = finish(loop, network->connect(target(server, {.ca_file = ca_file}), phases));
  char buffer[16];
  EXPECT_EQ(finish(loop, stream->read_some(buffer)), 5U);
  EXPECT_EQ(std::string(buffer, 5), "hello");
  EXPECT_EQ(finish(loop, stream->read_some(buffer)), 0U);
  const auto* peer = stream->tls();
  ASSERT_NE(peer, nullptr);
  EXPECT_EQ(peer->protocol, "TLSv1.3");
  ASSERT_EQ(peer->served.size(), 1U);
  EXPECT_EQ(peer->served[0].subject, "localhost");
  EXPECT_EQ(peer->served[0].issuer, "Test Root");
  EXPECT_EQ(peer->served[0].names, (std::vector<std::string>{"localhost", "127.0.0.1"}));
  EXPECT_EQ(peer->served[0].sha256.size(), 64U);
  EXPECT_FALSE(peer->served[0].self_signed);
  EXPECT_NEAR(std::chrono::duration<double>(peer->served[0].not_after - clock.now().wall).count(), 30 * 86400, 600);
  EXPECT_EQ(peer->verify_code, X509_V_OK);
  EXPECT_TRUE(peer->name_matches);
  EXPECT_FALSE(peer->chain_incomplete);
  EXPECT_EQ(phases.phases().back().name, "tls");
}

TEST_F(TlsTest, DatesAreToldInWords) {
  const auto expired = fails({issued({.from_days = -40, .to_days = -3})}, {.ca_file = ca_file});
  EXPECT_EQ(expired.reason, "tls_expired");
  EXPECT_EQ(expired.outcome, Outcome::wrong);
  EXPECT_THAT(expired.what, HasSubstr("certificate expired 3 d"));
  const auto early = fails({issued({.from_days = 3, .to_days = 40})}, {.ca_file = ca_file});
  EXPECT_EQ(early.reason, "tls_not_yet_valid");
  EXPECT_THAT(early.what, HasSubstr("certificate is not valid before 20"));
}

TEST_F(TlsTest, AnExpiredIntermediateIsNamed) {
  const auto old = make_identity(
      {.subject = "Old Intermediate", .from_days = -40, .to_days = -3, .authority = true, .issuer = &root});
  const auto failed = fails({issued({.issuer = &old}), old}, {.ca_file = ca_file});
  EXPECT_EQ(failed.reason, "tls_expired");
  EXPECT_THAT(failed.what, HasSubstr("Old Intermediate"));
}

TEST_F(TlsTest, AWrongNameListsTheRightOnes) {
  const auto other = issued({.subject = "a.example", .names = "DNS:a.example,DNS:b.example"});
  const auto failed = fails({other}, {.server_name = "c.example", .ca_file = ca_file});
  EXPECT_EQ(failed.reason, "tls_wrong_name");
  EXPECT_EQ(failed.what, "certificate is for a.example, b.example, not for c.example");
  EXPECT_EQ(fails({other}, {.ca_file = ca_file}).reason, "tls_wrong_name");  // 127.0.0.1 is not in it
  EXPECT_EQ(fails({other}, {.server_name = "B.example.", .ca_file = ca_file}).reason, "");
  const auto wild = issued({.subject = "*.example", .names = "DNS:*.w.example"});
  EXPECT_EQ(fails({wild}, {.server_name = "x.w.example", .ca_file = ca_file}).reason, "");
  EXPECT_EQ(fails({wild}, {.server_name = "x.y.w.example", .ca_file = ca_file}).reason, "tls_wrong_name");
}

TEST_F(TlsTest, TrustIsToldApart) {
  const auto self_signed = make_identity({});
  EXPECT_EQ(fails({self_signed}, {.ca_file = ca_file}).reason, "tls_self_signed");
  write_certificates(folder.path() + "/self.pem", {self_signed});
  EXPECT_EQ(fails({self_signed}, {.ca_file = folder.path() + "/self.pem"}).reason, "");

  const auto stranger = make_identity({.subject = "Strange Root", .authority = true});
  const auto unknown = issued({.issuer = &stranger});
  EXPECT_EQ(fails({unknown}, {}).reason, "tls_untrusted");  // the system's store, a private root
  EXPECT_EQ(fails({unknown, stranger}, {.ca_file = ca_file}).reason, "tls_untrusted");  // root served, not trusted
  EXPECT_THAT(fails({unknown}, {}).what, HasSubstr("Strange Root"));
}

TEST_F(TlsTest, AMissingIntermediateIsToldApart) {
  const auto below = issued({.issuer = &intermediate});
  EXPECT_EQ(fails({below, intermediate}, {.ca_file = ca_file}).reason, "");
  const auto failed = fails({below}, {.ca_file = ca_file});
  EXPECT_EQ(failed.reason, "tls_chain_incomplete");
  EXPECT_THAT(failed.what, HasSubstr("Test Intermediate"));
  // A public authority's certificate says where its issuer is to be had; then the system's store is no obstacle.
  EXPECT_EQ(fails({issued({.names_issuer = true, .issuer = &intermediate})}, {}).reason, "tls_chain_incomplete");

  // Somebody installed the intermediate here: we are content, other clients are not.
  write_certificates(folder.path() + "/both.pem", {root, intermediate});
  EXPECT_EQ(fails({below}, {.ca_file = folder.path() + "/both.pem"}).reason, "");
  const auto peer = seen({below}, {.ca_file = folder.path() + "/both.pem"});
  EXPECT_EQ(peer.verify_code, X509_V_OK);
  EXPECT_TRUE(peer.chain_incomplete);
  EXPECT_FALSE(seen({below, intermediate}, {.ca_file = ca_file}).chain_incomplete);
}

TEST_F(TlsTest, JudgedLaterEverythingIsNotedAndNothingRefused) {
  const auto expired = seen({issued({.names = "DNS:other", .from_days = -9, .to_days = -1})}, {.ca_file = ca_file});
  EXPECT_EQ(expired.verify_code, X509_V_ERR_CERT_HAS_EXPIRED);
  EXPECT_FALSE(expired.name_matches);
  const auto self_signed = seen({make_identity({})}, {.ca_file = ca_file});
  EXPECT_EQ(self_signed.verify_code, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
  EXPECT_TRUE(self_signed.name_matches);
  EXPECT_TRUE(self_signed.served.at(0).self_signed);
  EXPECT_FALSE(self_signed.verify_text.empty());
  EXPECT_EQ(fails({make_identity({.names = "DNS:other", .to_days = -1})}, {.insecure = true}).reason, "");
}

TEST_F(TlsTest, AnEndlessChainIsRefused) {
  std::vector<Identity> chain = {leaf};
  for (int at = 0; at < 10; ++at)
    chain.push_back(make_identity({.subject = "x" + std::to_string(at), .authority = true}));
  const auto failed = fails(chain, {.ca_file = ca_file});
  EXPECT_EQ(failed.reason, "tls_handshake");
  EXPECT_THAT(failed.what, HasSubstr("11 certificates"));
}

TEST_F(TlsTest, AClientCertificateIsShownWhereOneIsGiven) {
  auto tls = std::make_shared<TlsServer>(std::vector<Identity>{leaf});
  tls->demand_certificate(root);
  const Loopback server([tls](Peer& peer) {
    const auto connection = tls->accept(peer.descriptor());
    if (!connection) return peer.wait_for_end();  // closing at once would reset the connection before its alert is read
    char request[1024];
    SSL_read(connection.get(), request, sizeof request);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    SSL_write(connection.get(), answer.data(), static_cast<int>(answer.size()));
  });
  auto request = request_for("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  request.tls.ca_file = ca_file;
  EXPECT_EQ(get_fails(request).reason, "tls_handshake");

  const auto client = issued({.subject = "client", .names = ""});
  request.tls.client_certificate = folder.path() + "/client.pem";
  request.tls.client_key = folder.path() + "/client.key";
  write_certificates(request.tls.client_certificate, {client});
  write_key(request.tls.client_key, client);
  EXPECT_EQ(get(request).body, "ok");

  write_key(request.tls.client_key + "2", leaf);
  request.tls.client_key += "2";
  const auto mismatch = get_fails(request);
  EXPECT_EQ(mismatch.reason, "bad_file:" + request.tls.client_key);
  EXPECT_EQ(mismatch.outcome, Outcome::unmeasured);
}

TEST_F(TlsTest, FilesThatCannotBeUsedAreOurs) {
  const auto missing = fails({leaf}, {.ca_file = folder.path() + "/none.pem"});
  EXPECT_EQ(missing.reason, "bad_file:" + folder.path() + "/none.pem");
  EXPECT_EQ(missing.outcome, Outcome::unmeasured);
  folder.write("/junk.pem", "no certificate");
  EXPECT_EQ(fails({leaf}, {.ca_file = folder.path() + "/junk.pem"}).outcome, Outcome::unmeasured);
  EXPECT_EQ(fails({leaf}, {.ca_file = folder.path()}).outcome, Outcome::unmeasured);
}

TEST_F(TlsTest, WhoSpeaksNoTlsIsToldApart) {
  const Loopback plain([](Peer& peer) {
    peer.receive();
    peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const auto failed = connect_fails(target(plain, {}));
  EXPECT_EQ(failed.reason, "tls_handshake");
  EXPECT_THAT(failed.what, HasSubstr("does not speak TLS"));
  const Loopback closing([](Peer& peer) { peer.receive(); });
  EXPECT_EQ(connect_fails(target(closing, {})).reason, "tls_closed");
  const Loopback resetting([](Peer& peer) {
    peer.receive();
    peer.reset();
  });
  EXPECT_EQ(connect_fails(target(resetting, {})).reason, "tls_closed");
}

TEST_F(TlsTest, AStalledHandshakeCanBeCancelled) {
  std::optional<Cancellable> run;
  const Loopback server([&](Peer& peer) {
    peer.receive();
    boost::asio::post(loop, [&] { run->cancel(); });
    peer.wait_for_end();
  });
  const auto where = target(server, {});
  run.emplace(loop, network->connect(where, phases));
  loop.run();
  EXPECT_EQ(run->ended(), "cancelled");
}

TEST_F(TlsTest, AnEndWithoutCloseNotifyIsTakenOnlyWhereTheLengthIsKnown) {
  auto tls = std::make_shared<TlsServer>(std::vector<Identity>{leaf});
  std::string answer;
  const Loopback server([&, tls](Peer& peer) {
    const auto connection = tls->accept(peer.descriptor());
    char request[1024];
    SSL_read(connection.get(), request, sizeof request);
    SSL_write(connection.get(), answer.data(), static_cast<int>(answer.size()));
  });
  auto request = request_for("https://127.0.0.1:" + std::to_string(server.port()) + "/");
  request.tls.ca_file = ca_file;
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  EXPECT_EQ(get(request).body, "ok");
  answer = "HTTP/1.1 200 OK\r\n\r\nok";
  EXPECT_EQ(get_fails(request).reason, "tls_closed");
}

TEST_F(TlsTest, AChangedAuthorityFileIsReadAnew) {
  struct Shifted final : Clock {
    Now now() const override { return {real.now().steady + ahead, real.now().wall}; }
    RealClock real;
    Duration ahead{};
  } shifted;
  network = net::make_network(loop.get_executor(), shifted);
  const auto other = make_identity({.subject = "Other Root", .authority = true});
  EXPECT_EQ(fails({leaf}, {.ca_file = ca_file}).reason, "");
  write_certificates(ca_file, {other});
  EXPECT_NE(fails({leaf}, {.ca_file = ca_file}).reason, "tls_handshake");
  shifted.ahead = std::chrono::seconds(6);
  EXPECT_EQ(fails({leaf}, {.ca_file = ca_file}).reason, "tls_chain_incomplete");
}

}  // namespace
}  // namespace vitald::testing
