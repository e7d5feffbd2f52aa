#include "probes/tcp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

tcp::Config config(const std::string& more = "") {
  const auto parsed = parse_yaml(tcp::parse, "address: mail.example.com:25\n" + more);
  EXPECT_EQ(parsed.problems, "");
  return parsed.config;
}

tcp::Facts run(FakeNetwork& network, const tcp::Config& check) {
  Surroundings around;
  around.network = &network;
  return around.run(tcp::run, check);
}

TEST(TcpParse, TakesAnAddressOrASocket) {
  EXPECT_EQ(config().where.host, "mail.example.com");
  EXPECT_EQ(config().where.port, 25);
  EXPECT_EQ(parse_yaml(tcp::parse, "address: '[::1]:25'").config.where.host, "::1");
  EXPECT_EQ(parse_yaml(tcp::parse, "socket: /run/x.sock").config.where.unix_path, "/run/x.sock");
  EXPECT_THAT(parse_yaml(tcp::parse, "{}").problems, HasSubstr("needs either 'address' or 'socket'"));
  EXPECT_THAT(parse_yaml(tcp::parse, "{ address: 'a:1', socket: /x }").problems, HasSubstr("needs either"));
  for (const auto* bad :
       {"example.com", "example.com:0", "example.com:65536", ":25", "::1:25", "'a b:25'", "a:b", "[ a ]"}) {
    EXPECT_THAT(parse_yaml(tcp::parse, std::string("address: ") + bad).problems,
                HasSubstr("expected a host and a port"))
        << bad;
  }
}

TEST(TcpParse, UnescapesWhatItSendsAndExpects) {
  EXPECT_EQ(config(R"(send: 'PING\r\n\x00\xfF\\')").send, std::string("PING\r\n\0\xff\\", 9));
  EXPECT_THAT(parse_yaml(tcp::parse, R"(send: 'a\q')").problems, HasSubstr("backslash without a meaning"));
  EXPECT_THAT(parse_yaml(tcp::parse, R"(expect: '\x1')").problems, HasSubstr("backslash without a meaning"));
  EXPECT_THAT(parse_yaml(tcp::parse, "expect_matches: '(220'").problems,
              HasSubstr("test.yaml:1:17: error: 'expect_matches': no valid regular expression"));
}

TEST(TcpParse, TakesTlsAsASwitchOrAMapping) {
  EXPECT_FALSE(config().where.tls);
  EXPECT_FALSE(config("tls: false").where.tls);
  EXPECT_TRUE(config("tls: true").where.tls);
  EXPECT_EQ(config("tls: { server_name: smtp.example.com }").where.tls->server_name, "smtp.example.com");
  EXPECT_THAT(parse_yaml(tcp::parse, "address: a:1\ntls: { ca: x }").problems, HasSubstr("test.yaml:2:8"));
  EXPECT_THAT(parse_yaml(tcp::parse, "address: a:1\ntls: { client_key: x }").problems, HasSubstr("go together"));
}

TEST(TcpRun, AConnectionIsEnoughWhereNothingIsExpected) {
  FakeNetwork network;
  network.answer({"220 mail\r\n"});
  const auto seen = tcp::judge(config(), run(network, config()));
  EXPECT_EQ(network.reads, 0u);
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "accepts connections");
}

TEST(TcpRun, SendsAndFindsTheAnswerAcrossPieces) {
  FakeNetwork network;
  network.answer({"+PO", "NG\r\n", "never read"});
  const auto check = config(R"(send: 'PING\r\n')"
                            "\nexpect: PONG");
  const auto facts = run(network, check);
  EXPECT_EQ(network.sent, "PING\r\n");
  EXPECT_EQ(network.reads, 2u);
  EXPECT_EQ(tcp::judge(check, facts).summary, "answered '+PONG'");
  EXPECT_EQ(tcp::judge(check, facts).outcome, Outcome::answered);
}

TEST(TcpRun, BothTheTextAndThePatternMustBeThere) {
  FakeNetwork network;
  network.answer({"220 mail ESMTP\r\n"});
  network.answer({"220 mail ESMTP\r\n"});
  const auto both = config("expect: ESMTP\nexpect_matches: '^220 '");
  EXPECT_TRUE(run(network, both).found);
  EXPECT_FALSE(run(network, config("expect: ESMTP\nexpect_matches: '^421 '")).found);
}

TEST(TcpRun, AnotherAnswerIsWrong) {
  FakeNetwork network;
  network.answer({"554 go away\r\n"});
  const auto check = config("expect: '220'");
  const auto seen = tcp::judge(check, run(network, check));
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "wrong_answer");
  EXPECT_EQ(seen.summary, "answered '554 go away' instead of '220'");
}

TEST(TcpRun, SilenceBeforeTheEndIsToldApart) {
  FakeNetwork network;
  network.answer({});
  const auto check = config("expect_matches: '^220'");
  const auto seen = tcp::judge(check, run(network, check));
  EXPECT_EQ(seen.reason, "closed_early");
  EXPECT_EQ(seen.summary, "closed the connection without a word instead of a match of ^220");
}

TEST(TcpRun, StopsAtItsLimits) {
  FakeNetwork network;
  network.answer({std::string(1 << 20, 'x')});
  const auto check = config("expect: '220'");
  const auto facts = run(network, check);
  EXPECT_EQ(facts.received.size(), 64u * 1024);
  EXPECT_THAT(tcp::judge(check, facts).summary, HasSubstr("within the first 64 KiB"));

  FakeNetwork dribbling;
  dribbling.answer(std::vector<std::string>(5000, "x"));
  EXPECT_EQ(run(dribbling, check).received.size(), 1024u);
}

TEST(TcpRun, AFailedConnectionGoesUp) {
  FakeNetwork network;
  network.refuse(ProbeFailure(Outcome::refused, "connect_refused", "connection refused"));
  EXPECT_THROW(run(network, config()), ProbeFailure);
}

}  // namespace
}  // namespace vitald::probes
