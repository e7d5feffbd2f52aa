// What S3 and its kin answer, out of XML: the list of a bucket, whether it keeps versions, and errors. Bounded, without
// entities of the document's own; names are matched without their namespace, which differs from server to server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/now.hpp"
#include "config/result.hpp"

namespace vitald::wire::s3 {

struct Object {
  std::string key;
  std::string etag;  // letters and digits only
  double size = 0;
  Wall modified{};
};

/// One page of ListObjectsV2.
struct Page {
  std::vector<Object> objects;
  std::string next;  // the continuation token, or "" on the last page
};

struct Error {
  std::string code;     // "NoSuchBucket"
  std::string message;  // foreign text
  std::string region;   // where the bucket is, if it says so
};

/// More than a page of 1000 objects can need.
constexpr std::size_t most_bytes = 4 << 20;
constexpr std::size_t most_tags = 64 * 1024;

Result<Page> parse_list(std::string_view xml);
/// "Enabled", "Suspended", or "" for a bucket that never had versions.
Result<std::string> parse_versioning(std::string_view xml);
/// Nothing where it is no error of S3's.
std::optional<Error> parse_error(std::string_view xml);

/// "2026-11-28T02:00:11.000Z".
std::optional<Wall> parse_time(std::string_view text);

}  // namespace vitald::wire::s3
