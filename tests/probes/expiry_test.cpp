#include "probes/expiry.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "tests/support/certificates.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr Duration hour = std::chrono::hours(1), day = std::chrono::hours(24);

expiry::Config config(const std::string& items) { return parse_yaml(expiry::parse, "items:\n" + items).config; }

Wall wall(int year, unsigned month, unsigned date) {
  return Wall(std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(date))
                  .time_since_epoch());
}

std::string evidence(const Observation& seen, std::string_view label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

TEST(ExpiryParse, TakesItsOptions) {
  const auto parsed = parse_yaml(expiry::parse,
                                 "items:\n"
                                 "  - { name: domain, on: 2027-01-15 }\n"
                                 "  - { name: JWT signing key, rotated: 2026-11-05, max_age: 30d }\n"
                                 "  - { name: deploy key, file: /k, max_age: 90d }\n"
                                 "  - { name: client certificate, certificate: /c.pem }\n");
  EXPECT_EQ(parsed.problems, "");
  ASSERT_EQ(parsed.config.items.size(), 4u);
  EXPECT_EQ(expiry::say_day(*parsed.config.items[0].on), "2027-01-15");
  EXPECT_EQ(parsed.config.items[1].max_age, 30 * day);
  EXPECT_EQ(parsed.config.items[2].file, "/k");
  EXPECT_EQ(parsed.config.items[3].certificate, "/c.pem");
}

TEST(ExpiryParse, NamesMistakes) {
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "needs 'items'"},
      {"items: []", "needs 'items'"},
      {"items: [ { on: 2027-01-15 } ]", "needs 'name'"},
      {"items: [ { name: a } ]", "needs one of 'on', 'rotated', 'file' and 'certificate'"},
      {"items: [ { name: a, on: 2027-01-15, file: /x, max_age: 1d } ]", "needs one of"},
      {"items: [ { name: a, rotated: 2027-01-15 } ]", "need 'max_age'"},
      {"items: [ { name: a, file: /x } ]", "need 'max_age'"},
      {"items: [ { name: a, on: 2027-01-15, max_age: 1d } ]", "goes with 'rotated' or 'file' only"},
      {"items: [ { name: a, certificate: /x, max_age: 1d } ]", "goes with 'rotated' or 'file' only"},
      {"items: [ { name: a, certificate: x } ]", "absolute path"},
      {"items: [ { name: a, on: soon } ]", "expected a date such as 2027-01-15, found 'soon'"},
      {"items: [ { name: a, on: 2027-02-30 } ]", "expected a date"},
      {"items: [ { name: a, on: 2027-2-3 } ]", "expected a date"},
      {"items: [ { name: a, on: 1969-12-31 } ]", "expected a date"},
      {"items: [ { name: a, on: 9999-12-31 } ]", "expected a date"},
      {"items: [ { name: a, on: [] } ]", "expected a date such as 2027-01-15, found a list"},
      {"items: [ { name: a, rotated: 2027-01-15, max_age: 90 } ]", "units"},
      {"items: [ { name: a, on: 2027-01-15 }, { name: a, on: 2027-01-16 } ]", "'a' stands twice"},
      {"items: [ { name: a, when: 2027-01-15 } ]", "unknown key 'when'"},
  };
  for (const auto& [yaml, words] : cases)
    EXPECT_THAT(parse_yaml(expiry::parse, yaml).problems, HasSubstr(words)) << yaml;
  std::string many = "items:\n";
  for (int i = 0; i < 51; ++i) many += "  - { name: n" + std::to_string(i) + ", on: 2027-01-15 }\n";
  EXPECT_THAT(parse_yaml(expiry::parse, many).problems, HasSubstr("more than 50"));
}

class ExpiryRun : public ::testing::Test {
 protected:
  Observation observe(const std::string& items) {
    const auto check = config(items);
    return expiry::judge(check, around.run(expiry::run, check));
  }
  void at(Wall wall) { around.clock.at.wall = wall; }

  Surroundings around;
};

TEST_F(ExpiryRun, SaysWhatComesNext) {
  at(wall(2026, 11, 29) + 12 * hour);
  const auto seen = observe(
      "  - { name: domain example.com, on: 2027-01-15 }\n"
      "  - { name: JWT signing key, rotated: 2026-11-05, max_age: 30d }\n"
      "  - { name: API keys, rotated: 2026-10-30, max_age: 60d }\n");
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "JWT signing key must be rotated by 2026-12-05, in 6 d; 2 more later");
  EXPECT_EQ(evidence(seen, "items"),
            "JWT signing key must be rotated by 2026-12-05, in 6 d\n"
            "API keys must be rotated by 2026-12-29, in 30 d\n"
            "domain example.com expires on 2027-01-15, in 47 d");
  ASSERT_EQ(seen.samples.size(), 3u);
  EXPECT_EQ(seen.samples[0].labels, (Labels{{"item", "JWT signing key"}}));
  EXPECT_EQ(seen.samples[0].value, 6.5 * 86400);
  EXPECT_EQ(seen.samples[0].says, "JWT signing key must be rotated by 2026-12-05, in 6 d");
  EXPECT_TRUE(around.workers.keys.empty());  // no file, no worker
}

TEST_F(ExpiryRun, ADayIsGoodToItsLastSecond) {
  const std::string on = "  - { name: it, on: 2027-01-15 }\n";
  at(wall(2027, 1, 15));
  EXPECT_EQ(observe(on).summary, "it expires on 2027-01-15, in 1 d");
  at(wall(2027, 1, 16) - std::chrono::seconds(1));
  EXPECT_EQ(observe(on).samples[0].value, 1);
  at(wall(2027, 1, 16));
  EXPECT_EQ(observe(on).samples[0].value, 0);
  at(wall(2027, 1, 28) + 5 * hour);
  EXPECT_EQ(observe(on).summary, "it expired on 2027-01-15, 12 d ago");
  EXPECT_EQ(observe("  - { name: JWT signing key, rotated: 2026-12-16, max_age: 30d }\n").summary,
            "JWT signing key is 12 d overdue: it had to be rotated by 2027-01-15");
}

TEST_F(ExpiryRun, AFileIsAsOldAsItsLastWriting) {
  around.folder.write("/key", "secret");
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = 0}, {.tv_sec = 1'700'000'000, .tv_nsec = 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (around.folder.path() + "/key").c_str(), times, 0), 0);
  at(Wall(std::chrono::seconds(1'700'000'000)) + 83 * day);
  const auto seen = observe("  - { name: PROD_SSH_KEY, file: /key, max_age: 90d }\n");
  EXPECT_EQ(seen.samples.at(0).value, 7 * 86400);
  EXPECT_EQ(seen.summary, "PROD_SSH_KEY must be rotated by 2024-02-12, in 7 d");
  EXPECT_EQ(around.workers.keys.size(), 1u);
}

TEST_F(ExpiryRun, TheFirstCertificateToExpireCounts) {
  using vitald::testing::make_identity;
  const auto soon = make_identity({.subject = "soon.example", .to_days = 10});
  const auto late = make_identity({.subject = "late.example", .to_days = 300});
  vitald::testing::write_certificates(around.folder.path() + "/chain.pem", {late, soon});
  BIO* file = BIO_new_file((around.folder.path() + "/late.der").c_str(), "wb");
  i2d_X509_bio(file, late.certificate.get());
  BIO_free(file);
  at(std::chrono::floor<std::chrono::seconds>(Wall(std::chrono::system_clock::now().time_since_epoch())));
  const auto seen = observe(
      "  - { name: mail server, certificate: /chain.pem }\n"
      "  - { name: backup server, certificate: /late.der }\n");
  EXPECT_EQ(seen.outcome, Outcome::answered) << seen.summary;
  EXPECT_THAT(seen.summary, StartsWith("mail server expires on "));
  EXPECT_NEAR(seen.samples.at(0).value, 10 * 86400, 60);
  EXPECT_NEAR(seen.samples.at(1).value, 300 * 86400, 60);
  EXPECT_THAT(evidence(seen, "items"), HasSubstr("(soon.example)\nbackup server expires on "));
}

TEST_F(ExpiryRun, TroubleWithOneFileIsThatItemsAlone) {
  around.folder.write("/not.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  around.folder.write("/ssh.pub", "ssh-ed25519-cert-v01@openssh.com AAAA");
  at(wall(2026, 11, 29));
  const auto seen = observe(
      "  - { name: domain, on: 2027-01-15 }\n"
      "  - { name: gone, file: /gone, max_age: 90d }\n"
      "  - { name: bad, certificate: /not.pem }\n"
      "  - { name: cut, certificate: /ssh.pub }\n"
      "  - { name: away, certificate: /away.pem }\n");
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.reason, "missing");
  EXPECT_EQ(seen.summary, "gone: /gone is not there");
  EXPECT_EQ(seen.samples.size(), 1u);
  std::string others;
  for (const Evidence& each : seen.evidence) others += each.label == "also" ? each.text + "\n" : "";
  EXPECT_EQ(others,
            "bad: /not.pem holds no certificate\ncut: /ssh.pub is no complete SSH certificate\n"
            "away: /away.pem is not there\n");
}

TEST_F(ExpiryRun, ARotationYetToComeIsAMistakeOfOurs) {
  at(wall(2026, 11, 29));
  const auto seen = observe("  - { name: key, rotated: 2027-11-05, max_age: 30d }\n");
  EXPECT_EQ(seen.outcome, Outcome::unmeasured);
  EXPECT_EQ(seen.reason, "future:key");
  EXPECT_THAT(seen.summary, HasSubstr("which is yet to come"));
  EXPECT_EQ(observe("  - { name: key, rotated: 2026-11-30, max_age: 30d }\n").outcome,
            Outcome::answered);  // east of us
}

TEST(ExpiryJudge, WhatNeverEndsHasNothingLeftToSay) {
  const auto check = config("  - { name: key, certificate: /x }\n");
  const auto seen = expiry::judge(check, {.found = {{}}, .now = wall(2026, 11, 29)});
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "nothing of it ever expires");
  EXPECT_TRUE(seen.samples.empty());
}

TEST(ExpiryJudge, TheFurthestTimesDoNotOverflow) {
  const auto check = config("  - { name: a, certificate: /x }\n  - { name: b, certificate: /y }\n");
  const expiry::Facts facts{.found = {{.end = Wall::max() - 2 * day}, {.end = Wall{}}}, .now = wall(2026, 11, 29)};
  EXPECT_THAT(evidence(expiry::judge(check, facts), "items"), HasSubstr("b expired on 1969-12-31"));
}

}  // namespace
}  // namespace vitald::probes
