// An HTTP/1.1 client for probes and for the sender: one request, bounded in every direction (RFC 9110, RFC 9112).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/result.hpp"
#include "probes/net/network.hpp"

namespace vitald::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Url {
  bool https = false;
  std::string host;        // IPv6 without brackets
  std::uint16_t port = 0;  // always set
  std::string path = "/";  // with the query, without the fragment
  std::string authority;   // as the Host header wants it
};

/// http and https only; user information in the address is an error (use basic_auth).
Result<Url> parse_url(std::string_view text);
/// RFC 3986 section 5: a Location against the address that it came from.
Result<Url> resolve_url(const Url& base, std::string_view location);

struct HttpLimits {
  std::size_t header_bytes = 64 * 1024;
  std::size_t body_bytes = 1 << 20;      // read at most this; the rest is left unread and `truncated` says so
  std::size_t decoded_bytes = 4 << 20;   // after gzip; more is a bomb and fails
  int interim_responses = 16;            // 1xx
  int redirects = 0;                     // follow at most this many
  bool redirect_to_other_host = true;    // where redirects are followed at all
  bool redirect_downgrade = false;       // https to http
};

struct HttpRequest {
  std::string method = "GET";
  Url url;
  Headers headers;              // Host, Content-Length, Connection and Accept-Encoding are ours unless given here
  std::string body;
  bool compressed = true;       // offer gzip and deflate
  std::string unix_path;        // connect here instead
  Family family = Family::any;
  TlsOptions tls;
  HttpLimits limits;
};

struct HttpResponse {
  int status = 0;
  std::string reason;
  int version = 11;
  Headers headers;               // names as sent
  std::string body;              // decoded
  bool truncated = false;
  int redirects = 0;             // followed
  std::string final_url;         // where redirects ended, or ""
  std::string peer;              // address used
  std::size_t received_bytes = 0;

  /// The first header of that name, case-insensitive, or nullptr.
  const std::string* header(std::string_view name) const;
};

/// Marks resolve, connect, tls, send, first_byte and rest. Throws probes::ProbeFailure: those of connect, and
/// closed_early, bad_response, header_too_large, decode_bomb, redirect_refused, too_many_redirects.
/// Authorization and Cookie go nowhere but to the first origin.
awaitable<HttpResponse> fetch(Network& network, const HttpRequest& request, PhaseLog& phases);

}  // namespace vitald::net
