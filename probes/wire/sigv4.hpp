// AWS Signature Version 4 in the Authorization header, as S3 and what speaks like it want it (each part of the path
// encoded once, nothing normalised). Pure: bytes in, headers out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/now.hpp"

namespace vitald::wire {

using Parameters = std::vector<std::pair<std::string, std::string>>;

/// RFC 3986: everything but letters, digits, '-', '_', '.' and '~' becomes %XX; with `slashes` '/' stays as well.
std::string percent_encoded(std::string_view text, bool slashes = false);
/// Sorted as a signature wants it: "max-keys=2&prefix=J".
std::string canonical_query(const Parameters& query);
/// hex(SHA-256(text)).
std::string sha256_hex(std::string_view text);

struct SigV4Key {
  std::string access_key, secret_key;
  std::string session_token;  // of temporary keys, or ""
  std::string region, service = "s3";
};

struct SigV4Request {
  std::string method = "GET";
  std::string host;    // as the Host header has it: "example.com", "127.0.0.1:9000"
  std::string path;    // not encoded: "/bucket/a key"
  Parameters query;    // not encoded
  Parameters headers;  // further ones to sign; the names in lower case
  std::string_view body;
};

/// The headers that the signature needs, but for Host: x-amz-date, x-amz-content-sha256, x-amz-security-token,
/// Authorization. Whoever sends the request adds `request.headers` unchanged.
Parameters signed_headers(const SigV4Request& request, const SigV4Key& key, Wall at);

}  // namespace vitald::wire
