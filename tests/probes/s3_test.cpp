#include "probes/s3.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_network.hpp"
#include "tests/support/parsed.hpp"
#include "tests/support/probe_run.hpp"

namespace vitald::probes {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using vitald::testing::FakeNetwork;
using vitald::testing::parse_yaml;
using vitald::testing::Surroundings;

constexpr Duration hour = std::chrono::hours(1), day = std::chrono::hours(24);

constexpr auto base = "endpoint: http://minio:9000\nbucket: abrm-backups\n";
constexpr auto keys = "access_key: AKIAIOSFODNN7EXAMPLE\nsecret_key: hush\n";

s3::Config config(const std::string& yaml = "") { return parse_yaml(s3::parse, base + yaml).config; }

std::string evidence(const Observation& seen, std::string_view label) {
  for (const Evidence& each : seen.evidence) {
    if (each.label == label) return each.text;
  }
  return "";
}

std::string http(int status, const std::string& body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string error(int status, const std::string& code, const std::string& headers = "") {
  return http(status, "<Error><Code>" + code + "</Code><Message>because</Message></Error>", headers);
}

struct Listed {
  std::string key;
  Duration age;
  int size = 1 << 20;
};

std::string list(const std::vector<Listed>& objects, Wall now, const std::string& next = "") {
  std::string xml = "<ListBucketResult>";
  for (const auto& each : objects)
    xml += "<Contents><Key>" + each.key + "</Key><LastModified>" + rfc3339(now - each.age) + "</LastModified><ETag>\"" +
           std::to_string(each.size) + "\"</ETag><Size>" + std::to_string(each.size) + "</Size></Contents>";
  if (!next.empty())
    xml += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + next + "</NextContinuationToken>";
  return http(200, xml + "</ListBucketResult>");
}

TEST(S3Parse, TakesItsOptions) {
  const auto parsed =
      parse_yaml(s3::parse,
                 "bucket: b.u-c\nregion: eu-central-1\nprefix: core_db/\nmatching: '*.gz'\nstyle: virtual\n"
                 "access_key: { file: /k }\nsecret_key: { file: /s }\nsession_token: { file: /t }\n"
                 "minimum_size: 1MiB\nkeep: 30\ndelete_after: 35d\nversioning: required\n"
                 "tls: { ca_file: /ca.pem }\n");
  EXPECT_EQ(parsed.problems, "");
  EXPECT_EQ(parsed.config.target(), "b.u-c.s3.eu-central-1.amazonaws.com");
  EXPECT_EQ(parsed.config.request.url.host, "b.u-c.s3.eu-central-1.amazonaws.com");
  EXPECT_TRUE(parsed.config.request.url.https);
  EXPECT_EQ(parsed.config.request.tls.ca_file, "/ca.pem");
  EXPECT_EQ(parsed.config.rules.keep, 30);
  EXPECT_TRUE(parsed.config.versions_required);
  EXPECT_EQ(parsed.config.place(), "core_db/ in bucket b.u-c");
  EXPECT_EQ(config().target(), "minio:9000");
}

TEST(S3Parse, NamesMistakes) {
  const std::pair<std::string, const char*> cases[] = {
      {"endpoint: http://minio:9000", "needs 'bucket'"},
      {"bucket: a/b", "3 to 63 letters"},
      {"bucket: ab", "3 to 63 letters"},
      {"bucket: abc\nendpoint: minio:9000", "http"},
      {"bucket: abc\nendpoint: https://minio:9000/base", "without a path"},
      {"bucket: abc\nstyle: host", "expected path or virtual"},
      {"bucket: abc\naccess_key: { file: /k }", "'access_key' and 'secret_key' go together"},
      {"bucket: abc\nsecret_key: { file: /k }", "'access_key' and 'secret_key' go together"},
      {"bucket: abc\nsession_token: { file: /k }", "'session_token' goes with"},
      {"bucket: abc\nlisting: false", "nothing is left to look at"},
      {"bucket: abc\nversioning: maybe", "expected any or required"},
      {"bucket: abc\nfiles: x", "unknown key 'files'"},
  };
  for (const auto& [yaml, words] : cases) EXPECT_THAT(parse_yaml(s3::parse, yaml).problems, HasSubstr(words)) << yaml;
}

TEST(S3Request, IsSignedForWhatItAsks) {
  const Wall at = Wall{} + 20'000 * day;
  const wire::Parameters query{{"list-type", "2"}, {"prefix", "a b/"}};
  const auto path = s3::signed_request(config(keys), query, at);
  EXPECT_EQ(path.url.path, "/abrm-backups?list-type=2&prefix=a%20b%2F");
  EXPECT_EQ(path.headers.size(), 3u);
  EXPECT_THAT(path.headers.back().second,
              StartsWith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20241004/us-east-1/"));
  EXPECT_THAT(path.headers.back().second, Not(HasSubstr("hush")));
  const auto in_name = s3::signed_request(config(std::string(keys) + "style: virtual"), query, at);
  EXPECT_EQ(in_name.url.path, "/?list-type=2&prefix=a%20b%2F");
  EXPECT_EQ(in_name.url.authority, "abrm-backups.minio:9000");
  EXPECT_NE(in_name.headers.back().second, path.headers.back().second);
  EXPECT_TRUE(s3::signed_request(config(), query, at).headers.empty());  // without a key nobody signs
}

class S3Run : public ::testing::Test {
 protected:
  S3Run() { around.network = &network; }
  Observation observe(const s3::Config& check) {
    auto seen = s3::judge(check, around.run(s3::run, check));
    if (seen.memory) around.memory = *seen.memory;
    return seen;
  }
  ProbeFailure failure(const std::string& answer, const s3::Config& check = config(keys)) {
    network.answer({answer});
    try {
      observe(check);
    } catch (const ProbeFailure& thrown) {
      return thrown;
    }
    return {Outcome::answered, "", "nothing was wrong"};
  }
  Wall now() const { return around.clock.at.wall; }

  Surroundings around;
  FakeNetwork network;
};

TEST_F(S3Run, FindsTheNewestOnWhateverPage) {
  network.answer({list({{"core_db/a.gz", 50 * hour}, {"core_db/b.gz", 2 * hour, 3 << 20}}, now(), "go/on==")});
  network.answer({list({{"core_db/c.gz", 26 * hour}, {"core_db/", 0 * hour, 0}, {"core_db/d.txt", hour}}, now())});
  const auto seen = observe(config("prefix: core_db/\nmatching: '*.gz'\nkeep: 5"));
  EXPECT_EQ(seen.outcome, Outcome::answered);
  EXPECT_EQ(seen.summary, "b.gz, 2 h old, 3 MiB; 3 backups in all");
  EXPECT_THAT(network.sent,
              HasSubstr("GET /abrm-backups?encoding-type=url&list-type=2&max-keys=1000&prefix=core_db%2F HTTP"));
  EXPECT_THAT(network.sent, HasSubstr("continuation-token=go%2Fon%3D%3D&"));
  EXPECT_THAT(evidence(seen, "backups"), StartsWith("core_db/b.gz: 3 MiB, 2 h old\n"));
}

TEST_F(S3Run, WhereNothingIs) {
  network.answer({list({}, now())});
  EXPECT_EQ(observe(config()).summary, "no object is in bucket abrm-backups");
  network.answer({list({{"core_db/x.txt", hour}}, now())});
  const auto seen = observe(config("prefix: core_db/\nmatching: '*.gz'"));
  EXPECT_EQ(seen.reason, "no_object");
  EXPECT_EQ(seen.outcome, Outcome::wrong);
  EXPECT_EQ(seen.summary, "no object that matches *.gz is in core_db/ in bucket abrm-backups, but 1 other object");
}

TEST_F(S3Run, OneThatIsOverwrittenEachNightMayShrink) {
  for (int night = 0; night < 4; ++night) {
    network.answer({list({{"latest.gz", hour, 100'000 + night}}, now())});
    observe(config());
  }
  network.answer({list({{"latest.gz", hour, 40'000}}, now())});
  const auto seen = observe(config());
  double shrink = 0;
  for (const Sample& sample : seen.samples) shrink = sample.name == "shrink" ? sample.value : shrink;
  EXPECT_NEAR(shrink, 0.6, 0.001);
}

TEST_F(S3Run, VersionsAreAskedForWhereTheyAreWanted) {
  const auto check = config("versioning: required\nlisting: false");
  network.answer({http(200, "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")});
  EXPECT_EQ(observe(check).summary, "bucket abrm-backups keeps versions");
  EXPECT_THAT(network.sent, HasSubstr("GET /abrm-backups?versioning= HTTP"));
  network.answer({http(200, "<VersioningConfiguration/>")});
  EXPECT_EQ(observe(check).summary, "bucket abrm-backups keeps no versions: versioning is off");
  network.answer({error(403, "AccessDenied")});
  EXPECT_EQ(observe(check).outcome, Outcome::unmeasured);
  network.answer({list({}, now())});
  network.answer({error(403, "AccessDenied")});
  const auto hidden = observe(config("versioning: required"));
  EXPECT_EQ(hidden.reason, "no_object");  // what is the target's outranks what is ours
  EXPECT_THAT(evidence(hidden, "also"), HasSubstr("without a key"));
  network.answer({list({{"a.gz", hour}}, now())});
  network.answer({http(200, "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")});
  const auto both = observe(config("versioning: required"));
  EXPECT_EQ(both.reason, "versioning_off");
  EXPECT_THAT(both.summary, HasSubstr("suspended"));
  EXPECT_FALSE(both.samples.empty());
}

TEST_F(S3Run, ErrorsAreToldApart) {
  struct Case {
    std::string answer;
    Outcome outcome;
    const char* reason;
    const char* words;
  };
  const Case cases[] = {
      {error(403, "AccessDenied"), Outcome::unmeasured, "access_denied", "does not let the check's key look at bucket"},
      {error(403, "InvalidAccessKeyId"), Outcome::unmeasured, "wrong_key", "does not know the check's access key"},
      {error(403, "SignatureDoesNotMatch"), Outcome::unmeasured, "wrong_key", "does not take the check's secret key"},
      {error(400, "ExpiredToken"), Outcome::unmeasured, "expired_key", "expired"},
      {error(403, "RequestTimeTooSkewed"), Outcome::unmeasured, "clock_skew", "another time than this host"},
      {error(301, "PermanentRedirect", "x-amz-bucket-region: eu-west-1\r\n"), Outcome::unmeasured, "wrong_region",
       "bucket abrm-backups is in region eu-west-1, not in us-east-1"},
      {error(404, "NoSuchBucket"), Outcome::wrong, "no_bucket",
       "S3 at minio:9000 has no bucket of that name (bucket abrm-backups)"},
      {error(503, "SlowDown"), Outcome::wrong, "slow_down", "fewer requests"},
      {error(500, "InternalError"), Outcome::wrong, "server_error", "error of its own"},
      {error(418, "Teapot"), Outcome::wrong, "refused_request", "refused to list: Teapot: because"},
      {http(502, "<html>Bad Gateway</html>"), Outcome::wrong, "server_error",
       "answered 502 Whatever instead of a list"},
      {http(404, "not found"), Outcome::wrong, "bad_answer", "404"},
      {http(200, "<html>console</html>"), Outcome::wrong, "bad_answer", "is no answer of S3"},
      {http(200, "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"), Outcome::wrong, "bad_answer",
       "breaks off"},
  };
  for (const auto& row : cases) {
    const auto thrown = failure(row.answer);
    EXPECT_EQ(thrown.outcome, row.outcome) << row.answer;
    EXPECT_EQ(thrown.reason, row.reason);
    EXPECT_THAT(thrown.what(), HasSubstr(row.words));
    EXPECT_TRUE(row.outcome != Outcome::unmeasured || !thrown.remedy.empty()) << row.reason;
  }
  EXPECT_THAT(failure(error(403, "AccessDenied"), config()).what(), HasSubstr("without a key"));
}

TEST_F(S3Run, ABucketWithoutEndIsGivenUp) {
  for (int page = 0; page < 20; ++page) network.answer({list({{"a.gz", hour}}, now(), "more")});
  try {
    observe(config());
    ADD_FAILURE();
  } catch (const ProbeFailure& thrown) {
    EXPECT_EQ(thrown.outcome, Outcome::unmeasured);
    EXPECT_EQ(thrown.reason, "too_many_objects");
    EXPECT_THAT(thrown.remedy, HasSubstr("prefix"));
  }
}

TEST_F(S3Run, ABigPageIsParsedOnAWorker) {
  std::vector<Listed> many;
  for (int i = 0; i < 900; ++i) many.push_back({"db-" + std::to_string(i) + ".gz", (i + 1) * hour});
  network.answer({list(many, now())});
  EXPECT_THAT(observe(config()).summary, StartsWith("db-0.gz, 1 h old"));
  EXPECT_EQ(around.workers.keys, std::vector<std::string>{"list of minio:9000"});
}

TEST_F(S3Run, ForeignWordsCannotSpoilAMessage) {
  network.answer({list({{"&#27;[31m&#10;evil", hour}}, now())});
  EXPECT_THAT(observe(config()).summary, StartsWith("?[31m evil"));
  const auto thrown = failure(http(400, "<Error><Code>A&#27;B</Code><Message>&#10;x</Message></Error>"));
  EXPECT_THAT(thrown.what(), HasSubstr("A?B"));
}

}  // namespace
}  // namespace vitald::probes
