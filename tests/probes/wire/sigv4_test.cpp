// Against the answers that Amazon publishes: "Signature Calculations for the Authorization Header" of the S3 API
// reference, with its documented example key.
#include "probes/wire/sigv4.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::wire {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

const Wall example_day{std::chrono::sys_days{std::chrono::year{2013} / 5 / 24}};

SigV4Key example_key() {
  return {.access_key = "AKIAIOSFODNN7EXAMPLE",
          .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
          .session_token = "",
          .region = "us-east-1"};
}

SigV4Request example(std::string path, Parameters query = {}, Parameters headers = {}) {
  return {.method = "GET",
          .host = "examplebucket.s3.amazonaws.com",
          .path = std::move(path),
          .query = std::move(query),
          .headers = std::move(headers),
          .body = ""};
}

std::string header(const Parameters& headers, std::string_view name) {
  for (const auto& [each, value] : headers) {
    if (each == name) return value;
  }
  return "";
}

std::string authorization(const SigV4Request& request) {
  return header(signed_headers(request, example_key(), example_day), "Authorization");
}

TEST(SigV4, GivesThePublishedAnswers) {
  EXPECT_EQ(authorization(example("/test.txt", {}, {{"range", "bytes=0-9"}})),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_THAT(authorization(example("/", {{"lifecycle", ""}})),
              EndsWith("Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
  EXPECT_THAT(authorization(example("/", {{"prefix", "J"}, {"max-keys", "2"}})),
              EndsWith("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

TEST(SigV4, SignsTheTokenOfTemporaryKeys) {
  auto key = example_key();
  key.session_token = "a token";
  const auto headers = signed_headers(example("/"), key, example_day);
  EXPECT_EQ(header(headers, "x-amz-security-token"), "a token");
  EXPECT_EQ(header(headers, "x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(header(headers, "x-amz-content-sha256"), sha256_hex(""));
  EXPECT_THAT(header(headers, "Authorization"),
              HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
}

TEST(SigV4, AWrongSecretGivesAnotherSignature) {
  auto key = example_key();
  const auto right = header(signed_headers(example("/"), key, example_day), "Authorization");
  key.secret_key.back() = 'Z';
  EXPECT_NE(header(signed_headers(example("/"), key, example_day), "Authorization"), right);
}

TEST(SigV4, HashesAsTheStandardSays) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SigV4, EncodesEachByteOnce) {
  EXPECT_EQ(percent_encoded("a key/ä+=&~._-", true), "a%20key/%C3%A4%2B%3D%26~._-");
  EXPECT_EQ(percent_encoded("a/b"), "a%2Fb");
  EXPECT_EQ(percent_encoded("%41"), "%2541");
}

TEST(SigV4, SortsTheQueryByItsEncodedNames) {
  EXPECT_EQ(canonical_query({{"prefix", "a/b"}, {"list-type", "2"}, {"flag", ""}}), "flag=&list-type=2&prefix=a%2Fb");
  EXPECT_EQ(canonical_query({}), "");
}

}  // namespace
}  // namespace vitald::wire
