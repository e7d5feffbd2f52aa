#include "probes/wire/s3.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitald::wire::s3 {
namespace {

using ::testing::HasSubstr;

constexpr auto page = R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>abrm-backups</Name><Prefix>core_db/</Prefix>
<KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J==</NextContinuationToken>
<Contents><Key>core_db/2026-11-27+a%2Bb.sql.gz</Key><LastModified>2026-11-27T02:00:11.000Z</LastModified>
<ETag>&quot;fba9dede5f27731c9771645a39863328-2&quot;</ETag><Size>434234</Size>
<StorageClass>STANDARD</StorageClass></Contents>
<Contents><Key>core_db/2026-11-28.sql.gz</Key><LastModified>2026-11-28T02:00:12Z</LastModified>
<ETag>"0"</ETag><Size>0</Size></Contents></ListBucketResult>)";

TEST(S3List, IsRead) {
  const auto read = parse_list(page);
  ASSERT_TRUE(read) << read.failure().what;
  ASSERT_EQ(read->objects.size(), 2u);
  const auto& first = read->objects[0];
  EXPECT_EQ(first.key, "core_db/2026-11-27 a+b.sql.gz");
  EXPECT_EQ(first.etag, "fba9dede5f27731c9771645a39863328-2");
  EXPECT_EQ(first.size, 434234);
  EXPECT_EQ(first.modified, Wall(std::chrono::sys_days(std::chrono::year{2026} / 11 / 27).time_since_epoch() +
                                 std::chrono::seconds(2 * 3600 + 11)));
  EXPECT_EQ(read->next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J==");
}

TEST(S3List, NamespacesAndEncodingsDiffer) {
  const auto read = parse_list(
      "<s3:ListBucketResult xmlns:s3='http://doc.s3.amazonaws.com/2006-03-01'><s3:Contents><s3:Key>a+b%20</s3:Key>"
      "<s3:LastModified>2026-11-28T02:00:12.5Z</s3:LastModified><s3:Size>7</s3:Size></s3:Contents>"
      "<s3:IsTruncated>false</s3:IsTruncated></s3:ListBucketResult>");
  ASSERT_TRUE(read) << read.failure().what;
  EXPECT_EQ(read->objects.at(0).key, "a+b%20");  // no encoding was announced
  EXPECT_EQ(read->next, "");
}

TEST(S3List, WhatIsNoneIsRefused) {
  const std::string contents =
      "<Contents><Key>a</Key><LastModified>2026-11-28T02:00:12Z</LastModified><Size>1</Size></Contents>";
  const auto list = [](const std::string& inside) { return "<ListBucketResult>" + inside + "</ListBucketResult>"; };
  const std::string cases[] = {
      "",
      "<html><body>502</body></html>",
      "<ListBucketResult><Contents>",
      "<Error><Code>NoSuchBucket</Code></Error>",
      list("<Contents><Key>a</Key><Size>1</Size></Contents>"),
      list("<Contents><Key>a</Key><LastModified>yesterday</LastModified><Size>1</Size></Contents>"),
      list("<Contents><Key>a</Key><LastModified>2026-11-28T02:00:12Z</LastModified><Size>big</Size></Contents>"),
      list("<IsTruncated>true</IsTruncated>"),
      std::string(most_bytes + 1, ' '),
  };
  for (const auto& xml : cases) EXPECT_FALSE(parse_list(xml)) << xml.substr(0, 100);
  EXPECT_TRUE(parse_list(list(contents)));
  std::string many;
  for (int i = 0; i < 2001; ++i) many += contents;
  EXPECT_FALSE(parse_list(list(many)));
}

TEST(S3List, ABombStaysSmall) {
  std::string nodes = "<ListBucketResult>";
  while (nodes.size() < most_bytes - 100) nodes += "<a/>";
  EXPECT_FALSE(parse_list(nodes + "</ListBucketResult>"));
  EXPECT_FALSE(parse_list("<!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY l1 '&lol;&lol;'>]><ListBucketResult>&l1;"));
  std::string deep;
  for (int i = 0; i < 60'000; ++i) deep += "<a>";
  EXPECT_FALSE(parse_list(deep));
}

TEST(S3Versioning, SaysTheState) {
  EXPECT_EQ(*parse_versioning("<VersioningConfiguration xmlns='x'><Status>Enabled</Status></VersioningConfiguration>"),
            "Enabled");
  EXPECT_EQ(*parse_versioning("<VersioningConfiguration/>"), "");
  EXPECT_FALSE(parse_versioning("<html/>"));
}

TEST(S3Error, SaysItsCode) {
  const auto error = parse_error(
      "<?xml version='1.0'?><Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message>"
      "<Region>eu-west-1</Region></Error>");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, "AuthorizationHeaderMalformed");
  EXPECT_EQ(error->message, "the region is wrong");
  EXPECT_EQ(error->region, "eu-west-1");
  EXPECT_FALSE(parse_error("<html/>"));
  EXPECT_FALSE(parse_error("502 Bad Gateway"));
}

TEST(S3Time, IsIso8601) {
  EXPECT_EQ(parse_time("1970-01-02T00:00:01.999Z"), Wall(std::chrono::seconds(86401)));
  for (const auto* text : {"", "2026-11-28", "2026-11-28 02:00:12Z", "2026-13-28T02:00:12Z", "2026-11-31T02:00:12Z",
                           "2026-11-28T24:00:12Z", "1969-11-28T02:00:12Z", "9999-11-28T02:00:12Z",
                           "2026-11-28T02:00:12+01:00", "20x6-11-28T02:00:12Z"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

}  // namespace
}  // namespace vitald::wire::s3
