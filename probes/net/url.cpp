#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "config/ascii.hpp"
#include "probes/net/address.hpp"
#include "probes/net/http.hpp"

namespace vitald::net {
namespace {

constexpr std::size_t longest = 8192;

bool is_alpha(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

Failure bad(std::string what) { return Failure{"", std::move(what)}; }

/// The scheme in front of ":", in lower case, or nothing: "a/b:c" and "?x:y" have none (RFC 3986 section 3.1).
std::optional<std::string> scheme_of(std::string_view text) {
  const auto end = text.find_first_of(":/?#");
  if (end == std::string_view::npos || end == 0 || text[end] != ':' || !is_alpha(text[0])) return std::nullopt;
  std::string scheme(text.substr(0, end));
  for (auto& c : scheme) {
    if (!is_alpha(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return std::nullopt;
    c = ascii_lower(c);
  }
  return scheme;
}

Result<std::uint16_t> parse_port(std::string_view text, std::uint16_t otherwise) {
  if (text.empty()) return otherwise;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535)
    return bad("the port must be a number from 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

Result<std::string> parse_bracketed(std::string_view host) {
  std::string out(host);
  // RFC 6874 writes the zone as %25eth0; people write %eth0.
  if (const auto zone = out.find("%25"); zone != std::string::npos) out.erase(zone + 1, 2);
  const auto bare = out.substr(0, out.find('%'));
  if (bare.find(':') == std::string::npos || !numeric_address(bare, 0))
    return bad("[" + std::string(host) + "] is no IPv6 address");
  for (auto& c : out) c = ascii_lower(c);
  return out;
}

Result<std::string> parse_host(std::string_view host) {
  if (host.empty()) return bad("the host is missing");
  if (host.size() > 255) return bad("the host is longer than 255 characters");
  std::string out;
  for (const char c : host) {
    const bool plain =
        is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    if (!plain) return bad(std::string("the host may not contain '") + c + "'");
    out += ascii_lower(c);
  }
  return out;
}

/// "user@" was refused before. Fills host, port and authority.
Result<void> parse_authority(std::string_view text, Url& url) {
  const std::uint16_t usual = url.https ? 443 : 80;
  std::string_view port_text;
  Result<std::string> host = bad("");
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return bad("the ] after the IPv6 address is missing");
    host = parse_bracketed(text.substr(1, end - 1));
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return bad("only a port may follow the ]");
    port_text = rest.empty() ? rest : rest.substr(1);
  } else {
    const auto colon = text.find(':');
    host = parse_host(text.substr(0, colon));
    if (colon != std::string_view::npos) port_text = text.substr(colon + 1);
  }
  if (!host) return host.failure();
  const auto port = parse_port(port_text, usual);
  if (!port) return port.failure();
  url.host = *host;
  url.port = *port;
  // A zone means something on this host only and never goes to the server (RFC 6874 section 4).
  url.authority =
      url.host.find(':') != std::string::npos ? "[" + url.host.substr(0, url.host.find('%')) + "]" : url.host;
  if (url.port != usual) url.authority += ":" + std::to_string(url.port);
  return {};
}

/// RFC 3986 section 5.2.4, on a path without its query.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  bool folder = false;
  for (std::size_t at = 1; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    folder = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    at = end + 1;
  }
  std::string out;
  for (const auto segment : kept) out.append("/").append(segment);
  if (folder || out.empty()) out += "/";
  return out;
}

/// Path and query as the request line wants them. Bytes beyond ASCII are percent-encoded: the line is ASCII.
std::string request_target(std::string_view rest) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  rest = rest.substr(0, rest.find('#'));
  std::string out;
  if (rest.empty() || rest.front() != '/') out += '/';
  for (const char c : rest) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
      continue;
    }
    out += '%';
    out += hex[byte >> 4];
    out += hex[byte & 15];
  }
  return out;
}

Result<void> check_characters(std::string_view text) {
  if (text.size() > longest) return bad("the address is longer than 8192 characters");
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '\\')
      return bad("the address may not contain spaces, control characters or backslashes");
  return {};
}

std::pair<std::string_view, std::string_view> split_query(std::string_view path) {
  const auto at = std::min(path.find('?'), path.size());
  return {path.substr(0, at), path.substr(at)};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (auto clean = check_characters(text); !clean) return clean.failure();
  const auto scheme = scheme_of(text);
  if (!scheme || (*scheme != "http" && *scheme != "https"))
    return bad("the address must begin with http:// or https://");
  Url url;
  url.https = *scheme == "https";
  auto rest = text.substr(scheme->size() + 1);
  if (!rest.starts_with("//")) return bad("the address must begin with " + *scheme + "://");
  rest.remove_prefix(2);
  const auto end = std::min(rest.find_first_of("/?#"), rest.size());
  const auto authority = rest.substr(0, end);
  if (authority.find('@') != std::string_view::npos)
    return bad("a user name or password in the address is not taken; use basic_auth");
  if (auto parsed = parse_authority(authority, url); !parsed) return parsed.failure();
  url.path = request_target(rest.substr(end));
  return url;
}

Result<Url> resolve_url(const Url& base, std::string_view location) {
  while (!location.empty() && (location.front() == ' ' || location.front() == '\t')) location.remove_prefix(1);
  while (!location.empty() && (location.back() == ' ' || location.back() == '\t')) location.remove_suffix(1);
  const std::string scheme = base.https ? "https:" : "http:";
  auto url = Result<Url>(base);
  if (scheme_of(location)) {
    url = parse_url(location);
  } else if (location.starts_with("//")) {
    url = parse_url(scheme + std::string(location));
  } else {
    if (auto clean = check_characters(location); !clean) return clean.failure();
    const auto reference = location.substr(0, location.find('#'));
    const auto [base_path, base_query] = split_query(base.path);
    if (reference.starts_with('/'))
      url->path = request_target(reference);
    else if (reference.starts_with('?'))
      url->path = std::string(base_path) + request_target("/" + std::string(reference)).substr(1);
    else if (!reference.empty())
      url->path = request_target(std::string(base_path.substr(0, base_path.rfind('/') + 1)) + std::string(reference));
  }
  if (!url) return url.failure();
  const auto [path, query] = split_query(url->path);
  url->path = without_dots(path) + std::string(query);
  if (url->path.size() > longest) return bad("the address is longer than 8192 characters");
  return url;
}

}  // namespace vitald::net
