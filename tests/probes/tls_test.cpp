#include "probes/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using vitald::testing::parse_yaml;
using namespace std::chrono_literals;

constexpr Wall now = Wall{} + 24h * 20'000;
constexpr auto day = 24h;

tls::Config config(const std::string& more = "") {
  return parse_yaml(tls::parse, "address: example.com:443\n" + more).config;
}

/// A good chain of a leaf and an intermediate.
tls::Facts good() {
  tls::Facts facts{.proved = {}, .peer = "192.0.2.7:443", .now = now};
  facts.proved.served = {{.subject = "example.com",
                          .issuer = "Test CA",
                          .serial = "01",
                          .sha256 = "",
                          .names = {"example.com", "www.example.com"},
                          .not_before = now - 10 * day,
                          .not_after = now + 63 * day},
                         {.subject = "Test CA",
                          .issuer = "Test Root",
                          .serial = "02",
                          .sha256 = "",
                          .names = {},
                          .not_before = now - 100 * day,
                          .not_after = now + 1000 * day,
                          .authority = true}};
  facts.proved.protocol = "TLSv1.3";
  return facts;
}

Observation judge(const tls::Facts& facts, const std::string& more = "") { return tls::judge(config(more), facts); }

TEST(TlsJudge, SaysHowLongACertificateIsValid) {
  const auto seen = judge(good());
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "certificate of example.com is valid for 63 d");
  ASSERT_EQ(seen.samples.size(), 2u);
  EXPECT_EQ(seen.samples[0].value, 63 * 86400.0);
  EXPECT_EQ(seen.samples[0].labels, (Labels{{"chain", "leaf"}}));
  EXPECT_EQ(seen.samples[1].value, 1000 * 86400.0);
  EXPECT_EQ(seen.samples[1].labels, (Labels{{"chain", "1"}}));
}

struct Case {
  const char* name;
  void (*spoil)(tls::Facts&);
  const char* reason;
  const char* summary;
};

class TlsFault : public ::testing::TestWithParam<Case> {};

TEST_P(TlsFault, IsToldApart) {
  auto facts = good();
  GetParam().spoil(facts);
  const auto seen = judge(facts);
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, GetParam().reason);
  EXPECT_EQ(seen.summary, GetParam().summary);
  // Whatever else is wrong, the dates stay right: an untrusted chain has no "0 days left".
  const double left = std::chrono::duration<double>(facts.proved.served.front().not_after - now).count();
  EXPECT_EQ(seen.samples.at(0).value, left);
}

const Case cases[] = {
    {"Expired",
     [](tls::Facts& facts) {
       facts.proved.served[0].not_after = now - 3 * day;
       facts.proved.verify_code = X509_V_ERR_CERT_HAS_EXPIRED;
     },
     "certificate_expired", "certificate of example.com expired 3 d ago"},
    {"NotYetValid",
     [](tls::Facts& facts) {
       facts.proved.served[0].not_before = now + 2h;
       facts.proved.verify_code = X509_V_ERR_CERT_NOT_YET_VALID;
     },
     "certificate_not_yet_valid", "certificate of example.com is valid only in 2 h"},
    {"ExpiredIntermediate",
     [](tls::Facts& facts) {
       facts.proved.served[1].not_after = now - 3 * day;
       facts.proved.verify_code = X509_V_ERR_CERT_HAS_EXPIRED;
     },
     "certificate_expired", "certificate 'Test CA' in the chain of example.com expired 3 d ago"},
    {"ExpiredRootOfTheStore",
     [](tls::Facts& facts) {
       facts.proved.verify_code = X509_V_ERR_CERT_HAS_EXPIRED;
       facts.proved.verify_text = "certificate has expired";
     },
     "untrusted", "certificate of example.com is not trusted: certificate has expired"},
    {"WrongName",
     [](tls::Facts& facts) {
       facts.proved.served[0].names = {"a.example", "b.example", "c.example", "d.example", "e.example"};
       facts.proved.name_matches = false;
     },
     "wrong_name", "certificate is for a.example, b.example, c.example and 2 more, not for example.com"},
    {"SelfSigned",
     [](tls::Facts& facts) {
       facts.proved.served.resize(1);
       facts.proved.served[0].self_signed = true;
       facts.proved.verify_code = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
     },
     "self_signed", "certificate of example.com is self-signed"},
    {"UnknownRootServed", [](tls::Facts& facts) { facts.proved.verify_code = X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN; },
     "untrusted", "certificate of example.com is not trusted: nobody here knows the authority 'Test Root'"},
    {"UnknownIssuer",
     [](tls::Facts& facts) { facts.proved.verify_code = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY; }, "untrusted",
     "certificate of example.com is not trusted: its issuer 'Test Root' is neither known here nor sent by the server"},
    {"UnknownIntermediateNotServed",
     [](tls::Facts& facts) {
       facts.proved.served.resize(1);
       facts.proved.chain_incomplete = true;
       facts.proved.verify_code = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
     },
     "chain_incomplete",
     "the server of example.com does not send the certificate of 'Test CA', which is not known here either"},
    {"Revoked", [](tls::Facts& facts) { facts.proved.verify_code = X509_V_ERR_CERT_REVOKED; }, "certificate_revoked",
     "certificate of example.com was revoked"},
    {"SomethingElse",
     [](tls::Facts& facts) {
       facts.proved.verify_code = X509_V_ERR_CA_MD_TOO_WEAK;
       facts.proved.verify_text = "CA signature digest algorithm too weak";
     },
     "untrusted", "certificate of example.com is not trusted: CA signature digest algorithm too weak"},
    {"Incomplete",
     [](tls::Facts& facts) {
       facts.proved.served.resize(1);
       facts.proved.chain_incomplete = true;
     },
     "chain_incomplete",
     "the server of example.com does not send the intermediate certificate 'Test CA', so other clients fail"},
};
INSTANTIATE_TEST_SUITE_P(All, TlsFault, ::testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(TlsJudge, SeveralFaultsAreAllTold) {
  auto facts = good();
  facts.proved.served[0].not_after = now - day;
  facts.proved.name_matches = false;
  facts.proved.verify_code = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
  const auto seen = judge(facts);
  EXPECT_EQ(seen.reason, "certificate_expired");
  ASSERT_GE(seen.evidence.size(), 2u);
  EXPECT_THAT(seen.evidence[seen.evidence.size() - 2].text, HasSubstr("not for example.com"));
  EXPECT_THAT(seen.evidence.back().text, HasSubstr("self-signed"));
}

TEST(TlsJudge, AnOldCertificateThatNobodyNeedsIsNoFault) {
  auto facts = good();
  facts.proved.served[1].not_after = now - day;
  EXPECT_EQ(judge(facts).outcome, Outcome::answered);
}

TEST(TlsJudge, JudgesTheDatesOnlyWhereThatIsWanted) {
  auto facts = good();
  facts.proved.name_matches = false;
  facts.proved.verify_code = X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
  EXPECT_EQ(judge(facts, "insecure: true").outcome, Outcome::answered);
  facts.proved.served[0].not_after = now - day;
  EXPECT_EQ(judge(facts, "insecure: true").reason, "certificate_expired");
}

TEST(TlsJudge, AllowsASelfSignedCertificateButNotAnotherName) {
  auto facts = good();
  facts.proved.verify_code = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT;
  EXPECT_EQ(judge(facts, "self_signed: allow").outcome, Outcome::answered);
  facts.proved.name_matches = false;
  EXPECT_EQ(judge(facts, "self_signed: allow").reason, "wrong_name");
}

TEST(TlsJudge, SurvivesDatesAtTheEndsOfTime) {
  auto facts = good();
  facts.proved.served[0].not_after = Wall::max();
  EXPECT_GT(judge(facts).samples.at(0).value, 200.0 * 365 * 86400);
  facts.proved.served[0].not_after = Wall::min();
  EXPECT_LT(judge(facts).samples.at(0).value, -300.0 * 365 * 86400);
}

TEST(TlsRun, TakesWhatTheServerProved) {
  vitald::testing::Surroundings around;
  vitald::testing::FakeNetwork network;
  network.proves = good().proved;
  network.answer({});
  around.network = &network;
  const auto facts = around.run(tls::run, config("server_name: www.example.com"));
  EXPECT_EQ(facts.proved.served.size(), 2u);
  EXPECT_TRUE(network.targets.at(0).tls->judge_later);
  EXPECT_EQ(network.targets.at(0).tls->server_name, "www.example.com");
  EXPECT_EQ(facts.now, around.clock.now().wall);
}

TEST(TlsRun, NoCertificateAtAllIsWrong) { EXPECT_EQ(judge(tls::Facts{}).reason, "no_certificate"); }

}  // namespace
}  // namespace vitald::probes
